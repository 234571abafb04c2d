/** What people and dashboards ask of the memory store. */
import type {
  CountQuery,
  Counts,
  JobCount,
  JobDetail,
  JobFilter,
  JobId,
  JobQuery,
  JobState,
  JobSummary,
  Page,
  QueueCounts,
  RunningOn,
  StoredInstance,
  ThroughputPoint,
} from "../contract.ts";
import { countedUpTo } from "../shared/counting.ts";
import { decodeCursor, pageOf } from "../shared/cursor.ts";
import { allowedAttempts } from "../shared/outcomes.ts";
import { checkThroughput, throughputPoints } from "../shared/rollup.ts";
import type { MemoryInstance, MemoryJob, MemoryState } from "./state.ts";
import type { Instant } from "./work.ts";

export function counts(state: MemoryState): Counts {
  const queues = new Map<string, { -readonly [K in keyof QueueCounts]: QueueCounts[K] }>();
  const of = (queue: string) => {
    const fresh = { queue, paused: null, ready: 0, parked: 0, scheduled: 0, running: 0, oldestReadyAt: null };
    const found = queues.get(queue) ?? { ...fresh, paused: state.paused.get(queue) ?? null };
    queues.set(queue, found);
    return found;
  };
  for (const queue of state.paused.keys()) of(queue);
  for (const { place, body, createdAt } of state.jobs.values()) {
    if (place.at === "final") continue;
    const count = of(body.queue);
    count[place.at]++;
    if (place.at !== "ready") continue;
    if (place.parked) count.parked++;
    if (count.oldestReadyAt === null || createdAt < count.oldestReadyAt) count.oldestReadyAt = createdAt;
  }
  const finished = {
    succeeded: total(state, "succeeded"),
    dead: total(state, "dead"),
    cancelled: total(state, "cancelled"),
  };
  const sorted = [...queues.values()].sort((a, b) => (a.queue < b.queue ? -1 : 1));
  return { queues: sorted, finished, retried: total(state, "retried") };
}

function total(state: MemoryState, what: "succeeded" | "retried" | "dead" | "cancelled"): number {
  return state.totals.get(what) ?? 0;
}

export function throughput(state: MemoryState, from: number, to: number, step: number): readonly ThroughputPoint[] {
  checkThroughput(from, to, step);
  const rows = [...state.rollup].flatMap(([minute, row]) => [...row].map(([what, count]) => ({ minute, what, count })));
  return throughputPoints(rows, from, to, step);
}

export function getJob(state: MemoryState, id: JobId, at: Instant): JobDetail | null {
  const job = state.jobs.get(id);
  if (job === undefined) return null;
  const last = job.history.at(-1);
  return {
    ...summary(job, at),
    input: job.body.input,
    meta: job.body.meta ?? null,
    maxCrashes: job.body.maxCrashes,
    result: last?.what === "succeeded" ? last.result : null,
    cancelRequested: job.cancelRequested,
    history: job.history.map(({ at, attempt, what, ms, error, instance }) => ({
      at,
      attempt,
      what,
      ms,
      error,
      instance,
    })),
  };
}

export function statesOf(state: MemoryState, ids: readonly JobId[]): ReadonlyMap<JobId, JobState> {
  const states = new Map<JobId, JobState>();
  for (const id of ids) {
    const job = state.jobs.get(id);
    if (job !== undefined) states.set(id, stateOf(job));
  }
  return states;
}

export function listJobs(state: MemoryState, query: JobQuery, at: Instant): Page<JobSummary> {
  const before = decodeCursor(query.cursor, ["number"])?.[0] ?? Number.POSITIVE_INFINITY;
  const jobs = matching(state, query)
    .filter((job) => orderOf(job) < before)
    .sort((a, b) => orderOf(b) - orderOf(a));
  const page = pageOf(jobs, query, (job) => [orderOf(job)]);
  return { ...page, items: page.items.map((job) => summary(job, at)) };
}

export function countJobs(state: MemoryState, query: CountQuery): JobCount {
  return countedUpTo(query.upTo, matching(state, query).length, true);
}

function matching({ jobs }: MemoryState, { state, queue, name }: JobFilter): MemoryJob[] {
  return [...jobs.values()]
    .filter((job) => stateOf(job) === state)
    .filter(({ body }) => queue === undefined || body.queue === queue)
    .filter(({ body }) => name === undefined || body.name === name);
}

export function listInstances(state: MemoryState, at: Instant): readonly StoredInstance[] {
  return [...state.instances.values()].map((instance) => {
    const { id, body, startedAt, leases } = instance;
    const { version, queues, names, concurrency } = body;
    const running = [...leases].reduce((sum, lease) => sum + lease.jobs.size, 0);
    return { ...runningOn(instance, at), id, version, queues, names, concurrency, startedAt, running };
  });
}

function stateOf({ place }: MemoryJob): JobState {
  return place.at === "final" ? place.state : place.at;
}

/** Newest first: final jobs by when they ended, others by when they were enqueued. */
function orderOf(job: MemoryJob): number {
  return job.place.at === "final" ? job.place.order : job.seq;
}

function summary(job: MemoryJob, at: Instant): JobSummary {
  const { id, body, attempt, place, createdAt, history } = job;
  const waiting = place.at === "ready" || place.at === "scheduled";
  return {
    id,
    name: body.name,
    queue: body.queue,
    priority: body.priority,
    state: stateOf(job),
    parked: place.at === "ready" && place.parked,
    attempt,
    maxAttempts: allowedAttempts(body.maxAttempts, waiting ? attempt + 1 : attempt),
    createdAt,
    at: whenOf(job),
    instance: place.at === "running" ? runningOn(place.lease.instance, at) : null,
    error: history.findLast(({ error, what }) => error !== null && what !== "cancelled")?.error ?? null,
  };
}

function runningOn({ body: { name, host, pid }, expires }: MemoryInstance, at: Instant): RunningOn {
  return { name, host, pid, expiresAt: Math.round(at.wall + expires - at.monotonic) };
}

function whenOf({ place }: MemoryJob): number | null {
  switch (place.at) {
    case "scheduled":
      return place.due;
    case "running":
      return place.lease.claimedAt;
    case "final":
      return place.ended;
    case "ready":
      return null;
  }
}
