/** Lists of jobs by state, newest first: final ones by when they ended, others by when they were enqueued. */
import { type JobFilter, type JobQuery, type JobSummary, LIVE_STATES, type Page } from "../contract.ts";
import { decodeCursor, pageOf } from "../shared/cursor.ts";
import { allowedAttempts } from "../shared/outcomes.ts";
import { numbers } from "./arrays.ts";
import type { Row } from "./driver.ts";
import { readRunningOn, runningOn } from "./inspection.ts";
import { jobId } from "./job-id.ts";
import { maybeNumber, run, type Session } from "./session.ts";

/** The last error of a job that is not over, from its history. */
const lastError = (s: string) =>
  `(select f.detail from ${s}.finished f where f.job_id = j.id and f.bucket = j.bucket and f.day >= j.bucket
    and f.state in ('R', 'D', 'd') and f.detail is not null order by f.at desc, f.attempt desc limit 1)`;

/**
 * Where the jobs of a live state are: id, bucket, attempt, time, parked, instance. $1 is the id to come before, $2 the lanes
 * (null: all), $3 the kind (null: any), $4 how many.
 */
const LIVE_PLACES: Readonly<Record<"ready" | "scheduled" | "running", (s: string) => string>> = {
  // Lane by lane, since that is the key's order; the lanes' newest are merged.
  ready: (s) => `select x.* from ${s}.lane n cross join lateral (
      (select r.job_id, r.bucket, r.attempt, null::bigint as at, false as parked, null::json as instance from ${s}.ready r
        join ${s}.job j on j.bucket = r.bucket and j.id = r.job_id
        where r.lane_id = n.id and r.job_id < $1 and ($3::int is null or j.kind_id = $3) order by r.job_id desc limit $4)
      union all
      (select p.job_id, p.bucket, p.attempt, null, true, null from ${s}.parked p
        where p.lane_id = n.id and p.job_id < $1 and ($3::int is null or p.kind_id = $3) order by p.job_id desc limit $4)) x
    where $2::int[] is null or n.id = any ($2)`,
  scheduled: (
    s,
  ) => `select w.job_id, w.bucket, w.attempt, w.run_at as at, false as parked, null::json as instance from ${s}.scheduled w
      join ${s}.job j on j.bucket = w.bucket and j.id = w.job_id
    where w.job_id < $1 and ($2::int[] is null or w.lane_id = any ($2)) and ($3::int is null or j.kind_id = $3)`,
  running: (
    s,
  ) => `select h.job_id, h.bucket, h.attempt, l.claimed_at as at, false as parked, ${runningOn("i")} as instance
    from ${s}.lease l cross join lateral ${s}.held(l) h join ${s}.instance i on i.id = l.instance_id
    where h.job_id < $1 and ($2::int[] is null or h.lane_id = any ($2)) and ($3::int is null or h.kind_id = $3)`,
};

const LETTERS = { succeeded: "S", dead: "D", cancelled: "C" } as const;
const LAST_ID = "9223372036854775807";
/** The first window that a list of final jobs looks into, in milliseconds, and by how much the next one is wider. */
const NARROW = 1_000;
const WIDER = 8;
/** A window with more lines of history than this is looked into in parts. */
const CROWDED = 2_000;

export async function listJobs(session: Session, query: JobQuery): Promise<Page<JobSummary>> {
  const filter = await filterOf(session, query);
  if (filter === null) return { items: [], next: null };
  const { state } = query;
  if (state === "ready" || state === "scheduled" || state === "running") return listLive(session, query, state, filter);
  if ((LIVE_STATES as readonly string[]).includes(state)) return { items: [], next: null };
  return listFinal(session, query, state as keyof typeof LETTERS, filter);
}

/** A filter in numbers; null for any. */
export interface Filter {
  readonly lanes: string | null;
  readonly kind: number | null;
}

/** The filter in numbers; null when it names what was never seen, and nothing can match. */
export async function filterOf(session: Session, { queue, name }: JobFilter): Promise<Filter | null> {
  const { s } = session;
  let lanes: string | null = null;
  let kind: number | null = null;
  if (queue !== undefined) {
    const text = `select n.id from ${s}.lane n join ${s}.queue q on q.id = n.queue_id where q.name = $1`;
    const rows = await run(session, "lanes_of_queue", text, [queue]);
    if (rows.length === 0) return null;
    lanes = numbers(rows.map(([id]) => id ?? null));
  }
  if (name !== undefined) {
    const [row] = await run(session, "kind_by_name", `select k.id from ${s}.kind k where k.name = $1`, [name]);
    if (row === undefined) return null;
    kind = Number(row[0]);
  }
  return { lanes, kind };
}

async function listLive(
  session: Session,
  query: JobQuery,
  state: keyof typeof LIVE_PLACES,
  { lanes, kind }: Filter,
): Promise<Page<JobSummary>> {
  const { s } = session;
  const { cursor, limit } = query;
  const before = decodeCursor(cursor, ["string"])?.[0] ?? LAST_ID;
  const text = `select j.bucket, j.id, j.lane_id, j.kind_id, j.created_at, j.max_attempts, p.attempt, p.at, p.parked, ${lastError(s)}, p.instance
    from (select * from (${LIVE_PLACES[state](s)}) every order by job_id desc limit $4) p
    join ${s}.job j on j.bucket = p.bucket and j.id = p.job_id order by j.id desc`;
  const rows = await run(session, `list_${state}`, text, [
    /^\d+$/.test(before) ? before : LAST_ID,
    lanes,
    kind,
    limit + 1,
  ]);
  const page = pageOf(rows, query, (row) => [row[1] ?? ""]);
  return { ...page, items: await summaries(session, page.items, state) };
}

async function listFinal(
  session: Session,
  query: JobQuery,
  state: keyof typeof LETTERS,
  filter: Filter,
): Promise<Page<JobSummary>> {
  const { cursor, limit } = query;
  const after = decodeCursor(cursor, ["number", "string"]);
  const [clock] = await run(session, "now", `select ${session.s}.now_ms()`, []);
  const from = after ?? ([Number(clock?.[0]) + 86_400_000, LAST_ID] as const);
  const rows: Row[] = [];
  // Windows that grow: the block-range index makes each a short scan, where one order-by would read all of history.
  // One that is wide and crowded (a busy hour before a quiet one) is looked into in parts, the newest first.
  let crowd = { low: Number.POSITIVE_INFINITY, part: Number.POSITIVE_INFINITY };
  for (let high = from[0], width = NARROW; rows.length <= limit && high >= 0; width *= WIDER) {
    if (high > crowd.low) width = Math.min(width, crowd.part);
    const low = high - width;
    // Ends that are no successes have an index in their order, and need no care.
    const lines = width === NARROW || state !== "succeeded" ? null : await crowdOf(session, [low, high]);
    if (lines === CROWDED) {
      crowd = { low, part: width / WIDER };
      width = crowd.part / WIDER;
      continue;
    }
    if (lines !== 0)
      rows.push(...(await finalWindow(session, state, filter, [low, high], from, limit + 1 - rows.length)));
    high = low;
  }
  const page = pageOf(rows, query, (row) => [Number(row[7]), row[1] ?? ""]);
  return { ...page, items: await summaries(session, page.items, state) };
}

/** How many lines of history there are after `low` up to `high`; it counts to {@link CROWDED} at the most. */
async function crowdOf(session: Session, [low, high]: readonly [number, number]): Promise<number> {
  const text = `select ${session.s}.crowd($1::bigint, $2::bigint, $3)`;
  const [row] = await run(session, "crowd", text, [Math.max(-1, low), high, CROWDED]);
  return Number(row?.[0]);
}

/** Ends after `low` up to `high`, before the cursor. The state is written out: a parameter would hide the partial index. */
function finalWindow(
  session: Session,
  state: keyof typeof LETTERS,
  { lanes, kind }: Filter,
  [low, high]: readonly [number, number],
  cursor: readonly [number, string],
  limit: number,
): Promise<readonly Row[]> {
  const { s } = session;
  const text = `select j.bucket, j.id, j.lane_id, j.kind_id, j.created_at, j.max_attempts, p.attempt, p.at, false,
      case when p.state = 'D' then p.detail else ${lastError(s)} end
    from (select f.job_id, f.bucket, f.attempt, f.at, f.state, f.detail from ${s}.finished f
      where f.state = '${LETTERS[state]}' and f.at > $1 and f.at <= $2 and f.day >= $1::bigint / 86400000
        and (f.at, f.job_id) < ($3::bigint, $4::bigint)
        and ($5::int[] is null or f.lane_id = any ($5)) and ($6::int is null or f.kind_id = $6)
      order by f.at desc, f.job_id desc limit $7) p
    join ${s}.job j on j.bucket = p.bucket and j.id = p.job_id order by p.at desc, j.id desc`;
  return run(session, `list_${state}`, text, [Math.max(-1, low), high, cursor[0], cursor[1], lanes, kind, limit]);
}

async function summaries(
  session: Session,
  rows: readonly Row[],
  state: JobSummary["state"],
): Promise<readonly JobSummary[]> {
  const laneOf = await session.names.lanesById(rows.map((row) => Number(row[2])));
  const kindOf = await session.names.kindsById(rows.map((row) => Number(row[3])));
  const waits = state === "ready" || state === "scheduled";
  return rows.map(
    ([
      bucket,
      id,
      lane,
      kind,
      createdAt,
      maxAttempts,
      attemptText,
      at,
      parked,
      error = null,
      instance = null,
    ]): JobSummary => {
      const { queue, priority } = laneOf(Number(lane));
      const attempt = Number(attemptText);
      return {
        id: jobId(bucket ?? "", id ?? ""),
        name: kindOf(Number(kind)),
        queue,
        priority,
        state,
        parked: parked === "t",
        attempt,
        maxAttempts: allowedAttempts(Number(maxAttempts), waits ? attempt + 1 : attempt),
        createdAt: Number(createdAt),
        at: maybeNumber(at),
        instance: readRunningOn(instance),
        error,
      };
    },
  );
}
