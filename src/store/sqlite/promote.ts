/** Making due and parked jobs claimable. */
import type { Promoted, Serving } from "../contract.ts";
import type { Reading } from "./inspection.ts";
import { INSERT_READY } from "./sql/enqueue.ts";
import { DELETE_PARKED, DELETE_SCHEDULED, DUE_JOBS, NEXT_DUE, PARKED_NAMES, PARKED_OF_NAME } from "./sql/promote.ts";
import type { Transaction } from "./transaction.ts";

interface WaitingRow {
  readonly job_id: number;
  readonly queue_id: number;
  readonly rank: number;
  readonly attempt: number;
}

export function promote(tx: Transaction, serving: Serving, limit: number): Promoted {
  const due = tx.on.all<WaitingRow & { readonly run_at: number }>(DUE_JOBS, tx.at.now, limit);
  for (const row of due) {
    tx.on.run(DELETE_SCHEDULED, row.run_at, row.job_id);
    makeReady(tx, row);
  }
  const moved = due.length + unpark(tx, serving, limit - due.length);
  return { moved, nextAt: tx.on.get<{ run_at: number }>(NEXT_DUE)?.run_at ?? null };
}

/** What {@link promote} would answer, if it would move nothing: asked without the write lock. Undefined when it may move something. */
export function nothingToPromote({ on, nameOf }: Reading, { names }: Serving, now: number): Promoted | undefined {
  const nextAt = on.get<{ run_at: number }>(NEXT_DUE)?.run_at ?? null;
  if (nextAt !== null && nextAt <= now) return undefined;
  const waiting = on.all<{ id: number }>(PARKED_NAMES).some(({ id }) => names.has(nameOf(id)));
  return waiting ? undefined : { moved: 0, nextAt };
}

function unpark(tx: Transaction, { names, queues }: Serving, limit: number): number {
  let moved = 0;
  for (const { id } of tx.on.all<{ id: number }>(PARKED_NAMES)) {
    if (!names.has(tx.names.textOf(id))) continue;
    for (const queue of queues) {
      for (const row of tx.on.all<WaitingRow>(PARKED_OF_NAME, id, tx.names.find(queue) ?? null, limit - moved)) {
        tx.on.run(DELETE_PARKED, id, row.job_id);
        makeReady(tx, row);
        moved++;
      }
    }
  }
  return moved;
}

function makeReady(tx: Transaction, { queue_id, rank, job_id, attempt }: WaitingRow): void {
  tx.on.run(INSERT_READY, queue_id, rank, job_id, attempt);
  tx.wakes.work(tx.names.textOf(queue_id));
}
