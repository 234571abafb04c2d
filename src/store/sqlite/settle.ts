/** Recording outcomes under a lease. */
import type { InstanceId, LeaseId, Outcome, Settlement } from "../contract.ts";
import { endOfAttempt } from "../shared/outcomes.ts";
import { wasRecorded } from "../shared/settling.ts";
import { endAttempt } from "./history.ts";
import { parseId } from "./ids.ts";
import { type LeasedJob, LeasedJobs } from "./lease.ts";
import { CANCELLATION_OF } from "./sql/control.ts";
import { DELETE_LEASE, HELD_LEASE, RECORDED_UNDER, SHRINK_LEASE } from "./sql/settle.ts";
import type { Transaction } from "./transaction.ts";

interface HeldRow {
  readonly queue_id: number;
  readonly jobs: string;
  /** The instance's name. */
  readonly instance: number;
}

/** Returns the refused leases. */
export function settle(tx: Transaction, instance: InstanceId, settlements: readonly Settlement[]): LeaseId[] {
  return settlements.filter((settlement) => !settleOne(tx, instance, settlement)).map(({ lease }) => lease);
}

function settleOne(tx: Transaction, instance: InstanceId, { lease, outcomes }: Settlement): boolean {
  const leaseId = parseId(lease);
  const instanceId = parseId(instance);
  const held = leaseId && instanceId ? tx.on.get<HeldRow>(HELD_LEASE, leaseId, instanceId) : undefined;
  if (held === undefined || leaseId === null) return wasRecorded(outcomes, (job) => recordedUnder(tx, job, leaseId));
  const jobs = new LeasedJobs(held.jobs);
  const before = jobs.size;
  const under = { lease: leaseId, queueId: held.queue_id, instance: held.instance };
  for (const outcome of outcomes) {
    const id = parseId(outcome.job);
    const job = id === null ? undefined : jobs.take(id);
    if (job === undefined) continue; // settled before: the same outcome sent again
    endLeased(tx, job, outcome, under);
  }
  if (jobs.size === 0) tx.on.run(DELETE_LEASE, leaseId);
  else if (jobs.size < before) tx.on.run(SHRINK_LEASE, jobs.size, jobs.encode(), leaseId);
  return true;
}

/** Ends the attempt of a job that has just left its lease. */
export function endLeased(
  tx: Transaction,
  job: LeasedJob,
  outcome: Outcome,
  under: { readonly lease: number; readonly queueId: number; readonly instance: number },
): void {
  const { id, nameId, attempt } = job;
  const { lease, queueId, instance } = under;
  const ending = endOfAttempt(outcome, attempt, cancellationOf(tx, id), tx.at.now);
  endAttempt(tx, { id, nameId, queueId, lease, instance }, ending);
}

/** Why somebody wants this running job cancelled; null when nobody does. */
export function cancellationOf(tx: Transaction, job: number): string | null {
  return tx.cancellations ? (tx.on.get<{ reason: string }>(CANCELLATION_OF, job)?.reason ?? null) : null;
}

function recordedUnder(tx: Transaction, job: string, lease: number | null): boolean {
  const id = parseId(job);
  return id !== null && lease !== null && tx.on.get(RECORDED_UNDER, id, lease) !== undefined;
}
