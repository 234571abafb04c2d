/** Why a job is not running, in one sentence: pure, from what the store says. */
import { show } from "../../errors/index.ts";
import type { Counts, JobDetail, StoredInstance } from "../../store/contract.ts";
import { formatDuration } from "../../time/index.ts";
import { parseFailure } from "../failure.ts";

/** The facts that an explanation is made of. `now` is the store's clock. */
export interface Situation {
  readonly job: JobDetail;
  readonly counts: Counts;
  readonly instances: readonly StoredInstance[];
  readonly now: number;
}

export function explanation(situation: Situation): string {
  const { job, now } = situation;
  switch (job.state) {
    case "scheduled":
      return explainScheduled(job, now);
    case "ready":
      return explainReady(situation);
    case "running": {
      const where =
        job.instance === null ? "" : ` on ${job.instance.name} (pid ${job.instance.pid} on ${job.instance.host})`;
      const asked = job.cancelRequested === null ? "" : ` Its cancellation was asked for: ${job.cancelRequested}.`;
      const since = job.at === null ? "" : ` since ${formatDuration(Math.max(0, now - job.at))}`;
      const over = job.instance === null ? 0 : now - job.instance.expiresAt;
      const gone =
        over > 0
          ? ` That process's time ran out ${formatDuration(over)} ago: the job is due to be given to another one.`
          : "";
      return `It is in the hands of a worker${where}${since}, attempt ${job.attempt} of ${job.maxAttempts}.${gone}${asked}`;
    }
    case "awaiting":
      return "It waits for other jobs to be over.";
    case "blocked":
      return "It waits because others with its concurrency key run already.";
    case "succeeded":
      return "It has succeeded.";
    case "cancelled":
      return `It was cancelled${because(job)}.`;
    case "dead":
      return `It is dead after ${job.attempt} of ${job.maxAttempts} attempts${because(job)}. It needs a person: retry it once the cause is gone.`;
  }
}

function explainScheduled(job: JobDetail, now: number): string {
  const wait = job.at === null ? "" : ` in ${formatDuration(Math.max(0, job.at - now))}`;
  if (job.attempt === 0) return `It is to run later: it is due${wait}.`;
  const spent = `attempt ${job.attempt} of ${job.maxAttempts} is over${because(job)}`;
  return `It waits for its next attempt, due${wait}: ${spent}.`;
}

function explainReady({ job, counts, instances }: Situation): string {
  const queue = counts.queues.find((each) => each.queue === job.queue);
  if (queue?.paused) {
    const reason = queue.paused.reason === null ? "" : `: ${queue.paused.reason}`;
    return `The queue ${show(job.queue)} is paused${reason}.`;
  }
  if (instances.length === 0) return "No worker is running: no instance is registered in the store.";
  const serving = instances.filter((instance) => instance.queues.includes(job.queue));
  if (serving.length === 0) {
    return `No running instance serves the queue ${show(job.queue)}; running are ${names(instances)}.`;
  }
  const able = serving.filter((instance) => instance.names.includes(job.name));
  if (able.length === 0) {
    return `No instance that serves the queue ${show(job.queue)} knows a job named ${show(job.name)}; running are ${names(serving)}.`;
  }
  const ahead = (queue?.ready ?? 1) - 1;
  const others = ahead > 0 ? ` ${ahead} more are ready in its queue.` : "";
  return `It is ready and waits for a free worker of ${names(able)}.${others}`;
}

function names(instances: readonly StoredInstance[]): string {
  const shown = instances.slice(0, 5).map((instance) => instance.name);
  return instances.length > 5 ? `${shown.join(", ")} and ${instances.length - 5} more` : shown.join(", ");
}

function because(job: JobDetail): string {
  if (job.error !== null) return ` (${parseFailure(job.error).message})`;
  const last = job.history.at(-1)?.error ?? null;
  return last === null ? "" : ` (${parseFailure(last).message})`;
}
