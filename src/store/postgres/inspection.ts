/** What people and dashboards ask of PostgreSQL. Each answer is one statement and hence one moment; none counts the history. */
import type {
  Counts,
  HistoryEntry,
  JobDetail,
  JobId,
  JobState,
  QueueCounts,
  RunningOn,
  StoredInstance,
  ThroughputPoint,
} from "../contract.ts";
import { allowedAttempts } from "../shared/outcomes.ts";
import { checkThroughput, minuteOf, type RollupRow, throughputPoints } from "../shared/rollup.ts";
import { numbers } from "./arrays.ts";
import { jobId, parseJobId } from "./job-id.ts";
import { maybeNumber, run, type Session } from "./session.ts";

export async function counts(session: Session): Promise<Counts> {
  const { s } = session;
  // The narrow tables are counted, the history is not: its totals are kept.
  const text = `with
      ready as (select lane_id, count(*) as n, min(job_id) as first from ${s}.ready group by lane_id),
      parked as (select lane_id, count(*) as n, min(job_id) as first from ${s}.parked group by lane_id),
      later as (select lane_id, count(*) as n from ${s}.scheduled group by lane_id),
      waiting as (
        select n.queue_id, coalesce(sum(r.n), 0) + coalesce(sum(p.n), 0) as ready, coalesce(sum(p.n), 0) as parked,
          coalesce(sum(l.n), 0) as scheduled,
          min((select j.created_at from ${s}.job j where j.id = r.first and j.bucket =
            (select x.bucket from ${s}.ready x where x.lane_id = n.id and x.job_id = r.first))) as oldest_ready,
          min((select j.created_at from ${s}.job j where j.id = p.first and j.bucket =
            (select x.bucket from ${s}.parked x where x.lane_id = n.id and x.job_id = p.first))) as oldest_parked
        from ${s}.lane n left join ready r on r.lane_id = n.id left join parked p on p.lane_id = n.id
          left join later l on l.lane_id = n.id group by n.queue_id),
      running as (select queue_id, sum(cardinality(ids)) as n from ${s}.lease group by queue_id)
    select q.name, q.paused_at, q.pause_reason, coalesce(w.ready, 0), coalesce(w.parked, 0), coalesce(w.scheduled, 0),
      coalesce(r.n, 0), least(w.oldest_ready, w.oldest_parked)
    from ${s}.queue q left join waiting w on w.queue_id = q.id left join running r on r.queue_id = q.id
    where q.paused_at is not null or w.ready > 0 or w.scheduled > 0 or r.n > 0
    order by q.name`;
  const totals = `select coalesce(sum(succeeded), 0), coalesce(sum(retried), 0), coalesce(sum(dead), 0), coalesce(sum(cancelled), 0)
    from (select succeeded, retried, dead, cancelled from ${s}.rollup where minute = -1
      union all select succeeded, retried, dead, cancelled from ${s}.tally) t`;
  const rows = await run(session, "counts", text, []);
  const [total] = await run(session, "totals", totals, []);
  const queues = rows.map(([queue, since, reason = null, ready, parked, scheduled, running, oldest]): QueueCounts => {
    const at = maybeNumber(since);
    return {
      queue: queue ?? "",
      paused: at === null ? null : { reason, since: at },
      ready: Number(ready),
      parked: Number(parked),
      scheduled: Number(scheduled),
      running: Number(running),
      oldestReadyAt: maybeNumber(oldest),
    };
  });
  const [succeeded, retried, dead, cancelled] = (total ?? []).map(Number);
  return {
    queues,
    finished: { succeeded: succeeded ?? 0, dead: dead ?? 0, cancelled: cancelled ?? 0 },
    retried: retried ?? 0,
  };
}

export async function throughput(
  session: Session,
  from: number,
  to: number,
  step: number,
): Promise<readonly ThroughputPoint[]> {
  checkThroughput(from, to, step);
  const { s } = session;
  const text = `select minute, sum(succeeded), sum(retried), sum(dead), sum(cancelled) from (
      select * from ${s}.rollup where minute >= $1 and minute < $2 union all select * from ${s}.tally where minute >= $1 and minute < $2) t
    group by minute`;
  const rows = await run(session, "throughput", text, [minuteOf(from), Math.ceil(to)]);
  const counters = rows.flatMap(([minute, ...values]): RollupRow[] =>
    (["succeeded", "retried", "dead", "cancelled"] as const).map((what, index) => ({
      minute: Number(minute),
      what,
      count: Number(values[index]),
    })),
  );
  return throughputPoints(counters, from, to, step);
}

/** The letters of `finished` in words. */
export const WORDS: Readonly<Record<string, HistoryEntry["what"]>> = {
  S: "succeeded",
  s: "succeeded",
  D: "dead",
  d: "dead",
  C: "cancelled",
  c: "cancelled",
  R: "retry",
  Z: "snoozed",
  L: "lost",
  Q: "requeued",
};
export const FINAL_WORDS = { S: "succeeded", D: "dead", C: "cancelled" } as const;

interface HistoryRow {
  readonly at: number;
  readonly attempt: number;
  readonly state: string;
  readonly ms: number | null;
  readonly detail: string | null;
  readonly instance: string | null;
}

/** A row of `instance` as a value that has {@link RunningOn}'s form. */
export function runningOn(row: string): string {
  return `json_build_object('name', ${row}.name, 'host', ${row}.host, 'pid', ${row}.pid, 'expiresAt', ${row}.expires_at)`;
}

export function readRunningOn(text: string | null): RunningOn | null {
  return text === null ? null : (JSON.parse(text) as RunningOn);
}

export async function getJob(session: Session, id: JobId): Promise<JobDetail | null> {
  const key = parseJobId(id);
  if (key === null) return null;
  const { s } = session;
  const text = `select j.lane_id, j.kind_id, j.created_at, j.max_attempts, j.max_crashes, j.input, j.meta,
      coalesce(r.attempt, p.attempt), p.attempt is not null, w.attempt, w.run_at, h.attempt, h.claimed_at, h.instance, c.reason,
      (select json_agg(json_build_object('at', f.at, 'attempt', f.attempt, 'state', f.state, 'ms', f.ms, 'detail', f.detail, 'instance', n.name)
        order by f.at, f.attempt, case when f.state in ('S', 'D', 'C') then 3 when f.state = 'Q' then 2 when f.state in ('s', 'd', 'c') then 1 else 0 end)
        from ${s}.finished f left join ${s}.instance_name n on n.id = f.lease_id >> 32
        where f.job_id = j.id and f.bucket = j.bucket and f.day >= $1)
    from ${s}.job j
    left join ${s}.ready r on r.lane_id = j.lane_id and r.job_id = j.id
    left join ${s}.parked p on p.lane_id = j.lane_id and p.job_id = j.id
    left join ${s}.scheduled w on w.job_id = j.id
    left join ${s}.cancel_request c on c.job_id = j.id
    left join lateral (select x.attempt, l.claimed_at, ${runningOn("i")} as instance
      from ${s}.lease l cross join lateral ${s}.held(l) x
      join ${s}.instance i on i.id = l.instance_id where l.ids @> array[j.id] and x.job_id = j.id) h on true
    where j.bucket = $1 and j.id = $2`;
  const [row] = await run(session, "get_job", text, [key.bucket, key.id]);
  if (row === undefined) return null;
  const [lane, kind, createdAt, maxAttempts, maxCrashes, input, meta = null] = row;
  const [, , , , , , , ready, parked, later, runAt, running, claimedAt, instance = null, reason = null, log = null] =
    row;
  const history = (JSON.parse(log ?? "[]") ?? []) as HistoryRow[];
  const end = history.findLast(({ state }) => state in FINAL_WORDS);
  const { queue, priority } = (await session.names.lanesById([Number(lane)]))(Number(lane));
  const attempt = Number(ready ?? later ?? running ?? end?.attempt ?? 0);
  const waits = (ready ?? later ?? null) !== null;
  const state: JobState =
    (ready ?? null) !== null
      ? "ready"
      : (later ?? null) !== null
        ? "scheduled"
        : (running ?? null) !== null
          ? "running"
          : finalState(end);
  return {
    id,
    name: (await session.names.kindsById([Number(kind)]))(Number(kind)),
    queue,
    priority,
    state,
    parked: parked === "t",
    attempt,
    maxAttempts: allowedAttempts(Number(maxAttempts), waits ? attempt + 1 : attempt),
    createdAt: Number(createdAt),
    at: maybeNumber(runAt ?? claimedAt) ?? (waits ? null : (end?.at ?? null)),
    error: history.findLast(({ state, detail }) => detail !== null && "RDd".includes(state))?.detail ?? null,
    input: input ?? "",
    meta,
    maxCrashes: Number(maxCrashes),
    result: end?.state === "S" ? end.detail : null,
    instance: readRunningOn(instance),
    cancelRequested: reason,
    history: history.map(({ at, attempt, state, ms, detail, instance }) => ({
      ...{ at, attempt, ms, instance },
      what: WORDS[state] ?? "lost",
      error: "Ss".includes(state) ? null : detail,
    })),
  };
}

function finalState(end: HistoryRow | undefined): JobState {
  return FINAL_WORDS[(end?.state ?? "D") as keyof typeof FINAL_WORDS];
}

export async function statesOf(session: Session, ids: readonly JobId[]): Promise<ReadonlyMap<JobId, JobState>> {
  const keys = ids.flatMap((id) => parseJobId(id) ?? []);
  if (keys.length === 0) return new Map();
  const { s } = session;
  const text = `with running as materialized (select unnest(l.ids) as id from ${s}.lease l)
    select j.bucket, j.id, case
      when exists (select from ${s}.ready r where r.lane_id = j.lane_id and r.job_id = j.id)
        or exists (select from ${s}.parked p where p.lane_id = j.lane_id and p.job_id = j.id) then 'ready'
      when exists (select from ${s}.scheduled w where w.job_id = j.id) then 'scheduled'
      when j.id in (select id from running) then 'running'
      else (select case f.state when 'S' then 'succeeded' when 'D' then 'dead' else 'cancelled' end from ${s}.finished f
        where f.job_id = j.id and f.bucket = j.bucket and f.day >= j.bucket and f.state in ('S', 'D', 'C') limit 1) end
    from unnest($1::int[], $2::bigint[]) as u (bucket, id) join ${s}.job j on j.bucket = u.bucket and j.id = u.id`;
  const rows = await run(session, "states_of", text, [
    numbers(keys.map(({ bucket }) => bucket)),
    numbers(keys.map(({ id }) => id)),
  ]);
  return new Map(
    rows.flatMap(([bucket, id, state]) => (state ? [[jobId(bucket ?? "", id ?? ""), state as JobState]] : [])),
  );
}

export async function listInstances(session: Session): Promise<readonly StoredInstance[]> {
  const { s } = session;
  const text = `select i.id, i.name, i.host, i.pid, i.version, to_json(i.queues), to_json(i.names), i.concurrency, i.started_at, i.expires_at,
      coalesce((select sum(cardinality(l.ids)) from ${s}.lease l where l.instance_id = i.id), 0)
    from ${s}.instance i order by i.id`;
  const rows = await run(session, "list_instances", text, []);
  return rows.map(([id, name, host, pid, version, queues, names, concurrency, startedAt, expiresAt, running]) => ({
    id: id ?? "",
    name: name ?? "",
    host: host ?? "",
    pid: Number(pid),
    version: version ?? "",
    queues: JSON.parse(queues ?? "[]") as string[],
    names: JSON.parse(names ?? "[]") as string[],
    concurrency: Number(concurrency),
    startedAt: Number(startedAt),
    expiresAt: Number(expiresAt),
    running: Number(running),
  }));
}
