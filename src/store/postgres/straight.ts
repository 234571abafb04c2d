/**
 * Jobs that go straight into a lease in the commit that stores them: nothing stands before them, so they need no row of
 * `ready` that would be deleted at once, and what was written need not be read back.
 */
import type { ClaimedJob, EnqueuedAndClaimed, JobId, NewJob } from "../contract.ts";
import { numberElements, numbers, texts } from "./arrays.ts";
import type { Statement } from "./database.ts";
import type { Row } from "./driver.ts";
import { here } from "./elsewhere.ts";
import type { HeldLease } from "./held.ts";
import { jobId } from "./job-id.ts";
import type { Names } from "./names.ts";
import type { Value } from "./question.ts";
import { run, type Session } from "./session.ts";

const DAY = 86_400_000;

/** What came of it, and what to remember of the lease. */
export interface Straight {
  readonly answer: EnqueuedAndClaimed;
  readonly lease: string;
  readonly held: HeldLease;
}

/**
 * Stores and claims jobs that are alike; null, and nothing is written, when something stands before them, the instance
 * may not claim, or this is not the server of the names.
 */
export async function straightIntoLease(
  session: Session,
  statements: Readonly<Record<"one" | "many", Statement>>,
  names: Names,
  jobs: readonly NewJob[],
  instance: string,
): Promise<Straight | null> {
  const { floors, leaseIds } = session;
  const [first] = jobs as readonly [NewJob];
  const lane = names.lane(first.queue, first.priority);
  const entered = floors.entries();
  const lease = leaseIds.take(instance, 1);
  const into = [lane, names.kind(first.name), instance, names.queue(first.queue), lease];
  const values = [
    ...into,
    numbers(entered.lanes),
    numbers(entered.floors),
    names.server,
    ...(jobs.length === 1 ? one(first) : many(jobs)),
  ];
  const { name, text } = jobs.length === 1 ? statements.one : statements.many;
  const [row] = await run(session, name, text, values, "if-refused");
  return row === undefined ? null : read(jobs, row, lease, lane);
}

function one({ maxAttempts, maxCrashes, input, meta }: NewJob): readonly Value[] {
  return [maxAttempts, maxCrashes, input, meta ?? null];
}

function many(jobs: readonly NewJob[]): readonly Value[] {
  return [
    numbers(jobs.map((job) => job.maxAttempts)),
    numbers(jobs.map((job) => job.maxCrashes)),
    texts(jobs.map((job) => job.input)),
    jobs.some((job) => job.meta !== undefined) ? texts(jobs.map((job) => job.meta)) : null,
  ];
}

function read(jobs: readonly NewJob[], [at, idsText = null]: Row, lease: string, lane: number): Straight {
  const createdAt = Number(at);
  const bucket = String(Math.floor(createdAt / DAY));
  const ids: JobId[] = numberElements(idsText).map((number) => jobId(bucket, number));
  const claimed = jobs.map(({ name, priority, input, meta, maxAttempts }, index): ClaimedJob => {
    const job = { id: ids[index] ?? "", name, priority, input, attempt: 1, maxAttempts, createdAt };
    return meta === undefined ? job : { ...job, meta };
  });
  const [{ queue }] = jobs as readonly [NewJob];
  return {
    answer: { ids, leases: [{ id: lease, queue, claimedAt: createdAt, jobs: claimed }] },
    lease,
    held: { queue, jobs: ids, numbers: (idsText ?? "{}").slice(1, -1), lanes: [lane], open: ids.length },
  };
}

/** Statements and not functions: planned once a connection, they cost the server half as much. For a lone job without its arrays. */
export function straightStatements(s: string): Readonly<Record<"one" | "many", Statement>> {
  return { one: { name: "straight_one", text: oneText(s) }, many: { name: "straight", text: manyText(s) } };
}

function oneText(s: string): string {
  return `with made as (
      insert into ${s}.job (id, created_at, bucket, lane_id, kind_id, max_attempts, max_crashes, input, meta)
      select ${nextJob(s)}, f.now, f.now / 86400000, $1::int, $2::int, $9::int, $10::int, $11::text, $12::text
      from (select ${s}.now_ms() as now where ${free(s)} offset 0) f
      returning id, bucket, created_at
    )
    insert into ${s}.lease (id, claimed_at, instance_id, queue_id, ids, buckets, lanes, kinds, attempts)
    select $5::bigint, m.created_at, $3::int, $4::int, array[m.id], array[m.bucket], array[$1::int], array[$2::int], array[1]
    from made m returning claimed_at, ids`;
}

function manyText(s: string): string {
  return `with free as materialized (select ${s}.now_ms() as now where ${free(s)}), made as (
      insert into ${s}.job (id, created_at, bucket, lane_id, kind_id, max_attempts, max_crashes, input, meta)
      select ${nextJob(s)}, f.now, f.now / 86400000, $1::int, $2::int, u.attempts, u.crashes, u.input, u.meta
      from free f cross join unnest($9::int[], $10::int[], $11::text[], $12::text[]) as u (attempts, crashes, input, meta)
      returning id, bucket, created_at
    ), batch as (
      select m.created_at, m.bucket, array_agg(m.id order by m.id) as ids from made m group by m.created_at, m.bucket
    )
    insert into ${s}.lease (id, claimed_at, instance_id, queue_id, ids, buckets, lanes, kinds, attempts)
    select $5::bigint, b.created_at, $3::int, $4::int, b.ids, array[b.bucket], array[$1::int], array[$2::int], array[1]
    from batch b returning claimed_at, ids`;
}

function free(s: string): string {
  return `${here(8)} and ${s}.stands_free($3::int, $4::int, $6::int[], $7::bigint[])`;
}

function nextJob(s: string): string {
  return `nextval('${s.replaceAll("'", "''")}.job_seq')`;
}
