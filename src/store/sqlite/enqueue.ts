/** Accepting jobs, in the writer's transaction or in a caller's own. */
import type { JobId, NewJob } from "../contract.ts";
import { dueAt } from "../shared/check.ts";
import { INSERT_JOB, INSERT_READY, INSERT_SCHEDULED } from "./sql/enqueue.ts";
import type { Transaction } from "./transaction.ts";

/** Writes jobs, which have been checked, and wakes those who may claim them. */
export function enqueue(tx: Transaction, jobs: readonly NewJob[]): JobId[] {
  return insertJobs(tx, jobs, (queue) => tx.wakes.work(queue));
}

/**
 * Writes jobs.
 *
 * @param ready called with the queue of each job that is due at once
 */
export function insertJobs(
  tx: Transaction,
  jobs: readonly NewJob[],
  ready: (queue: string) => void = quietly,
): JobId[] {
  const { on, at, names, wakes } = tx;
  const insertJob = on.statement(INSERT_JOB);
  const insertReady = on.statement(INSERT_READY);
  return jobs.map((job) => {
    const id = tx.nextJobId();
    const queue = names.idOf(job.queue);
    const { priority, maxAttempts, maxCrashes, input, meta = null } = job;
    insertJob.run(id, queue, names.idOf(job.name), priority, maxAttempts, maxCrashes, at.now, input, meta);
    const due = dueAt(job, at.now);
    if (due === null) {
      insertReady.run(queue, -priority, id, 0);
      ready(job.queue);
    } else {
      on.run(INSERT_SCHEDULED, due, id, queue, -priority, 0);
      wakes.scheduled(due);
    }
    return String(id);
  });
}

function quietly(): void {
  // The caller claims them in the same transaction.
}
