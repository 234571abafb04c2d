/** What people do to queues and jobs. */
import type { CancelResult, JobId } from "../contract.ts";
import { type Subject, writeHistory } from "./history.ts";
import { parseId } from "./ids.ts";
import { type BodyRow, type Place, Places } from "./place.ts";
import { DELETE_READY, PAUSE, REQUEST_CANCELLATION, RESUME } from "./sql/control.ts";
import { INSERT_READY } from "./sql/enqueue.ts";
import { DELETE_PARKED, DELETE_SCHEDULED } from "./sql/promote.ts";
import type { Transaction } from "./transaction.ts";

export function pauseQueue(tx: Transaction, queue: string, reason: string | undefined): void {
  tx.on.run(PAUSE, tx.names.idOf(queue), reason ?? null, tx.at.now);
}

export function resumeQueue(tx: Transaction, queue: string): void {
  const id = tx.names.find(queue);
  if (id !== undefined && tx.on.get(RESUME, id) !== undefined) tx.wakes.work(queue);
}

export function cancel(tx: Transaction, ids: readonly JobId[], reason: string): CancelResult[] {
  const places = new Places(tx.on);
  return ids.map((id): CancelResult => {
    const found = find(places, id);
    if (found === null) return "missing";
    const { body, place } = found;
    if (place.at === "final") return "final";
    if (place.at === "running") {
      tx.on.run(REQUEST_CANCELLATION, body.id, reason);
      tx.cancellationsChanged();
      tx.wakes.cancellation();
      return "requested";
    }
    leavePlace(tx, body, place);
    writeHistory(tx, subject(body), {
      what: "cancelled",
      attempt: place.attempt,
      ms: null,
      error: reason,
      result: null,
    });
    tx.wakes.finished(id);
    return "cancelled";
  });
}

export function retry(tx: Transaction, ids: readonly JobId[]): JobId[] {
  const places = new Places(tx.on);
  return ids.filter((id) => {
    const found = find(places, id);
    if (found?.place.at !== "final") return false;
    const { attempt, state } = found.place;
    tx.gone(state);
    writeHistory(tx, subject(found.body), { what: "requeued", attempt, ms: null, error: null, result: null });
    makeReady(tx, found.body, attempt);
    return true;
  });
}

export function runNow(tx: Transaction, ids: readonly JobId[]): JobId[] {
  const places = new Places(tx.on);
  return ids.filter((id) => {
    const found = find(places, id);
    if (found?.place.at !== "scheduled") return false;
    leavePlace(tx, found.body, found.place);
    makeReady(tx, found.body, found.place.attempt);
    return true;
  });
}

function find(places: Places, id: JobId): { readonly body: BodyRow; readonly place: Place } | null {
  const number = parseId(id);
  const body = number === null ? undefined : places.body(number);
  const place = body === undefined ? null : places.of(body);
  return body === undefined || place === null ? null : { body, place };
}

function leavePlace(tx: Transaction, body: BodyRow, place: Place): void {
  if (place.at === "scheduled") tx.on.run(DELETE_SCHEDULED, place.runAt, body.id);
  else if (place.at === "parked") tx.on.run(DELETE_PARKED, body.name_id, body.id);
  else if (place.at === "ready") tx.on.run(DELETE_READY, body.queue_id, -body.priority, body.id);
}

function makeReady(tx: Transaction, body: BodyRow, attempt: number): void {
  tx.on.run(INSERT_READY, body.queue_id, -body.priority, body.id, attempt);
  tx.wakes.work(tx.names.textOf(body.queue_id));
}

function subject(body: BodyRow): Subject {
  return { id: body.id, nameId: body.name_id, queueId: body.queue_id, lease: null, instance: null };
}
