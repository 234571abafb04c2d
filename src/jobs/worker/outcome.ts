/** What becomes of an attempt whose handler threw: pure. */
import { messageOf, type NightshiftError } from "../../errors/index.ts";
import type { ClaimedJob, Outcome } from "../../store/contract.ts";
import type { JobDefinition } from "../definition.ts";
import { failureText } from "../failure.ts";
import { FatalError, Snooze } from "../fatal-error.ts";
import { retryDelay } from "../retry.ts";

/** An attempt that ended by throwing. */
export interface Ended {
  readonly job: ClaimedJob;
  readonly definition: JobDefinition;
  readonly thrown: unknown;
  /** Why the attempt's signal was aborted, if it was. */
  readonly aborted: NightshiftError | undefined;
  /** What the person who cancelled said. */
  readonly cancelReason: string;
  readonly ms: number;
  readonly random: number;
}

/** What an attempt's end by throwing means. The error is the one to tell of; none when it was no failure. */
interface Judged {
  readonly outcome: Outcome;
  readonly error?: unknown;
}

/** The outcome of an attempt that threw. Never throws itself, whatever traps the value has. */
export function outcomeOfThrown(ended: Ended): Judged {
  try {
    return judge(ended);
  } catch (broken) {
    const thrown = new Error(`What the handler threw cannot be looked at: ${messageOf(broken)}`);
    return judge({ ...ended, thrown });
  }
}

function judge(ended: Ended): Judged {
  const { job, thrown, aborted, ms } = ended;
  if (thrown instanceof Snooze) return { outcome: { job: job.id, type: "snoozed", ms, in: thrown.delay } };
  if (aborted?.code === "NS_JOB_CANCELLED") {
    return { outcome: { job: job.id, type: "cancelled", ms, reason: ended.cancelReason } };
  }
  // Cut short by the stop of this process: not the job's fault, so it costs no attempt.
  if (aborted?.code === "NS_HOST_STOPPING") return { outcome: { job: job.id, type: "released" } };
  const error = aborted?.code === "NS_JOB_TIMEOUT" ? timedOut(aborted, thrown) : thrown;
  return { outcome: failed(ended, error), error };
}

/**
 * The outcome of nearly every attempt. A class and not a literal: of objects that a literal makes V8 counts how many outlive a
 * collection of garbage, and where many do it makes all others among the old objects, where each keeps its job's id.
 */
export class Succeeded {
  readonly job: string;
  readonly type = "succeeded";
  readonly ms: number;

  constructor(job: string, ms: number) {
    this.job = job;
    this.ms = ms;
  }
}

/** A failure that no further attempt can cure: the input or the output is wrong. */
export function deadOutcome(job: ClaimedJob, error: unknown, ms: number): Outcome {
  return { job: job.id, type: "dead", ms, error: failureText(error) };
}

function failed({ job, definition, ms, random }: Ended, thrown: unknown): Outcome {
  if (job.attempt >= job.maxAttempts || thrown instanceof FatalError) return deadOutcome(job, thrown, ms);
  try {
    if (definition.retry.retryOn?.(thrown) === false) return deadOutcome(job, thrown, ms);
    const wait = retryDelay(definition.retry, job.attempt, thrown, random);
    return { job: job.id, type: "retry", ms, in: wait, error: failureText(thrown) };
  } catch (broken) {
    // The application's own retryOn or back-off threw: the job must not suffer, so the default wait is taken.
    const cause = new AggregateError(
      [thrown, broken],
      "The handler failed, and then retryOn or the back-off function.",
    );
    const wait = retryDelay({ ...definition.retry, backoff: "exponential" }, job.attempt, thrown, random);
    return { job: job.id, type: "retry", ms, in: wait, error: failureText(cause) };
  }
}

/** What the handler threw on being aborted is usually the reason itself; anything else is worth keeping. */
function timedOut(reason: NightshiftError, thrown: unknown): unknown {
  if (thrown === reason || thrown instanceof FatalError) return thrown;
  reason.cause = thrown;
  return reason;
}
