/** Counts of jobs on demand: exact where that is cheap, "at least so many" where it would not be. */
import type { JobCount } from "../contract.ts";

/** How many rows a count looks at, whatever few of them match. */
export function mostLookedAt(upTo: number): number {
  return Math.min(100 * upTo, 10_000_000);
}

/** After so many milliseconds a count is told as it is. */
export const LONGEST_COUNT = 2_000;

/** @param whole whether everything was looked at */
export function countedUpTo(upTo: number, count: number, whole: boolean): JobCount {
  return { count: Math.min(count, upTo), exact: whole && count <= upTo };
}
