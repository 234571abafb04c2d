/**
 * The misfire half of a decision: of all times that are due, which make a job and which are left out. Pure. What fires
 * is always an unbroken run that ends with the latest due time, which lets the rest of the room keep a single cursor.
 */
import { type MisfirePolicy, MOST_JOBS_A_MOVE } from "./policies.ts";
import type { Timeline } from "./timeline.ts";

/** What decides over a backlog. */
export interface BacklogPolicy {
  readonly misfire: MisfirePolicy;
  readonly misfireThreshold: number;
  readonly startingDeadline?: number;
}

/** Times that make no job. */
export interface LeftOut {
  readonly why: "missed" | "deadline";
  readonly times: Run;
}

/** Several times in a row. Counted up to {@link COUNTED}; beyond that `more` is set. */
export interface Run {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly more: boolean;
}

/** What becomes of a backlog. */
export interface Sorted {
  /** The times that make jobs, in order, at most {@link MOST_JOBS_A_MOVE}. */
  readonly fire: readonly number[];
  readonly leftOut: LeftOut | null;
  /** The first time that is not dealt with: in the future, or due too when there were too many at once. */
  readonly next: number | null;
}

/** Walking a year of seconds to tell people how many there were would stop everything else. */
export const COUNTED = 1_000;

/** @param from the first time not dealt with, due; `heldUntil`: times up to it waited their turn, and were not missed */
export function sortBacklog(
  timeline: Timeline,
  policy: BacklogPolicy,
  from: number,
  now: number,
  heldUntil = -Infinity,
): Sorted {
  const deadline = policy.startingDeadline === undefined ? -Infinity : now - policy.startingDeadline;
  const wanted = from <= heldUntil ? from : firstWanted(timeline, policy, from, now);
  const begin = Math.max(wanted, deadline);
  const first = begin <= from ? from : (timeline.atOrAfter(begin) ?? Infinity);
  const fire: number[] = [];
  let next: number | null = Number.isFinite(first) ? first : null;
  while (next !== null && next <= now && fire.length < MOST_JOBS_A_MOVE) {
    fire.push(next);
    next = timeline.after(next);
  }
  if (first <= from) return { fire, leftOut: null, next };
  const times = countRun(timeline, from, Math.min(first - 1, now));
  return { fire, leftOut: { why: deadline > wanted ? "deadline" : "missed", times }, next };
}

/** The earliest time that the misfire policy still wants. */
export function firstWanted(timeline: Timeline, policy: BacklogPolicy, from: number, now: number): number {
  const onTime = now - policy.misfireThreshold;
  if (from >= onTime) return from;
  const { misfire } = policy;
  switch (misfire.policy) {
    case "run-all":
      return from;
    case "skip":
      return onTime;
    case "run-once":
      return timeline.atOrBefore(now) ?? from;
    case "catch-up": {
      const oldest = misfire.maxAge === undefined ? from : Math.max(from, now - misfire.maxAge);
      let wanted = onTime;
      for (let count = 0; count < misfire.max; count++) {
        const before = timeline.atOrBefore(wanted - 1);
        if (before === null || before < oldest) break;
        wanted = before;
      }
      return wanted;
    }
  }
}

/** Counts the times from `first`, which is one of them, to `until`. */
export function countRun(timeline: Timeline, first: number, until: number): Run {
  let count = 1;
  let last = first;
  for (let next = timeline.after(first); next !== null && next <= until; next = timeline.after(next)) {
    if (count >= COUNTED) return { first, last: timeline.atOrBefore(until) ?? last, count, more: true };
    count++;
    last = next;
  }
  return { first, last, count, more: false };
}
