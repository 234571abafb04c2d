/** Counts, graphs and single jobs, as the reading connection sees them. */
import type {
  Counts,
  HistoryEntry,
  JobDetail,
  JobId,
  JobState,
  JobSummary,
  QueueCounts,
  StoredInstance,
  ThroughputPoint,
} from "../contract.ts";
import { allowedAttempts } from "../shared/outcomes.ts";
import { type Counted, checkThroughput, minuteOf, type RollupRow, throughputPoints } from "../shared/rollup.ts";
import type { Connection } from "./connection.ts";
import { type Letter, wordOf } from "./history.ts";
import { parseId } from "./ids.ts";
import type { InstanceRow } from "./instances.ts";
import { type BodyRow, type Place, Places } from "./place.ts";
import { CANCELLATION_OF, JOB_INPUT } from "./sql/control.ts";
import * as SQL from "./sql/inspection.ts";
import { ALL_INSTANCES } from "./sql/instances.ts";
import { ROLLUP_BETWEEN, TOTALS } from "./sql/rollup.ts";

/** A read of one moment: a connection inside a read transaction, and the names it knows. */
export interface Reading {
  readonly on: Connection;
  nameOf(id: number): string;
}

type QueueRow = { readonly queue_id: number; readonly count: number };

export function counts({ on, nameOf }: Reading): Counts {
  const queues = new Map<number, { -readonly [K in keyof QueueCounts]: QueueCounts[K] }>();
  const of = (id: number) => {
    let found = queues.get(id);
    if (found === undefined) {
      const empty = { paused: null, ready: 0, parked: 0, scheduled: 0, running: 0, oldestReadyAt: null };
      queues.set(id, (found = { queue: nameOf(id), ...empty }));
    }
    return found;
  };
  for (const { queue_id, reason, since } of on.all<{ queue_id: number; reason: string | null; since: number }>(
    SQL.PAUSES,
  )) {
    of(queue_id).paused = { reason, since };
  }
  const oldest = new Map<number, number>();
  for (const { queue_id, count } of on.all<QueueRow>(SQL.READY_BY_QUEUE)) {
    of(queue_id).ready = count;
    const lanes = on.all<{ rank: number; first: number }>(SQL.LANES, queue_id, queue_id, queue_id);
    oldest.set(queue_id, Math.min(...lanes.map(({ first }) => first)));
  }
  for (const { queue_id, count, first } of on.all<QueueRow & { readonly first: number }>(SQL.PARKED_BY_QUEUE)) {
    of(queue_id).ready += count;
    of(queue_id).parked = count;
    oldest.set(queue_id, Math.min(first, oldest.get(queue_id) ?? first));
  }
  for (const { queue_id, count } of on.all<QueueRow>(SQL.SCHEDULED_BY_QUEUE)) of(queue_id).scheduled = count;
  for (const { queue_id, count } of on.all<QueueRow>(SQL.RUNNING_BY_QUEUE)) of(queue_id).running = count;
  for (const [queue, job] of oldest) {
    of(queue).oldestReadyAt = on.get<{ created_at: number }>(SQL.CREATED_AT, job)?.created_at ?? null;
  }
  const totals = new Map(on.all<{ what: Counted; count: number }>(TOTALS).map(({ what, count }) => [what, count]));
  const total = (what: Counted) => totals.get(what) ?? 0;
  return {
    queues: [...queues.values()].sort((a, b) => (a.queue < b.queue ? -1 : 1)),
    finished: { succeeded: total("succeeded"), dead: total("dead"), cancelled: total("cancelled") },
    retried: total("retried"),
  };
}

export function throughput({ on }: Reading, from: number, to: number, step: number): readonly ThroughputPoint[] {
  checkThroughput(from, to, step);
  return throughputPoints(on.all<RollupRow>(ROLLUP_BETWEEN, minuteOf(from), to), from, to, step);
}

export function getJob(reading: Reading, id: JobId): JobDetail | null {
  const { on } = reading;
  const number = parseId(id);
  const places = new Places(on);
  const body = number === null ? undefined : places.body(number);
  const place = body === undefined ? null : places.of(body);
  if (body === undefined || place === null) return null;
  type Row = Omit<HistoryEntry, "what"> & { readonly what: Letter };
  const history = on.all<Row>(SQL.HISTORY, body.id);
  return {
    ...summaryOf(reading, body, place),
    ...(on.get<{ input: string; meta: string | null }>(JOB_INPUT, body.id) ?? { input: "", meta: null }),
    maxCrashes: body.max_crashes,
    result: place.at === "final" && place.state === "succeeded" ? place.last.result : null,
    cancelRequested: on.get<{ reason: string }>(CANCELLATION_OF, body.id)?.reason ?? null,
    history: history.map(({ at, attempt, what, ms, error, instance }) => ({
      ...{ at, attempt, ms, error, instance },
      what: wordOf(what),
    })),
  };
}

export function statesOf({ on }: Reading, ids: readonly JobId[]): ReadonlyMap<JobId, JobState> {
  const places = new Places(on);
  const states = new Map<JobId, JobState>();
  for (const id of ids) {
    const number = parseId(id);
    const body = number === null ? undefined : places.body(number);
    const place = body === undefined ? null : places.of(body);
    if (place !== null) states.set(id, stateOf(place));
  }
  return states;
}

export function listInstances({ on }: Reading): readonly StoredInstance[] {
  return on.all<InstanceRow>(ALL_INSTANCES).map((row) => ({
    id: String(row.id),
    name: row.name,
    host: row.host,
    pid: row.pid,
    version: row.version,
    queues: JSON.parse(row.queues) as string[],
    names: JSON.parse(row.names) as string[],
    concurrency: row.concurrency,
    startedAt: row.started_at,
    expiresAt: row.expires_at,
    running: row.running,
  }));
}

export function summaryOf({ on, nameOf }: Reading, body: BodyRow, place: Place): JobSummary {
  const waiting = place.at !== "final" && place.at !== "running";
  return {
    id: String(body.id),
    name: nameOf(body.name_id),
    queue: nameOf(body.queue_id),
    priority: body.priority,
    state: stateOf(place),
    parked: place.at === "parked",
    attempt: place.attempt,
    maxAttempts: allowedAttempts(body.max_attempts, waiting ? place.attempt + 1 : place.attempt),
    createdAt: body.created_at,
    at: whenOf(place),
    instance: place.at === "running" ? place.running.instance : null,
    error: on.get<{ error: string }>(SQL.LAST_ERROR, body.id)?.error ?? null,
  };
}

function stateOf(place: Place): JobState {
  if (place.at === "final") return place.state;
  return place.at === "parked" ? "ready" : place.at;
}

function whenOf(place: Place): number | null {
  switch (place.at) {
    case "scheduled":
      return place.runAt;
    case "running":
      return place.running.claimedAt;
    case "final":
      return place.last.at;
    default:
      return null;
  }
}
