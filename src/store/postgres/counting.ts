/**
 * How many jobs match. A statement looks at so many rows and no more; where they do not tell, the next one looks at
 * several times as many. None waits for another, and none holds a snapshot for long.
 */
import type { CountQuery, JobCount, JobState } from "../contract.ts";
import { countedUpTo, LONGEST_COUNT, mostLookedAt } from "../shared/counting.ts";
import { type Filter, filterOf } from "./listing.ts";
import { run, type Session } from "./session.ts";

/** How many times as many rows the next statement looks at. */
const WIDER = 8;

/** Nothing awaits others or is blocked in this version. */
type Counted = Exclude<JobState, "awaiting" | "blocked">;

/** In `wanted`: $1 the lanes, $2 the kind, null for any. */
const IS_WANTED = "($1::int[] is null or lane_id = any ($1)) and ($2::int is null or kind_id = $2)";

/** Rows that may be of the state, as `lane_id`, `kind_id`, and whether they are (`fits`); cheap ones to stop in the middle of. */
const ROWS: Readonly<Record<Counted, (s: string, lanes: string | null) => string>> = {
  ready: (s, lanes) => `${waiting(`${s}.ready`, lanes)} union all ${waiting(`${s}.parked`, lanes)}`,
  scheduled: (s) => `select lane_id, kind_id, true as fits from ${s}.scheduled`,
  running: (s) => `select h.lane_id, h.kind_id, true as fits from ${s}.lease l cross join lateral ${s}.held(l) h`,
  // Most of history is successes: it is walked as it lies.
  succeeded: (s) => `select lane_id, kind_id, state = 'S' as fits from ${s}.finished`,
  dead: (s) => bad(s, "D"),
  cancelled: (s) => bad(s, "C"),
};

/** Lane by lane along the key where lanes are given: a general plan would walk over all others for one that is small. */
const waiting = (table: string, lanes: string | null) =>
  lanes === null
    ? `select lane_id, kind_id, true as fits from ${table}`
    : `select w.lane_id, w.kind_id, true as fits from unnest($1::int[]) n (id) cross join lateral
        (select r.lane_id, r.kind_id from ${table} r where r.lane_id = n.id order by r.job_id limit $3) w`;

/** The order is that of the index: without it, a planner that expects many would walk over the successes. */
const bad = (s: string, letter: string) =>
  `select lane_id, kind_id, true as fits from ${s}.finished where state = '${letter}' order by at desc, job_id desc`;

export async function countJobs(session: Session, query: CountQuery): Promise<JobCount> {
  const { state, upTo } = query;
  if (state === "awaiting" || state === "blocked") return { count: 0, exact: true };
  const filter = await filterOf(session, query);
  if (filter === null) return { count: 0, exact: true };
  const until = session.clock.monotonic() + LONGEST_COUNT;
  const most = Math.max(upTo + 1, mostLookedAt(upTo));
  for (let look = upTo + 1; ; look = Math.min(most, look * WIDER)) {
    const { count, looked } = await countAmong(session, state, filter, look);
    const whole = looked < look;
    const enough = whole || count > upTo || look >= most || session.clock.monotonic() > until;
    if (enough) return countedUpTo(upTo, count, whole);
  }
}

async function countAmong(session: Session, state: Counted, { lanes, kind }: Filter, look: number) {
  const text = `select count(*) filter (where fits and ${IS_WANTED}), count(*)
    from (select * from (${ROWS[state](session.s, lanes)}) every limit $3) x`;
  const name = `count_${state}${lanes === null ? "" : "_in_lanes"}`;
  const [row] = await run(session, name, text, [lanes, kind, look]);
  return { count: Number(row?.[0]), looked: Number(row?.[1]) };
}
