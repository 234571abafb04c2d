/** Upkeep of the memory store, and control of queues and jobs. */
import type { CancelResult, JobId, Promoted, RescuedJob, Retention, Serving } from "../contract.ts";
import { endOfLostAttempt } from "../shared/outcomes.ts";
import { rulesOf } from "../shared/retention.ts";
import type { MemoryJob, MemoryLease, MemoryState } from "./state.ts";
import type { Instant } from "./work.ts";

export function promote(state: MemoryState, serving: Serving, limit: number, at: Instant): Promoted {
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
    if (!serving.names.has(job.body.name) || !serving.queues.has(job.body.queue)) continue;
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
  for (const rule of rulesOf(retention)) {
    const { age, count } = rule;
    const ended = [...state.jobs.values()].flatMap(({ id, place }) =>
      place.at === "final" && place.state === rule.state ? [{ id, ended: place.ended, order: place.order }] : [],
    );
    ended.sort((a, b) => a.order - b.order);
    const excess = count === null ? 0 : ended.length - count;
    const over = ended.filter((job, index) => index < excess || (age !== null && job.ended <= at.wall - age));
    for (const { id } of over.slice(0, limit - pruned)) {
      state.jobs.delete(id);
      pruned++;
    }
  }
  return pruned;
}

export function sweep(state: MemoryState, age: number, limit: number, at: Instant): number {
  const old = [...state.rollup.keys()].filter((minute) => minute < at.wall - age).slice(0, limit);
  for (const minute of old) state.rollup.delete(minute);
  const over = [...state.terms].filter(([, term]) => term.expires < at.monotonic - age).slice(0, limit);
  for (const [role] of over) state.terms.delete(role);
  const marks = [...state.imported].filter(([, { at: made }]) => made < at.wall - age).slice(0, limit);
  for (const [key] of marks) state.imported.delete(key);
  return old.length + over.length + marks.length;
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
