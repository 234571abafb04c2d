/** Accepting jobs, in the writer's transaction or in a caller's own. */
import type { JobId, NewJob } from "../contract.ts";
import { dueAt } from "../shared/check.ts";
import { idText } from "./ids.ts";
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
  return jobs.map((job) => {
    const id = insertBody(tx, job);
    const queue = names.idOf(job.queue);
    const due = dueAt(job, at.now);
    if (due === null) {
      on.run(INSERT_READY, queue, -job.priority, id, 0);
      ready(job.queue);
    } else {
      on.run(INSERT_SCHEDULED, due, id, queue, -job.priority, 0);
      wakes.scheduled(due);
    }
    return idText(id);
  });
}

/** Writes what of a job never changes; the caller puts it where it waits. */
export function insertBody(tx: Transaction, job: NewJob): number {
  const { on, at, names } = tx;
  const id = tx.nextJobId();
  const { priority, maxAttempts, maxCrashes, input, meta = null } = job;
  on.run(
    INSERT_JOB,
    id,
    names.idOf(job.queue),
    names.idOf(job.name),
    priority,
    maxAttempts,
    maxCrashes,
    at.now,
    input,
    meta,
  );
  return id;
}

function quietly(): void {
  // The caller claims them in the same transaction.
}
