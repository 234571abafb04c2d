/** Processes that work: registering, staying alive, leaving. */
import type { Heartbeat, InstanceId, LeaseId, NewInstance } from "../contract.ts";
import { parseId } from "./ids.ts";
import { decodeLeased } from "./lease.ts";
import type { Expiry, ProcessMark } from "./machine.ts";
import { cancellationOf, endLeased } from "./settle.ts";
import {
  DELETE_INSTANCE,
  EXTEND_INSTANCE,
  INSERT_INSTANCE,
  LEASES_OF_INSTANCE,
  LIFE_OF_INSTANCE,
  NAME_OF_INSTANCE,
} from "./sql/instances.ts";
import { DELETE_LEASE } from "./sql/settle.ts";
import type { Transaction } from "./transaction.ts";

/** No limit, where a statement wants one. */
export const ALL = -1;

/** A registered process as it is kept. */
export interface InstanceRow extends Expiry {
  readonly id: number;
  readonly name: string;
  readonly name_id: number;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly queues: string;
  readonly names: string;
  readonly concurrency: number;
  readonly started_at: number;
  readonly namespace: string;
  readonly os_pid: number;
  readonly os_started: string;
  readonly running: number;
}

export interface LeaseRow {
  readonly id: number;
  readonly queue_id: number;
  readonly claimed_at: number;
  readonly jobs: string;
}

export function register(tx: Transaction, instance: NewInstance, ttl: number): InstanceId {
  const { host, pid, version, queues, names, concurrency } = instance;
  const { now, tick } = tx.at;
  const mark = tx.machine.mark;
  const row = tx.on.get<{ id: number }>(
    INSERT_INSTANCE,
    ...[tx.names.idOf(instance.name), host, pid, version, JSON.stringify(queues), JSON.stringify(names), concurrency],
    ...[now, Math.round(now + ttl), Math.round(tick + ttl), mark.boot, mark.namespace, mark.pid, mark.started],
  );
  return String(row?.id);
}

export function heartbeat(tx: Transaction, instance: InstanceId, ttl: number): Heartbeat {
  const id = parseId(instance);
  if (id === null || !isAlive(tx, id)) return { alive: false };
  const { now, tick } = tx.at;
  tx.on.run(EXTEND_INSTANCE, Math.round(now + ttl), Math.round(tick + ttl), tx.machine.mark.boot, id);
  if (!tx.cancellations) return { alive: true, cancelled: [] };
  const running = leasesOf(tx, id, ALL).flatMap(({ jobs }) => [...decodeLeased(jobs).values()]);
  const cancelled = running.flatMap((job) => {
    const reason = cancellationOf(tx, job.id);
    return reason === null ? [] : [{ job: String(job.id), reason }];
  });
  return { alive: true, cancelled };
}

/** Hands back what the instance holds under other leases than these. */
export function reconcile(tx: Transaction, instance: InstanceId, held: readonly LeaseId[]): void {
  const id = parseId(instance);
  if (id === null) return;
  const nameId = tx.on.get<{ name_id: number }>(NAME_OF_INSTANCE, id)?.name_id;
  for (const lease of leasesOf(tx, id, ALL)) {
    if (held.includes(String(lease.id))) continue;
    tx.on.run(DELETE_LEASE, lease.id);
    const under = { lease: lease.id, queueId: lease.queue_id, instance: nameId ?? 0 };
    for (const [job, leased] of decodeLeased(lease.jobs)) endLeased(tx, leased, { job, type: "released" }, under);
  }
}

export function deregister(tx: Transaction, instance: InstanceId): void {
  reconcile(tx, instance, []);
  const id = parseId(instance);
  if (id !== null) tx.on.run(DELETE_INSTANCE, id);
}

export function isAlive(tx: Transaction, id: number): boolean {
  const life = tx.on.get<Expiry>(LIFE_OF_INSTANCE, id);
  return life !== undefined && !tx.machine.isOver(life, tx.at);
}

export function leasesOf(tx: Transaction, instance: number, limit: number): LeaseRow[] {
  return tx.on.all<LeaseRow>(LEASES_OF_INSTANCE, instance, limit);
}

/** The process that registered an instance. */
export function markOf({ boot, namespace, os_pid, os_started }: InstanceRow): ProcessMark {
  return { boot, namespace, pid: os_pid, started: os_started };
}
