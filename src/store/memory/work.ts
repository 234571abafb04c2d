/** The worker's side of the memory store: register, heartbeat, claim, settle. */
import type {
  ClaimedJob,
  ClaimRequest,
  Heartbeat,
  InstanceId,
  Lease,
  LeaseId,
  NewInstance,
  Settlement,
} from "../contract.ts";
import { allowedAttempts, endOfAttempt } from "../shared/outcomes.ts";
import { mergeWants, wasRecorded } from "../shared/settling.ts";
import type { MemoryInstance, MemoryJob, MemoryLease, MemoryState } from "./state.ts";

/** The two clocks at the moment of an operation. */
export interface Instant {
  readonly wall: number;
  readonly monotonic: number;
}

export function register(state: MemoryState, body: NewInstance, ttl: number, at: Instant): InstanceId {
  const id = String(state.next());
  const expires = at.monotonic + ttl;
  state.instances.set(id, { id, body, startedAt: at.wall, expires, leases: new Set() });
  return id;
}

export function heartbeat(state: MemoryState, id: InstanceId, ttl: number, at: Instant): Heartbeat {
  const instance = living(state, id, at);
  if (instance === undefined) return { alive: false };
  instance.expires = at.monotonic + ttl;
  const jobs = [...instance.leases].flatMap((lease) => [...lease.jobs]);
  const cancelled = jobs.flatMap(({ id: job, cancelRequested: reason }) => (reason === null ? [] : [{ job, reason }]));
  return { alive: true, cancelled };
}

export function deregister(state: MemoryState, id: InstanceId, at: Instant): void {
  reconcile(state, id, [], at);
  state.instances.delete(id);
}

export function reconcile(state: MemoryState, id: InstanceId, held: readonly LeaseId[], at: Instant): void {
  const leases = state.instances.get(id)?.leases ?? [];
  for (const lease of [...leases].filter((lease) => !held.includes(lease.id))) {
    for (const job of [...lease.jobs]) finish(state, lease, job, { job: job.id, type: "released" }, at);
  }
}

export function claim(state: MemoryState, id: InstanceId, request: ClaimRequest, at: Instant): Lease[] {
  const instance = living(state, id, at);
  if (instance === undefined) return [];
  const leases: Lease[] = [];
  for (const [queue, limit] of mergeWants(request.wants)) {
    if (state.paused.has(queue)) continue;
    const jobs = takeKnown(state, queue, limit, request.names);
    if (jobs.length === 0) continue;
    const lease: MemoryLease = { id: String(state.next()), queue, instance, claimedAt: at.wall, jobs: new Set(jobs) };
    state.leases.set(lease.id, lease);
    instance.leases.add(lease);
    for (const job of jobs) {
      job.attempt++;
      job.place = { at: "running", lease };
    }
    leases.push({ id: lease.id, queue, claimedAt: at.wall, jobs: jobs.map(claimed) });
  }
  return leases;
}

/** Returns the refused leases. */
export function settle(state: MemoryState, id: InstanceId, settlements: readonly Settlement[], at: Instant): string[] {
  return settlements.filter((settlement) => !settleOne(state, id, settlement, at)).map(({ lease }) => lease);
}

function settleOne(state: MemoryState, id: InstanceId, { lease: leaseId, outcomes }: Settlement, at: Instant): boolean {
  const lease = state.leases.get(leaseId);
  if (lease === undefined || lease.instance.id !== id) {
    return wasRecorded(outcomes, (job) => recordedUnder(state, job, leaseId));
  }
  for (const outcome of outcomes) {
    const job = state.jobs.get(outcome.job);
    // A job that the lease no longer holds was settled before: the same outcome sent again.
    if (job !== undefined && lease.jobs.has(job)) finish(state, lease, job, outcome, at);
  }
  return true;
}

function finish(
  state: MemoryState,
  lease: MemoryLease,
  job: MemoryJob,
  outcome: Settlement["outcomes"][number],
  at: Instant,
): void {
  state.leave(lease, job);
  state.end(job, endOfAttempt(outcome, job.attempt, job.cancelRequested, at.wall), lease, at.wall);
}

function recordedUnder(state: MemoryState, job: string, lease: string): boolean {
  return state.jobs.get(job)?.history.some((line) => line.lease === lease && line.what !== "lost") ?? false;
}

function takeKnown(state: MemoryState, queue: string, limit: number, names: ReadonlySet<string>): MemoryJob[] {
  const jobs: MemoryJob[] = [];
  while (jobs.length < limit) {
    const job = state.takeReady(queue);
    if (job === undefined) break;
    if (names.has(job.body.name)) jobs.push(job);
    else state.makeParked(job);
  }
  return jobs;
}

function claimed(job: MemoryJob): ClaimedJob {
  const { name, priority, input, meta, maxAttempts } = job.body;
  return {
    id: job.id,
    name,
    priority,
    input,
    ...(meta === undefined ? {} : { meta }),
    attempt: job.attempt,
    maxAttempts: allowedAttempts(maxAttempts, job.attempt),
    createdAt: job.createdAt,
  };
}

function living(state: MemoryState, id: InstanceId, at: Instant): MemoryInstance | undefined {
  const instance = state.instances.get(id);
  return instance !== undefined && instance.expires > at.monotonic ? instance : undefined;
}
