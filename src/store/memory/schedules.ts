/** Schedules, calendars and leadership in memory. */
import type {
  Fire,
  Fired,
  JobId,
  NewOccurrence,
  NewSchedule,
  Page,
  PageRequest,
  ScheduleQuery,
  StoredGroup,
  StoredOccurrence,
  StoredSchedule,
  Term,
} from "../contract.ts";
import { decodeCursor, pageOf } from "../shared/cursor.ts";
import { groupsOf } from "../shared/scheduling.ts";
import { compareText } from "../shared/text-order.ts";
import type { MemoryState } from "./state.ts";
import { cancel } from "./upkeep.ts";
import type { Instant } from "./work.ts";

export function saveSchedules(
  state: MemoryState,
  schedules: readonly NewSchedule[],
  expected: readonly number[] | undefined,
  now: number,
): (StoredSchedule | null)[] {
  return schedules.map((schedule, index) => {
    const old = state.schedules.get(schedule.id);
    if (expected !== undefined && (old?.revision ?? 0) !== expected[index]) return null;
    const { id, group, source, job, definition, nextAt, paused } = schedule;
    const stored: StoredSchedule = {
      ...{ id, group, source, job, definition, nextAt, paused },
      revision: state.next(),
      createdAt: old?.createdAt ?? now,
      updatedAt: Math.max(now, old?.updatedAt ?? now),
      lastAt: old?.lastAt ?? null,
      lastJob: old?.lastJob ?? null,
    };
    keep(state, stored);
    state.wakes.schedules();
    return stored;
  });
}

export function listSchedules(state: MemoryState, query: ScheduleQuery): Page<StoredSchedule> {
  const after = decodeCursor(query.cursor, ["string"])?.[0];
  const items = [...state.schedules.values()]
    .filter((schedule) => query.group === undefined || schedule.group === query.group)
    .filter((schedule) => query.job === undefined || schedule.job === query.job)
    .filter((schedule) => query.paused === undefined || schedule.paused === query.paused)
    .filter((schedule) => query.source === undefined || schedule.source === query.source)
    .filter((schedule) => after === undefined || compareText(schedule.id, after) > 0)
    .sort((a, b) => compareText(a.id, b.id));
  return pageOf(items, query, ({ id }) => [id]);
}

export function scheduleGroups(state: MemoryState): StoredGroup[] {
  return groupsOf(state.schedules.values());
}

export function removeSchedules(
  state: MemoryState,
  ids: readonly string[],
  expected: readonly number[] | undefined,
): string[] {
  const stands = (id: string, index: number) =>
    expected === undefined || state.schedules.get(id)?.revision === expected[index];
  const removed = ids.filter((id, index) => stands(id, index) && state.schedules.delete(id));
  for (const id of removed) state.occurrences.delete(id);
  if (removed.length > 0) state.wakes.schedules();
  return removed;
}

export function dueSchedules(state: MemoryState, limit: number, now: number) {
  const { schedulesByTime: waiting, schedules } = state;
  const taken: ScheduleTime[] = [];
  const due: StoredSchedule[] = [];
  let first = waiting.peek();
  for (; first !== undefined; first = waiting.peek()) {
    const schedule = schedules.get(first.id);
    const counts = schedule?.revision === first.revision;
    if (counts && (first.at > now || due.length >= limit)) break;
    waiting.pop();
    if (!counts) continue;
    taken.push(first);
    due.push(schedule);
  }
  for (const entry of taken) waiting.push(entry);
  return { now, due, nextAt: first === undefined ? null : first.at > now ? first.at : earliestAfter(state, now) };
}

/** Only asked when more are due than anybody takes at once. */
function earliestAfter(state: MemoryState, now: number): number | null {
  let earliest: number | null = null;
  for (const { paused, nextAt } of state.schedules.values()) {
    if (!paused && nextAt !== null && nextAt > now && (earliest === null || nextAt < earliest)) earliest = nextAt;
  }
  return earliest;
}

/** A schedule's place in time; it no longer counts once the schedule has another revision. */
export interface ScheduleTime {
  readonly at: number;
  readonly id: string;
  readonly revision: number;
}

export function isSooner(a: ScheduleTime, b: ScheduleTime): boolean {
  return a.at === b.at ? compareText(a.id, b.id) < 0 : a.at < b.at;
}

function keep(state: MemoryState, schedule: StoredSchedule): void {
  const { id, paused, nextAt, revision } = schedule;
  state.schedules.set(id, schedule);
  if (!paused && nextAt !== null) state.schedulesByTime.push({ at: nextAt, id, revision });
}

export function fire(state: MemoryState, fires: readonly Fire[], by: string, at: Instant): Fired[] {
  const now = at.wall;
  return fires.map((move): Fired => {
    const old = state.schedules.get(move.schedule);
    if (old === undefined || old.revision !== move.revision) return { schedule: move.schedule, stale: true };
    if (move.cancel !== undefined) cancel(state, move.cancel.jobs, move.cancel.reason, at);
    let { lastAt, lastJob } = old;
    const jobs = move.occurrences.map((occurrence) => {
      const job = addOccurrence(state, move.schedule, occurrence, by, now);
      if (job !== undefined && (lastAt === null || occurrence.at >= lastAt)) lastAt = occurrence.at;
      lastJob = job ?? lastJob;
      return job ?? null;
    });
    const revision = state.next();
    const { nextAt, definition = old.definition } = move;
    keep(state, { ...old, nextAt, definition, revision, updatedAt: Math.max(now, old.updatedAt), lastAt, lastJob });
    state.wakes.schedules();
    return { schedule: move.schedule, stale: false, revision, jobs };
  });
}

/** The job made, null for none; undefined when this occurrence was dealt with before. */
function addOccurrence(
  state: MemoryState,
  schedule: string,
  { at, what, reason, job }: NewOccurrence,
  by: string,
  now: number,
): JobId | null | undefined {
  let history = state.occurrences.get(schedule);
  if (history === undefined) state.occurrences.set(schedule, (history = new Map()));
  if (history.has(at)) return undefined;
  const id = job === undefined ? null : state.add(job, now);
  history.set(at, { schedule, at, what, reason: reason ?? null, job: id, firedAt: now, by });
  return id;
}

export function listOccurrences(state: MemoryState, schedule: string, page: PageRequest): Page<StoredOccurrence> {
  const before = decodeCursor(page.cursor, ["number"])?.[0];
  const items = [...(state.occurrences.get(schedule)?.values() ?? [])]
    .filter(({ at }) => before === undefined || at < before)
    .sort((a, b) => b.at - a.at);
  return pageOf(items, page, ({ at }) => [at]);
}

export function pruneOccurrences(state: MemoryState, before: number, limit: number): number {
  let pruned = 0;
  for (const history of state.occurrences.values()) {
    for (const at of history.keys()) {
      if (pruned >= limit) return pruned;
      if (at < before && history.delete(at)) pruned++;
    }
  }
  return pruned;
}

export function campaign(state: MemoryState, role: string, holder: string, ttl: number, at: Instant): Term | null {
  const current = state.terms.get(role);
  if (current !== undefined && current.expires > at.monotonic) return null;
  const token = String(state.next());
  state.terms.set(role, { role, token, holder, expires: at.monotonic + ttl });
  return { role, token, holder, ttl };
}

export function renew(state: MemoryState, role: string, token: string, ttl: number, at: Instant): boolean {
  const term = state.terms.get(role);
  if (term === undefined || term.token !== token || term.expires <= at.monotonic) return false;
  term.expires = at.monotonic + ttl;
  return true;
}

export function resign(state: MemoryState, role: string, token: string): void {
  if (state.terms.get(role)?.token === token) state.terms.delete(role);
}
