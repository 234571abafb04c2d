/** The contract, part 1: what a job is in a store, and how it gets there. */

/** The id of a job: opaque text, chosen by the store, never re-used. Ids of one store sort in the order of enqueueing only if the store says so. */
export type JobId = string;

/**
 * Where a job stands. The first five are live, the last three final.
 *
 * - `awaiting`: on other jobs
 * - `scheduled`: until a time; a retry's back-off included
 * - `blocked`: its concurrency key is full
 * - `ready`: may be claimed now
 * - `running`: claimed under a lease
 * - `succeeded`, `cancelled`: over
 * - `dead`: attempts spent or a fatal error; needs a person
 */
export type JobState = LiveState | FinalState;
export type LiveState = "awaiting" | "scheduled" | "blocked" | "ready" | "running";
export type FinalState = "succeeded" | "dead" | "cancelled";

export const LIVE_STATES: readonly LiveState[] = ["awaiting", "scheduled", "blocked", "ready", "running"];
export const FINAL_STATES: readonly FinalState[] = ["succeeded", "dead", "cancelled"];

/** Priorities are whole numbers in this range; a higher one is claimed first. The default is 0. */
export const PRIORITY_RANGE = { min: -100, max: 100 } as const;

/** A job as it is handed to the store. All of it is written once and never changed. */
export interface NewJob {
  /** The definition's name. The store does not know definitions: any text is kept. */
  readonly name: string;
  readonly queue: string;
  /** See {@link PRIORITY_RANGE}. */
  readonly priority: number;
  /** The input as JSON text. A store keeps it as it is and never looks inside. */
  readonly input: string;
  /** When it may first run: a wait from now, or an instant in milliseconds, both by the store's clock. Neither, or a time that has passed: at once. */
  readonly due?: { readonly in: number } | { readonly at: number };
  /** How often it may be attempted in all; at least 1. */
  readonly maxAttempts: number;
  /** How often it may lose its worker before it is given up as `dead`; at least 1. */
  readonly maxCrashes: number;
  /** What travels with the job and is not its input (trace context, origin), as JSON text. */
  readonly meta?: string;
}

/** Options of {@link Enqueueing.enqueue}. */
export interface EnqueueOptions {
  /**
   * The caller's own open transaction: the jobs are written inside it, and exist when it commits. What it must be is
   * the store's to say (a `node:sqlite` handle on the same file, a `pg` client); anything else is `NS_STORE_TX`.
   *
   * A store whose driver is synchronous writes before it returns its promise.
   */
  readonly tx?: unknown;
}

/** Accepting jobs. */
export interface Enqueueing {
  /**
   * Writes jobs, all or none, and resolves with their ids in the same order once they are durable: from then on they
   * are never lost. Concurrent calls may share one commit, and still fail or succeed each on its own.
   *
   * Text with a NUL character is refused (`NS_OPTION_INVALID`) on every store, because some databases cannot keep it.
   *
   * A store of several databases refuses jobs of queues that live apart (`NS_STORE_SHARDS`): they cannot be one commit.
   *
   * @throws NS_STORE_FULL, NS_STORE_BUSY, NS_STORE_UNAVAILABLE, NS_STORE_TX, NS_STORE_CLOSED
   */
  enqueue(jobs: readonly NewJob[], options?: EnqueueOptions): Promise<readonly JobId[]>;
}
