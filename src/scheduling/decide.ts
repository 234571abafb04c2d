/**
 * The heart of the room, pure: a schedule that is due, the time, the previous job; out comes what is written. It reads
 * no clock and no store, so every policy can be tested as a table.
 */
import { type BacklogPolicy, type LeftOut, type Run, type Sorted, sortBacklog } from "./backlog.ts";
import type { Overlap } from "./policies.ts";
import type { Timeline } from "./timeline.ts";

/** What moves with a schedule from fire to fire. */
export interface ScheduleState {
  /** Jobs made by occurrences so far, for `maxCount`. Counted only when there is one. */
  readonly fired?: number;
  /**
   * With overlap `queue`: occurrences wait for the previous job, the first of them at `from`. Those up to `until` were
   * seen waiting, so they were not missed. The schedule's `nextAt` is then the time of the next look.
   */
  readonly held?: { readonly from: number; readonly until: number };
}

/** What the decision is made by. */
export interface Policies extends BacklogPolicy {
  readonly overlap: Overlap;
  readonly maxCount?: number;
}

/** A schedule that is due. */
export interface Situation {
  readonly policies: Policies;
  readonly timeline: Timeline;
  readonly state: ScheduleState;
  readonly nextAt: number;
  /** The store's clock. */
  readonly now: number;
  /** The previous job, if it is not over. */
  readonly previous: string | null;
}

/** An occurrence that was decided. */
export interface Decided {
  readonly at: number;
  readonly what: "fired" | "skipped";
  readonly reason?: string;
}

/** What is to be written. */
export interface Decision {
  /** In the order of time. */
  readonly occurrences: readonly Decided[];
  readonly nextAt: number | null;
  readonly state: ScheduleState;
  /** The previous job is to be cancelled in the same commit (overlap `replace`). */
  readonly cancelPrevious: boolean;
}

/** Up to this many left-out times get a line each in the history; more of them share one. */
const LINES = 10;
/** How soon, and how late, a held schedule is looked at again. */
const SOONEST_LOOK = 1_000;
const LATEST_LOOK = 15_000;

/** What becomes of a due schedule. */
export function decide(situation: Situation): Decision {
  const { policies, state, timeline, now, previous } = situation;
  const from = state.held?.from ?? situation.nextAt;
  const waited = waitedUntil(situation);
  if (policies.overlap === "queue" && previous !== null) return hold(state, from, waited ?? now, now);

  const sorted = sortBacklog(timeline, policies, from, now, waited);
  const occurrences: Decided[] = [];
  if (sorted.leftOut) {
    const words = sorted.leftOut.why === "deadline" ? "later than its starting deadline" : "missed";
    occurrences.push(...linesOf(timeline, sorted.leftOut.times, words));
  }
  // Counted after the overlap policy, which may make fewer jobs of them than there are times.
  const { fire, skipped, next, cancel } = limit(overlap(sorted, policies.overlap, previous, timeline), policies, state);
  occurrences.push(...skipped);
  const standsForOthers = policies.misfire.policy === "run-once" && sorted.leftOut?.why === "missed";
  for (const at of fire) {
    const missed = now - at > policies.misfireThreshold && !(waited !== undefined && at <= waited);
    const reason = standsForOthers ? onceReason(sorted.leftOut) : missed ? "missed, run late" : undefined;
    occurrences.push({ at, what: "fired", ...(reason === undefined ? {} : { reason }) });
  }
  occurrences.sort((a, b) => a.at - b.at);

  const { held: _, ...rest } = state;
  const fired = (state.fired ?? 0) + fire.length;
  const after = policies.maxCount === undefined ? rest : { ...rest, fired };
  const spent = policies.maxCount !== undefined && fired >= policies.maxCount;
  // The job just made is live, so whatever else is due waits for it.
  if (policies.overlap === "queue" && !spent && next !== null && next <= now) {
    const until = waited !== undefined && from <= waited ? waited : now;
    return { ...hold(after, next, until, now), occurrences };
  }
  return { occurrences, nextAt: spent ? null : next, state: after, cancelPrevious: cancel };
}

/** Up to when occurrences waited for the previous job; undefined when none did. After a downtime only those that were seen waiting did. */
function waitedUntil({ state, policies, nextAt, now }: Situation): number | undefined {
  if (state.held === undefined) return undefined;
  const looking = nextAt - state.held.until <= LATEST_LOOK && now - nextAt <= policies.misfireThreshold;
  return looking ? now : state.held.until;
}

function hold(state: ScheduleState, from: number, until: number, now: number): Decision {
  const look = Math.min(LATEST_LOOK, Math.max(SOONEST_LOOK, (now - from) / 10));
  const held = { from, until };
  return { occurrences: [], nextAt: Math.round(now + look), state: { ...state, held }, cancelPrevious: false };
}

/** No more jobs than `maxCount` leaves. */
function limit(overlapped: Overlapped, policies: Policies, state: ScheduleState): Overlapped {
  if (policies.maxCount === undefined) return overlapped;
  const left = Math.max(0, policies.maxCount - (state.fired ?? 0));
  if (left === 0) return { fire: [], skipped: [], next: null, cancel: false };
  return { ...overlapped, fire: overlapped.fire.slice(0, left) };
}

interface Overlapped {
  readonly fire: readonly number[];
  readonly skipped: readonly Decided[];
  readonly next: number | null;
  readonly cancel: boolean;
}

function overlap(sorted: Sorted, policy: Overlap, previous: string | null, timeline: Timeline): Overlapped {
  const { fire, next } = sorted;
  const first = fire[0];
  const last = fire.at(-1);
  if (first === undefined || last === undefined) return { fire, skipped: [], next, cancel: false };
  switch (policy) {
    case "allow":
      return { fire, skipped: [], next, cancel: false };
    case "queue":
      return { fire: [first], skipped: [], next: fire[1] ?? next, cancel: false };
    case "skip": {
      const skip = previous === null ? fire.slice(1) : fire;
      const why = `overlap: the job ${previous ?? "of the occurrence before"} was not over`;
      return { fire: previous === null ? [first] : [], skipped: leave(timeline, skip, why), next, cancel: false };
    }
    case "replace": {
      const skipped = leave(timeline, fire.slice(0, -1), "overlap: replaced by a later occurrence");
      return { fire: [last], skipped, next, cancel: previous !== null };
    }
  }
}

function leave(timeline: Timeline, times: readonly number[], words: string): readonly Decided[] {
  const first = times[0];
  const last = times.at(-1);
  if (first === undefined || last === undefined) return [];
  return linesOf(timeline, { first, last, count: times.length, more: false }, words);
}

/** One line for each time left out, or one for all of them when there are many: the history stays readable and bounded. */
export function linesOf(timeline: Timeline, run: Run, words: string): Decided[] {
  if (run.count > LINES) {
    const many = `${run.more ? "more than " : ""}${run.count} occurrences until ${new Date(run.last).toISOString()}`;
    return [{ at: run.first, what: "skipped", reason: `${words}: ${many}` }];
  }
  const lines: Decided[] = [];
  for (let at: number | null = run.first; at !== null && at <= run.last; at = timeline.after(at)) {
    lines.push({ at, what: "skipped", reason: words });
  }
  return lines;
}

function onceReason({ times }: LeftOut): string {
  return `missed, run once for ${times.more ? "more than " : ""}${times.count + 1} occurrences`;
}
