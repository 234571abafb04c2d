/** When a failed attempt is tried again: pure, with the randomness passed in. */
import { type Duration, parseDuration } from "../time/index.ts";

/** How waits grow. A function is given the number of failed attempts and the error, and says the wait. */
export type Backoff = "exponential" | "linear" | "fixed" | ((failed: number, error: unknown) => Duration);

/** How waits are spread: not at all, over their second half, or over all of it. */
export type Jitter = "none" | "equal" | "full";

/** How often and when a job is tried again. */
export interface RetryOptions {
  /** Attempts in all, the first included; 1 for no retry. Default 10. */
  readonly attempts?: number;
  /** `exponential` doubles the wait each time, `linear` adds `delay` each time, `fixed` keeps it. Default `exponential`. */
  readonly backoff?: Backoff;
  /** The first wait. Default 5 seconds. */
  readonly delay?: Duration;
  /** No wait is longer. Default 6 hours. */
  readonly maxDelay?: Duration;
  /**
   * Spreads retries, so that jobs that failed together do not come back together: `equal` waits between half and all
   * of the time, `full` between none and all. Default `equal`; `none` for `fixed` and for a function of your own.
   */
  readonly jitter?: Jitter;
  /** Which errors are worth another attempt; others end the job as `dead` at once. Default: all but {@link FatalError}. */
  readonly retryOn?: (error: unknown) => boolean;
}

/** {@link RetryOptions}, complete and in milliseconds. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly delay: number;
  readonly maxDelay: number;
  readonly jitter: Jitter;
  readonly retryOn: ((error: unknown) => boolean) | undefined;
}

export const DEFAULT_RETRY = { attempts: 10, backoff: "exponential", delay: 5_000, maxDelay: 21_600_000 } as const;

/**
 * The wait before the next attempt, in whole milliseconds.
 *
 * @param failed how many attempts have failed, at least 1
 * @param random in [0, 1)
 * @throws what the application's own back-off function throws, NS_DURATION_INVALID for what it returns
 */
export function retryDelay(policy: RetryPolicy, failed: number, error: unknown, random: number): number {
  const wanted = rawDelay(policy, failed, error);
  const wait = Math.min(wanted, policy.maxDelay);
  return Math.round(spread(wait, policy.jitter, random));
}

function rawDelay(policy: RetryPolicy, failed: number, error: unknown): number {
  const { backoff, delay } = policy;
  if (typeof backoff === "function") return parseDuration(backoff(failed, error), "the back-off function's result");
  if (backoff === "fixed") return delay;
  if (backoff === "linear") return delay * failed;
  return delay * 2 ** Math.min(failed - 1, 1_000);
}

function spread(wait: number, jitter: Jitter, random: number): number {
  if (jitter === "full") return wait * random;
  if (jitter === "equal") return wait / 2 + (wait / 2) * random;
  return wait;
}

/** The wait before a loop of the engine tries the store again: doubling from 100 ms to 5 s, spread over its second half. */
export function storeBackoff(failures: number, random: number): number {
  return spread(Math.min(100 * 2 ** Math.min(failures - 1, 10), 5_000), "equal", random);
}
