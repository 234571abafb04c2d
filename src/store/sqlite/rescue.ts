/** Taking jobs from processes that are gone: their time ran out, or the machine says that they died. */
import type { RescuedJob } from "../contract.ts";
import { endOfLostAttempt } from "../shared/outcomes.ts";
import { endAttempt } from "./history.ts";
import { type InstanceRow, type LeaseRow, leasesOf, markOf } from "./instances.ts";
import { decodeLeased, type LeasedJob } from "./lease.ts";
import type { BodyRow } from "./place.ts";
import { cancellationOf } from "./settle.ts";
import { CRASHES_OF, JOB_BODY } from "./sql/control.ts";
import { ALL_INSTANCES, DELETE_INSTANCE } from "./sql/instances.ts";
import { DELETE_LEASE } from "./sql/settle.ts";
import type { Transaction } from "./transaction.ts";

export function rescue(tx: Transaction, limit: number): RescuedJob[] {
  const rescued: RescuedJob[] = [];
  let left = limit;
  for (const instance of tx.on.all<InstanceRow>(ALL_INSTANCES)) {
    if (!tx.machine.isOver(instance, tx.at) && !tx.machine.isGone(markOf(instance))) continue;
    if (left <= 0 && instance.running > 0) continue;
    const leases = leasesOf(tx, instance.id, left + 1);
    for (const lease of leases.slice(0, left)) rescued.push(...rescueLease(tx, instance, lease));
    if (leases.length <= left) tx.on.run(DELETE_INSTANCE, instance.id);
    left -= Math.min(left, leases.length);
  }
  return rescued;
}

function rescueLease(tx: Transaction, instance: InstanceRow, lease: LeaseRow): RescuedJob[] {
  tx.on.run(DELETE_LEASE, lease.id);
  return [...decodeLeased(lease.jobs).values()].flatMap((job) => rescueJob(tx, instance, lease, job) ?? []);
}

function rescueJob(tx: Transaction, instance: InstanceRow, lease: LeaseRow, job: LeasedJob): RescuedJob | null {
  const body = tx.on.get<BodyRow>(JOB_BODY, job.id);
  if (body === undefined) return null;
  const crashes = 1 + (tx.on.get<{ crashes: number }>(CRASHES_OF, job.id)?.crashes ?? 0);
  const ending = endOfLostAttempt({
    attempt: job.attempt,
    maxAttempts: body.max_attempts,
    crashes,
    maxCrashes: body.max_crashes,
    cancelled: cancellationOf(tx, job.id),
    instance: instance.name,
  });
  const subject = { ...job, queueId: lease.queue_id, lease: lease.id, instance: instance.name_id };
  endAttempt(tx, subject, ending);
  return {
    job: String(job.id),
    name: tx.names.textOf(job.nameId),
    queue: tx.names.textOf(lease.queue_id),
    attempt: job.attempt,
    instance: instance.name,
    now: ending.now,
  };
}
