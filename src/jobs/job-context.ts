/** What a handler is given beside its input. */
import type { Resolver } from "../services/index.ts";
import type { JobId } from "../store/contract.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import type { Duration } from "../time/index.ts";

/** One attempt of a job, seen by its handler. */
export interface JobContext {
  readonly id: JobId;
  /** The definition's name. */
  readonly name: string;
  /** The queue that it was claimed from. */
  readonly queue: string;
  /** From -100 to 100; higher ones are claimed first. */
  readonly priority: number;
  /** Which attempt this is, from 1. Attempts are counted when claimed: one that crashed counts. */
  readonly attempt: number;
  /** With so many attempts that failed it is `dead`. */
  readonly maxAttempts: number;
  /** When the job was enqueued, in milliseconds since 1970 by the store's clock. */
  readonly enqueuedAt: number;
  /** What was enqueued as `meta`; empty when nothing was. */
  readonly meta: Readonly<Record<string, unknown>>;
  /**
   * Aborted when the attempt should end early. Its reason is a NightshiftError: `NS_JOB_TIMEOUT`, `NS_JOB_CANCELLED`,
   * `NS_HOST_STOPPING` (the host stops; what is not done is run again, uncounted) or `NS_LEASE_LOST` (another worker
   * may run the job already: stop touching the world).
   */
  readonly signal: AbortSignal;
  /** The application's logger, with the job's id, name and attempt in every line. */
  readonly logger: LoggerLike;
  /** The attempt's own scope. Prefer naming dependencies in `inject`. */
  readonly services: Resolver;
  /**
   * Ends this attempt and runs the job again after a wait; the attempt does not count. It works by throwing, so
   * nothing after it runs.
   *
   * @example
   * ```ts
   * import { defineJob } from "nightshift";
   *
   * export const poll = defineJob({
   *   name: "report.poll",
   *   async run(_input, job) {
   *     const ready = await Promise.resolve(false);
   *     if (!ready) return job.snooze("30s");
   *   },
   * });
   * ```
   */
  snooze(delay: Duration): never;
}
