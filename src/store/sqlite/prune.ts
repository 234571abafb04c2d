/** Removing finished jobs that are older than the retention, a slice at a time. */
import { FINAL_STATES, type FinalState, type Retention } from "../contract.ts";
import type { Connection } from "./connection.ts";
import { letterOf } from "./history.ts";
import * as SQL from "./sql/prune.ts";
import type { Transaction } from "./transaction.ts";

/**
 * What slices before have found out: up to which line of the history no succeeded job is left to remove, so that the
 * lines kept for ever are not walked again each time. It holds as long as no line id was given out twice, which the
 * epoch tells.
 */
export interface Cleared {
  readonly to: number;
  readonly epoch: number;
}

export const NOTHING_CLEARED: Cleared = { to: 0, epoch: 0 };

/** What one slice did. */
export interface Pruned {
  readonly count: number;
  readonly cleared: Cleared;
}

export function prune(tx: Transaction, retention: Retention, limit: number, known: Cleared): Pruned {
  const epoch = tx.on.get<{ value: number }>(SQL.HISTORY_EPOCH)?.value ?? 0;
  const last = rangeOf(tx.on).last;
  let cleared = known.epoch === epoch ? known.to : 0;
  let count = 0;
  for (const state of FINAL_STATES) {
    const keep = retention[state];
    if (keep === undefined || count >= limit) continue;
    const left = limit - count;
    const before = tx.at.now - keep;
    const bound = lastUpTo(tx.on, before);
    const rows = oldOf(tx.on, state, cleared, bound, before, left);
    if (state === "succeeded") cleared = rows.length < left ? Math.max(cleared, bound) : (rows.at(-1)?.id ?? cleared);
    if (rows.length > 0) tx.on.run(SQL.RAISE_JOB_FLOOR, tx.lastJobId());
    for (const { job_id } of rows) {
      tx.on.run(SQL.DELETE_HISTORY, job_id);
      tx.on.run(SQL.DELETE_JOB, job_id);
    }
    count += rows.length;
  }
  if (rangeOf(tx.on).last === last) return { count, cleared: { to: cleared, epoch } };
  // The newest line went too: its id will be given out again, behind what anybody thinks is cleared.
  const next = tx.on.get<{ value: number }>(SQL.NEXT_HISTORY_EPOCH)?.value ?? 0;
  return { count, cleared: { to: 0, epoch: next } };
}

function oldOf(on: Connection, state: FinalState, after: number, bound: number, before: number, limit: number) {
  type Row = { readonly id: number; readonly job_id: number };
  if (state === "succeeded") return on.all<Row>(SQL.OLD_SUCCEEDED, after, bound, before, limit);
  return on.all<Row>(SQL.OLD_BAD, letterOf(state), bound, before, limit);
}

/** The last line of history that is at least this old, by bisection: some twenty look-ups in millions of lines. */
function lastUpTo(on: Connection, before: number): number {
  const range = rangeOf(on);
  let low = range.first - 1; // old enough, or nothing
  let high = range.last + 1; // too young, or behind the end
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const row = on.get<{ id: number; at: number }>(SQL.FINISHED_FROM, middle);
    if (row === undefined || row.at > before) high = middle;
    else low = Math.max(row.id, middle);
  }
  return low;
}

function rangeOf(on: Connection): { readonly first: number; readonly last: number } {
  return on.get<{ first: number; last: number }>(SQL.FINISHED_RANGE) ?? { first: 0, last: 0 };
}
