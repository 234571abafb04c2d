/**
 * The heart of the room, pure: a schedule that is due, the time, the previous job; out comes what is written. It reads
 * no clock and no store, so every policy can be tested as a table.
 */
import {
  type BacklogPolicy,
  countRun,
  firstWanted,
  type LeftOut,
  type Run,
  type Sorted,
  sortBacklog,
} from "./backlog.ts";
import { leftOut, oldRuleUntil, type Past, reaching } from "./past.ts";
import type { Overlap } from "./policies.ts";
import { type Timeline, without } from "./timeline.ts";

/** What moves with a schedule from fire to fire. */
export interface ScheduleState {
  /** Jobs made by occurrences so far, for `maxCount`. Counted only when there is one. */
  readonly fired?: number;
  /**
   * With overlap `queue`: occurrences wait for the previous job, the first of them at `from`. Those up to `until` were
   * seen waiting, so they were not missed. The schedule's `nextAt` is then the time of the next look.
   */
  readonly held?: { readonly from: number; readonly until: number };
  /** What the times were before now, where that is not what the rule says and something of it is not dealt with. */
  readonly past?: Past;
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
  const { policies, state, now, previous } = situation;
  const cursor = cursorOf(state, situation.nextAt);
  // A calendar may have been replaced since the time was worked out.
  const from = situation.timeline.excludes(cursor) ? situation.timeline.after(cursor) : cursor;
  if (from === null || from > now) return { ...idle(state, from), occurrences: [] };
  const queues = policies.overlap === "queue" && (state.held !== undefined || previous !== null);
  const { timeline, ...line } = queues ? sortUnseen(situation, from) : { ...situation, from, occurrences: [] };
  if (line.from === null || line.from > now) return { ...idle(line.state, line.from), occurrences: line.occurrences };
  if (queues && previous !== null) return { ...hold(line.state, line.from, now), occurrences: line.occurrences };
  const waited = queues ? now : seenUntil(situation);
  const due = { ...situation, timeline, state: line.state };
  const decision = sort(due, line.from, waited);
  const occurrences = [...line.occurrences, ...decision.occurrences].sort((a, b) => a.at - b.at);
  return { ...decision, occurrences };
}

/** The first time that is not dealt with. */
export function cursorOf(state: ScheduleState, nextAt: number): number {
  return state.held?.from ?? nextAt;
}

/** Whether it has made all the jobs that it may. */
export function isSpent({ maxCount }: Pick<Policies, "maxCount">, { fired = 0 }: ScheduleState): boolean {
  return maxCount !== undefined && fired >= maxCount;
}

/** Up to when occurrences waited for the previous job; undefined when none did. After a downtime only those that were seen waiting did. */
export function seenUntil({ state, policies, nextAt, now }: Omit<Situation, "timeline" | "previous">) {
  if (state.held === undefined) return undefined;
  const looking = nextAt - state.held.until <= LATEST_LOOK && now - nextAt <= policies.misfireThreshold;
  return looking ? Math.max(now, state.held.until) : state.held.until;
}

/** Nothing is due, and nothing waits. */
function idle(state: ScheduleState, nextAt: number | null) {
  const { held: _held, past, ...rest } = state;
  const kept = reaching(past, nextAt);
  return { nextAt, state: kept === undefined ? rest : { ...rest, past: kept }, cancelPrevious: false };
}

/** What came due while nobody looked was missed, although what came before it waits: the misfire policy decides once. */
function sortUnseen(situation: Situation, from: number) {
  const { timeline, policies, state, now } = situation;
  const waited = seenUntil(situation) ?? from - 1;
  const unseen = waited < from ? from : timeline.after(waited);
  const all = { timeline, state, from: from as number | null, occurrences: [] as readonly Decided[] };
  if (unseen === null || unseen > now) return all;
  const wanted = firstWanted(timeline, policies, unseen, now);
  if (wanted <= unseen) return all;
  const next = timeline.atOrAfter(wanted);
  const until = Math.min(next ?? Infinity, now + 1) - 1;
  const occurrences = linesOf(timeline, countRun(timeline, unseen, until), "missed");
  if (unseen === from) return { ...all, from: next, occurrences };
  const past = leftOut(state.past, unseen, until);
  return { ...all, timeline: without(timeline, unseen, until), state: { ...state, past }, occurrences };
}

/** The backlog through the policies. @param waited times up to it waited their turn, and were not missed */
function sort(situation: Situation, from: number, waited: number | undefined): Decision {
  const { policies, state, timeline, now, previous } = situation;
  const sorted = sortBacklog(timeline, policies, from, now, waited);
  const occurrences: Decided[] = [];
  if (sorted.leftOut) {
    const words = sorted.leftOut.why === "deadline" ? "later than its starting deadline" : "missed";
    occurrences.push(...linesOf(timeline, sorted.leftOut.times, words));
  }
  // Counted after the overlap policy, which may make fewer jobs of them than there are times.
  const limited = limit(overlap(sorted, policies.overlap, previous, timeline), policies, state);
  const { fire, skipped, next, cancel } = limited;
  occurrences.push(...skipped);
  const standsForOthers = policies.misfire.policy === "run-once" && sorted.leftOut?.why === "missed";
  for (const at of fire) {
    const missed = now - at > policies.misfireThreshold && !(waited !== undefined && at <= waited);
    const reason = standsForOthers ? onceReason(sorted.leftOut) : missed ? "missed, run late" : undefined;
    occurrences.push({ at, what: "fired", ...(reason === undefined ? {} : { reason }) });
  }
  const after = policies.maxCount === undefined ? state : { ...state, fired: (state.fired ?? 0) + fire.length };
  const spent = isSpent(policies, after);
  if (spent) occurrences.push(...takenBack(situation, limited.unmade ?? next));
  // The job just made is live, so whatever else is due waits for it.
  if (policies.overlap === "queue" && !spent && next !== null && next <= now) {
    return { ...hold(after, next, now), occurrences };
  }
  return { ...idle(after, spent ? null : next), occurrences, cancelPrevious: cancel };
}

function hold(state: ScheduleState, from: number, now: number): Decision {
  const look = Math.min(LATEST_LOOK, Math.max(SOONEST_LOOK, (now - from) / 10));
  const { past, ...rest } = state;
  const kept = reaching(past, from);
  const held = { from, until: now };
  const after = { ...rest, ...(kept === undefined ? {} : { past: kept }), held };
  return { occurrences: [], nextAt: Math.round(now + look), state: after, cancelPrevious: false };
}

/** Times that waited, or were due before `maxCount` was lowered below their number: they had been told of, so their end is told too. */
function takenBack({ timeline, state, policies, now }: Situation, from: number | null): readonly Decided[] {
  const until = Math.min(now, Math.max(oldRuleUntil(state.past) ?? -Infinity, state.held?.until ?? -Infinity));
  if (from === null || from > until) return [];
  return linesOf(timeline, countRun(timeline, from, until), `left out: maxCount allows ${policies.maxCount} jobs`);
}

/** No more jobs than `maxCount` leaves. */
function limit(overlapped: Overlapped, policies: Policies, state: ScheduleState): Overlapped {
  if (policies.maxCount === undefined) return overlapped;
  const left = Math.max(0, policies.maxCount - (state.fired ?? 0));
  const { fire, skipped, next } = overlapped;
  if (left > 0) return { ...overlapped, fire: fire.slice(0, left), unmade: fire[left] ?? next };
  const unmade = Math.min(fire[0] ?? Infinity, skipped[0]?.at ?? Infinity, next ?? Infinity);
  return { fire: [], skipped: [], next: null, cancel: false, unmade: Number.isFinite(unmade) ? unmade : null };
}

interface Overlapped {
  readonly fire: readonly number[];
  readonly skipped: readonly Decided[];
  readonly next: number | null;
  readonly cancel: boolean;
  /** The first time for which `maxCount` leaves no job. */
  readonly unmade?: number | null;
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
