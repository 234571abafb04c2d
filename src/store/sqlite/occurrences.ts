/** The history of schedules, and calendars. */
import type { Page, PageRequest, StoredOccurrence } from "../contract.ts";
import { decodeCursor, pageOf } from "../shared/cursor.ts";
import type { Connection } from "./connection.ts";
import * as SQL from "./sql/schedules.ts";
import type { Transaction } from "./transaction.ts";

interface OccurrenceRow {
  readonly schedule: string;
  readonly at: number;
  readonly what: StoredOccurrence["what"];
  readonly reason: string | null;
  readonly job_id: number | null;
  readonly fired_at: number;
  readonly fired_by: string;
}

export function listOccurrences(on: Connection, schedule: string, page: PageRequest): Page<StoredOccurrence> {
  const before = decodeCursor(page.cursor, ["number"])?.[0] ?? Number.MAX_SAFE_INTEGER;
  const rows = on.all<OccurrenceRow>(SQL.LIST_OCCURRENCES, schedule, before, page.limit + 1);
  const items = rows.map((row) => ({
    schedule: row.schedule,
    at: row.at,
    what: row.what,
    reason: row.reason,
    job: row.job_id === null ? null : String(row.job_id),
    firedAt: row.fired_at,
    by: row.fired_by,
  }));
  return pageOf(items, page, ({ at }) => [at]);
}

export function pruneOccurrences(tx: Transaction, before: number, limit: number): number {
  return tx.on.all(SQL.PRUNE_OCCURRENCES, before, limit).length;
}

export function saveCalendar(tx: Transaction, name: string, definition: string): void {
  tx.on.run(SQL.PUT_CALENDAR, name, definition);
  tx.wakes.schedules();
}

export function removeCalendar(tx: Transaction, name: string): boolean {
  const removed = tx.on.get(SQL.DELETE_CALENDAR, name) !== undefined;
  if (removed) tx.wakes.schedules();
  return removed;
}

export function listCalendars(on: Connection) {
  const rows = on.all<{ name: string; definition: string }>(SQL.LIST_CALENDARS);
  return rows.map(({ name, definition }) => ({ name, definition }));
}
