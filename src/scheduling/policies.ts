/** What a schedule does when its times and the world disagree: in public words, as users write them. */
import type { Duration } from "../time/index.ts";

/**
 * What becomes of occurrences that were missed: due for longer than the misfire threshold, because no process was
 * there, the store was away, or the schedule was resumed with `missed: "policy"`.
 *
 * - `"run-once"` (default): one job for all that is overdue, standing at the latest time
 * - `"skip"`: none; the schedule goes on with the times that are not missed
 * - `"catch-up"`: a job for each of the latest `max`, none older than `maxAge`
 * - `"run-all"`: a job for each, however many
 */
export type Misfire =
  | "run-once"
  | "skip"
  | "run-all"
  | {
      readonly policy: "catch-up";
      /** How many jobs at most, the latest ones; 1 to 1,000. Default 100. */
      readonly max?: number;
      /** None older than this. Default: no limit. */
      readonly maxAge?: Duration;
    };

/** A {@link Misfire} as it is kept: durations in milliseconds, defaults filled in. */
export type MisfirePolicy =
  | { readonly policy: "run-once" | "skip" | "run-all" }
  | { readonly policy: "catch-up"; readonly max: number; readonly maxAge?: number };

/**
 * What becomes of an occurrence while the schedule's previous job is not over (waiting, running or between retries).
 *
 * - `"allow"` (default): it makes its job; both may run
 * - `"skip"`: it is left out
 * - `"queue"`: it waits, in order, until the previous job is final
 * - `"replace"`: the previous job is cancelled; a running one is told by its signal, and may end after the new one began
 */
export type Overlap = "allow" | "skip" | "queue" | "replace";

export const OVERLAPS: readonly Overlap[] = ["allow", "skip", "queue", "replace"];

/** Beyond this lateness an occurrence is missed and the misfire policy decides. */
export const DEFAULT_MISFIRE_THRESHOLD = 5_000;
/** Below this, ordinary delays (a commit, a garbage collection) would be called misfires. */
export const SHORTEST_MISFIRE_THRESHOLD = 500;
/** Below this, nothing would ever be in time. */
export const SHORTEST_STARTING_DEADLINE = 500;
/** The most jobs that one move of a schedule makes; a longer backlog is worked off in several moves. */
export const MOST_JOBS_A_MOVE = 1_000;
