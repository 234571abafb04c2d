/**
 * Jobs that go straight into a lease in the commit that stores them: nothing stands before them, so they need no row of
 * `ready` that would be deleted at once, and what was written need not be read back.
 */
import type { ClaimedJob, EnqueuedAndClaimed, JobId, NewJob } from "../contract.ts";
import { numberElements, numbers, texts } from "./arrays.ts";
import type { Row } from "./driver.ts";
import type { HeldLease } from "./held.ts";
import { jobId } from "./job-id.ts";
import { run, type Session } from "./session.ts";

/** What came of it, and what to remember of the lease. */
export interface Straight {
  readonly answer: EnqueuedAndClaimed;
  readonly lease: string;
  readonly held: HeldLease;
}

/**
 * Stores and claims jobs that are alike; null, and nothing is written, when something stands before them or the
 * instance may not claim.
 */
export async function straightIntoLease(
  session: Session,
  jobs: readonly NewJob[],
  instance: string,
): Promise<Straight | null> {
  const { floors, names, s } = session;
  const [{ queue, name, priority }] = jobs as readonly [NewJob];
  const lane = names.lane(queue, priority);
  const entered = floors.entries();
  const values = [
    ...[lane, names.kind(name), instance, names.queue(queue), numbers(entered.lanes), numbers(entered.floors)],
    numbers(jobs.map((job) => job.maxAttempts)),
    numbers(jobs.map((job) => job.maxCrashes)),
    texts(jobs.map((job) => job.input)),
    jobs.some((job) => job.meta !== undefined) ? texts(jobs.map((job) => job.meta)) : null,
    session.leaseIds.take(instance, 1),
  ];
  const [row] = await run(session, "straight", straightText(s), values, "if-refused");
  return row === undefined ? null : read(jobs, row, lane);
}

function read(jobs: readonly NewJob[], [lease, at, idsText = null, bucket]: Row, lane: number): Straight {
  const createdAt = Number(at);
  const ids: JobId[] = numberElements(idsText).map((number) => jobId(bucket ?? "", number));
  const claimed = jobs.map(({ name, priority, input, meta, maxAttempts }, index): ClaimedJob => {
    const job = { id: ids[index] ?? "", name, priority, input, attempt: 1, maxAttempts, createdAt };
    return meta === undefined ? job : { ...job, meta };
  });
  const [{ queue }] = jobs as readonly [NewJob];
  return {
    answer: { ids, leases: [{ id: lease ?? "", queue, claimedAt: createdAt, jobs: claimed }] },
    lease: lease ?? "",
    held: { queue, jobs: ids, numbers: (idsText ?? "{}").slice(1, -1), lanes: [lane], open: ids.length },
  };
}

/** One statement and not a function: it is planned once a connection, and costs the server half as much. */
function straightText(s: string): string {
  return `with free as materialized (
      select ${s}.now_ms() as now where ${s}.stands_free($3::int, $4::int, $5::int[], $6::bigint[])
    ), made as (
      insert into ${s}.job (id, created_at, bucket, lane_id, kind_id, max_attempts, max_crashes, input, meta)
      select nextval('${s.replaceAll("'", "''")}.job_seq'), f.now, f.now / 86400000, $1::int, $2::int, u.attempts, u.crashes, u.input, u.meta
      from free f cross join unnest($7::int[], $8::int[], $9::text[], $10::text[]) as u (attempts, crashes, input, meta)
      returning id, bucket, created_at
    ), batch as (
      select m.created_at, m.bucket, array_agg(m.id order by m.id) as ids from made m group by m.created_at, m.bucket
    ), leased as (
      insert into ${s}.lease (id, claimed_at, instance_id, queue_id, ids, buckets, lanes, kinds, attempts)
      select $11::bigint, b.created_at, $3::int, $4::int, b.ids,
        array[b.bucket], array[$1::int], array[$2::int], array[1] from batch b
      returning id
    )
    select l.id, b.created_at, b.ids, b.bucket from leased l, batch b`;
}
