/** Removing finished jobs that are older than the retention, a slice at a time. */
import type { FinalState, Retention } from "../contract.ts";
import { type Rule, rulesOf } from "../shared/retention.ts";
import type { Connection } from "./connection.ts";
import { letterOf } from "./history.ts";
import * as SQL from "./sql/prune.ts";
import { goneName, type Transaction } from "./transaction.ts";

/**
 * What slices before have found out: up to which line of the history no succeeded job is left to remove, so that the
 * lines kept for ever are not walked again each time. It holds as long as no line id was given out twice, which the
 * epoch tells.
 */
export interface Cleared {
  readonly to: number;
  readonly epoch: number;
}

/** Behind every line, and later than every time. */
const END = Number.MAX_SAFE_INTEGER;

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
  for (const rule of rulesOf(retention)) {
    if (count >= limit) break;
    const slice = sliceOf(tx, rule, cleared, limit - count);
    if (rule.state === "succeeded") cleared = slice.cleared;
    if (slice.jobs.length > 0) tx.on.run(SQL.RAISE_JOB_FLOOR, tx.lastJobId());
    for (const job of slice.jobs) {
      tx.on.run(SQL.DELETE_HISTORY, job);
      tx.on.run(SQL.DELETE_JOB, job);
    }
    tx.gone(rule.state, slice.jobs.length);
    count += slice.jobs.length;
  }
  if (rangeOf(tx.on).last === last) return { count, cleared: { to: cleared, epoch } };
  // The newest line went too: its id will be given out again, behind what anybody thinks is cleared.
  const next = tx.on.get<{ value: number }>(SQL.NEXT_HISTORY_EPOCH)?.value ?? 0;
  return { count, cleared: { to: 0, epoch: next } };
}

/** The oldest jobs of a state that are to go, and up to where nothing succeeded is left then. */
function sliceOf({ on, at }: Transaction, { state, age, count }: Rule, cleared: number, limit: number) {
  const from = state === "succeeded" ? cleared : 0;
  const jobs = new Set<number>();
  const take = (rows: readonly OldRow[]) => {
    for (const { job_id } of rows) if (jobs.size < limit) jobs.add(job_id);
    return rows;
  };
  let to = from;
  if (age !== null) {
    const before = at.now - age;
    // Imported lines stand anywhere, whatever their times: they have an index of their own.
    take(on.all<OldRow>(SQL.OLD_IMPORTED, letterOf(state), before, limit));
    const bound = lastUpTo(on, before);
    const rows = take(oldOf(on, state, from, bound, before, limit));
    const whole = rows.every(({ job_id }) => jobs.has(job_id));
    if (whole) to = rows.length < limit ? Math.max(from, bound) : (rows.at(-1)?.id ?? from);
  }
  const excess = count === null ? 0 : Math.min(keptOf(on, state) - jobs.size - count, limit - jobs.size);
  if (excess > 0) {
    const imported = take(on.all<OldRow>(SQL.OLD_IMPORTED, letterOf(state), END, excess)).length;
    if (imported < excess) to = take(oldOf(on, state, to, END, END, excess - imported)).at(-1)?.id ?? to;
  }
  return { jobs: [...jobs], cleared: to };
}

/** How many jobs ended in this state and are still there: all that ever ended so, less those that went. */
function keptOf(on: Connection, state: FinalState): number {
  return on.get<{ kept: number }>(SQL.KEPT, state, goneName(state))?.kept ?? 0;
}

interface OldRow {
  readonly id: number;
  readonly job_id: number;
}

function oldOf(on: Connection, state: FinalState, after: number, bound: number, before: number, limit: number) {
  if (state === "succeeded") return on.all<OldRow>(SQL.OLD_SUCCEEDED, after, bound, before, limit);
  return on.all<OldRow>(SQL.OLD_BAD, letterOf(state), after, bound, before, limit);
}

/** The last line of history that is at least this old, by bisection: some twenty look-ups in millions of lines. */
function lastUpTo(on: Connection, before: number): number {
  const range = rangeOf(on);
  let low = range.first - 1; // old enough, or nothing
  let high = range.last + 1; // too young, or behind the end
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const row = on.get<{ id: number; at: number }>(SQL.FINISHED_FROM, middle, middle);
    if (row === undefined || row.at > before) high = middle;
    else low = Math.max(row.id, middle);
  }
  return low;
}

function rangeOf(on: Connection): { readonly first: number; readonly last: number } {
  return on.get<{ first: number; last: number }>(SQL.FINISHED_RANGE) ?? { first: 0, last: 0 };
}
