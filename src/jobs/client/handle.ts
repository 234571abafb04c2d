/** A job that was enqueued, in the hands of who enqueued it. */
import type { CancelResult, JobId, JobState } from "../../store/contract.ts";
import type { Duration } from "../../time/index.ts";
import type { JobDetails } from "./details.ts";

/** How a result is awaited. */
export interface ResultOptions {
  /** Rejects with `NS_TIMEOUT` after this long; the job goes on. Default: no limit. */
  readonly timeout?: Duration;
  /** Rejects with the signal's reason when aborted; the job goes on. */
  readonly signal?: AbortSignal;
}

/** A job by its id, with the type of its result. Holding one costs nothing; it may be made again from the id. */
export interface JobHandle<Output = unknown> {
  readonly id: JobId;
  readonly name: string;
  /**
   * Waits until the job is over, whichever process runs it.
   *
   * @returns what the handler returned, as the output schema reads it; undefined when the definition has none
   * @throws NS_JOB_FAILED (cause: the handler's error) when it is dead, NS_JOB_CANCELLED, NS_JOB_NOT_FOUND, NS_TIMEOUT
   */
  result(options?: ResultOptions): Promise<Output>;
  /** Cancels it: at once while it waits; while it runs, in any process, through its signal. */
  cancel(reason?: string): Promise<CancelResult>;
  /** Where it stands; null when it does not exist (any more). */
  state(): Promise<JobState | null>;
  /** Everything about it; null when it does not exist (any more). */
  details(): Promise<JobDetails | null>;
}
