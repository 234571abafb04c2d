/** Schedules and calendars in the file. */
import type {
  Fire,
  Fired,
  NewOccurrence,
  NewSchedule,
  Page,
  ScheduleQuery,
  StoredGroup,
  StoredSchedule,
} from "../contract.ts";
import { decodeCursor, pageOf } from "../shared/cursor.ts";
import type { Connection } from "./connection.ts";
import { cancel } from "./control.ts";
import { enqueue } from "./enqueue.ts";
import * as SQL from "./sql/schedules.ts";
import type { Transaction } from "./transaction.ts";

interface ScheduleRow {
  readonly id: string;
  readonly group_name: string;
  readonly source: StoredSchedule["source"];
  readonly job: string;
  readonly definition: string;
  readonly next_at: number | null;
  readonly paused: number;
  readonly revision: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly last_at: number | null;
  readonly last_job: number | null;
}

export function saveSchedules(
  tx: Transaction,
  schedules: readonly NewSchedule[],
  expected: readonly number[] | undefined,
): (StoredSchedule | null)[] {
  return schedules.map((schedule, index) => {
    const old = tx.on.get<ScheduleRow>(SQL.GET_SCHEDULE, schedule.id);
    if (expected !== undefined && (old?.revision ?? 0) !== expected[index]) return null;
    const created = old?.created_at ?? tx.at.now;
    return put(tx, schedule, created, old?.last_at ?? null, old?.last_job ?? null);
  });
}

export function getSchedules(on: Connection, ids: readonly string[]): StoredSchedule[] {
  return ids.flatMap((id) => {
    const row = on.get<ScheduleRow>(SQL.GET_SCHEDULE, id);
    return row === undefined ? [] : [toSchedule(row)];
  });
}

export function listSchedules(on: Connection, query: ScheduleQuery): Page<StoredSchedule> {
  const after = decodeCursor(query.cursor, ["string"])?.[0] ?? "";
  const paused = query.paused === undefined ? null : Number(query.paused);
  const { group, job = null, source = null, limit } = query;
  const filters = [job, paused, source].flatMap((filter) => [filter, filter]);
  const rows = group
    ? on.all<ScheduleRow>(SQL.LIST_GROUP, group, after, ...filters, limit + 1)
    : on.all<ScheduleRow>(SQL.LIST_SCHEDULES, after, group ?? null, group ?? null, ...filters, limit + 1);
  return pageOf(rows.map(toSchedule), query, ({ id }) => [id]);
}

export function scheduleGroups(on: Connection): StoredGroup[] {
  const rows = on.all<StoredGroup>(SQL.SCHEDULE_GROUPS);
  return rows.map(({ group, schedules, paused }) => ({ group, schedules, paused }));
}

export function removeSchedules(
  tx: Transaction,
  ids: readonly string[],
  expected: readonly number[] | undefined,
): string[] {
  const removed = ids.filter((id, index) => {
    const revision = expected?.[index] ?? null;
    return tx.on.get(SQL.DELETE_SCHEDULE, id, revision, revision) !== undefined;
  });
  for (const id of removed) tx.on.run(SQL.DELETE_OCCURRENCES_OF, id);
  if (removed.length > 0) tx.wakes.schedules();
  return removed;
}

export function dueSchedules(on: Connection, limit: number, now: number) {
  const due = on.all<ScheduleRow>(SQL.DUE_SCHEDULES, now, limit).map(toSchedule);
  return { now, due, nextAt: on.get<{ next_at: number }>(SQL.NEXT_SCHEDULE, now)?.next_at ?? null };
}

export function fire(tx: Transaction, fires: readonly Fire[], by: string): Fired[] {
  return fires.map((move): Fired => {
    const row = tx.on.get<ScheduleRow>(SQL.GET_SCHEDULE, move.schedule);
    if (row === undefined || row.revision !== move.revision) return { schedule: move.schedule, stale: true };
    if (move.cancel !== undefined) cancel(tx, move.cancel.jobs, move.cancel.reason);
    let { last_at: lastAt, last_job: lastJob } = row;
    const jobs = move.occurrences.map((occurrence) => {
      const job = addOccurrence(tx, move.schedule, occurrence, by);
      if (job !== undefined && (lastAt === null || occurrence.at >= lastAt)) lastAt = occurrence.at;
      if (job) lastJob = Number(job);
      return job ?? null;
    });
    const { definition = row.definition, nextAt } = move;
    const { revision } = put(tx, { ...toSchedule(row), definition, nextAt }, row.created_at, lastAt, lastJob);
    return { schedule: move.schedule, stale: false, revision, jobs };
  });
}

/** The job made, null for none; undefined when this occurrence was dealt with before. */
function addOccurrence(tx: Transaction, schedule: string, occurrence: NewOccurrence, by: string) {
  const { at, what, reason = null, job } = occurrence;
  if (tx.on.get(SQL.OCCURRENCE_EXISTS, schedule, at) !== undefined) return undefined;
  const id = job === undefined ? null : (enqueue(tx, [job])[0] ?? null);
  tx.on.run(SQL.INSERT_OCCURRENCE, schedule, at, what, reason, id === null ? null : Number(id), tx.at.now, by);
  return id;
}

function put(
  tx: Transaction,
  { id, group, source, job, definition, nextAt, paused }: NewSchedule,
  createdAt: number,
  lastAt: number | null,
  lastJob: number | null,
): StoredSchedule {
  const revision = tx.on.get<{ value: number }>(SQL.NEXT_REVISION)?.value ?? 0;
  const row = tx.on.get<ScheduleRow>(
    SQL.PUT_SCHEDULE,
    ...[id, group, source, job, definition, nextAt, Number(paused), revision, createdAt, tx.at.now, lastAt, lastJob],
  );
  tx.wakes.schedules();
  return toSchedule(row as ScheduleRow);
}

function toSchedule(row: ScheduleRow): StoredSchedule {
  const { id, source, job, definition, revision } = row;
  return {
    ...{ id, source, job, definition, revision },
    group: row.group_name,
    nextAt: row.next_at,
    paused: row.paused === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastAt: row.last_at,
    lastJob: row.last_job === null ? null : String(row.last_job),
  };
}
