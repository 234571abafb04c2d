/** Upkeep of the memory store, and control of queues and jobs. */
import type { CancelResult, JobId, Promoted, RescuedJob, Retention } from "../contract.ts";
import { endOfLostAttempt } from "../shared/outcomes.ts";
import type { MemoryJob, MemoryLease, MemoryState } from "./state.ts";
import type { Instant } from "./work.ts";

export function promote(state: MemoryState, names: ReadonlySet<string>, limit: number, at: Instant): Promoted {
  let moved = 0;
  for (
    let entry = state.peekScheduled();
    entry && moved < limit && entry.due <= at.wall;
    entry = state.peekScheduled()
  ) {
    state.makeReady(entry.job);
    moved++;
  }
  for (const job of [...state.parked].sort((a, b) => a.seq - b.seq)) {
    if (moved >= limit) break;
    if (!names.has(job.body.name)) continue;
    state.makeReady(job);
    moved++;
  }
  return { moved, nextAt: state.peekScheduled()?.due ?? null };
}

export function rescue(state: MemoryState, limit: number, at: Instant): RescuedJob[] {
  const rescued: RescuedJob[] = [];
  let leases = 0;
  for (const instance of [...state.instances.values()].filter(({ expires }) => expires <= at.monotonic)) {
    for (const lease of [...instance.leases]) {
      if (leases++ >= limit) return rescued;
      for (const job of [...lease.jobs]) rescued.push(rescueJob(state, lease, job, at));
    }
    state.instances.delete(instance.id);
  }
  return rescued;
}

function rescueJob(state: MemoryState, lease: MemoryLease, job: MemoryJob, at: Instant): RescuedJob {
  const { name, queue, maxAttempts, maxCrashes } = job.body;
  const attempt = job.attempt;
  const instance = lease.instance.body.name;
  const crashes = 1 + job.history.filter(({ what }) => what === "lost").length;
  const loss = { attempt, maxAttempts, crashes, maxCrashes, cancelled: job.cancelRequested, instance };
  const ending = endOfLostAttempt(loss);
  state.leave(lease, job);
  state.end(job, ending, lease, at.wall);
  return { job: job.id, name, queue, attempt, instance, now: ending.now };
}

export function prune(state: MemoryState, retention: Retention, limit: number, at: Instant): number {
  let pruned = 0;
  for (const job of state.jobs.values()) {
    if (pruned >= limit) break;
    if (job.place.at !== "final") continue;
    const keep = retention[job.place.state];
    if (keep === undefined || job.place.ended > at.wall - keep) continue;
    state.jobs.delete(job.id);
    pruned++;
  }
  return pruned;
}

export function cancel(state: MemoryState, ids: readonly JobId[], reason: string, at: Instant): CancelResult[] {
  return ids.map((id): CancelResult => {
    const job = state.jobs.get(id);
    if (job === undefined) return "missing";
    switch (job.place.at) {
      case "final":
        return "final";
      case "running":
        job.cancelRequested = reason;
        state.wakes.cancellation();
        return "requested";
      default:
        state.cancelWaiting(job, reason, at.wall);
        return "cancelled";
    }
  });
}

export function retry(state: MemoryState, ids: readonly JobId[], at: Instant): JobId[] {
  return ids.filter((id) => {
    const job = state.jobs.get(id);
    if (job?.place.at !== "final") return false;
    state.write(job, { what: "requeued", attempt: job.attempt, ms: null, error: null, result: null }, at.wall, null);
    state.makeReady(job);
    return true;
  });
}

export function runNow(state: MemoryState, ids: readonly JobId[]): JobId[] {
  return ids.filter((id) => {
    const job = state.jobs.get(id);
    if (job?.place.at !== "scheduled") return false;
    state.makeReady(job);
    return true;
  });
}
