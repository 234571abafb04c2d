/** Storing jobs and claiming in one transaction. */
import type { ClaimRequest, EnqueuedAndClaimed, InstanceId, NewJob } from "../contract.ts";
import { areAlike, notClaimed } from "../shared/direct.ts";
import { allowedAttempts } from "../shared/outcomes.ts";
import { claim } from "./claim.ts";
import { insertBody, insertJobs } from "./enqueue.ts";
import { idText, parseId } from "./ids.ts";
import { isAlive } from "./instances.ts";
import { encodeLeased } from "./lease.ts";
import { ANY_READY, INSERT_LEASE, PAUSE_OF } from "./sql/claim.ts";
import type { Transaction } from "./transaction.ts";

export function enqueueAndClaim(
  tx: Transaction,
  jobs: readonly NewJob[],
  instance: InstanceId,
  request: ClaimRequest,
): EnqueuedAndClaimed {
  const straight = areAlike(jobs, request) ? straightIntoLease(tx, jobs, instance) : null;
  if (straight !== null) return straight;
  const ids = insertJobs(tx, jobs);
  const leases = claim(tx, instance, request);
  for (const { queue } of notClaimed(jobs, ids, leases)) tx.wakes.work(queue);
  return { ids, leases };
}

/**
 * Where nothing stands before them, without a row of `ready` that the same commit would delete again, and without
 * reading back what has just been written; null where something does, or nothing may be claimed.
 */
function straightIntoLease(tx: Transaction, jobs: readonly NewJob[], instance: InstanceId): EnqueuedAndClaimed | null {
  const { on, at, names } = tx;
  const instanceId = parseId(instance);
  const [{ queue, name }] = jobs as readonly [NewJob];
  const queueId = names.idOf(queue);
  if (instanceId === null || !isAlive(tx, instanceId) || on.get(PAUSE_OF, queueId) || on.get(ANY_READY, queueId)) {
    return null;
  }
  const nameId = names.idOf(name);
  const stored = jobs.map((job) => ({ job, id: insertBody(tx, job) }));
  const leased = encodeLeased(stored.map(({ id }) => ({ id, attempt: 1, nameId })));
  const lease = on.get<{ id: number }>(INSERT_LEASE, instanceId, queueId, at.now, jobs.length, leased);
  const claimed = stored.map(({ job: { priority, input, meta, maxAttempts }, id }) => ({
    ...{ id: idText(id), name, priority, input, attempt: 1 },
    ...(meta === undefined ? {} : { meta }),
    maxAttempts: allowedAttempts(maxAttempts, 1),
    createdAt: at.now,
  }));
  return {
    ids: claimed.map(({ id }) => id),
    leases: [{ id: String(lease?.id), queue, claimedAt: at.now, jobs: claimed }],
  };
}
