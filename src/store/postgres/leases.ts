/** A claimed batch, from the row that the worker's statement gives to what the contract promises. */
import type { ClaimedJob, Lease } from "../contract.ts";
import { numberElements, numbers } from "./arrays.ts";
import type { Row } from "./driver.ts";
import type { HeldLease } from "./held.ts";
import { Consecutive, idPrefix } from "./job-id.ts";
import { run, type Session } from "./session.ts";

/** Between the inputs of a batch: no JSON text has it as it is. Other text may, see {@link parted}. */
const PARTS = "\x1e";

/** The lease, and what to remember of it. Claims of its lanes begin at its jobs from now on. */
export async function readLease(session: Session, row: Row): Promise<{ lease: Lease; held: HeldLease }> {
  const [id = "", claimedAt, idsText = null, bucketsText = null, lanesText = null, kindsText = null] = row;
  const ids = numberElements(idsText);
  const buckets = numberElements(bucketsText);
  const lanes = numberElements(lanesText).map(Number);
  const kinds = numberElements(kindsText).map(Number);
  const attempts = numberElements(row[6] ?? null).map(Number);
  const most = numberElements(row[7] ?? null).map(Number);
  const created = numberElements(row[8] ?? null).map(Number);
  const { names } = session;
  const { inputs, metas } = parted(ids.length, row[9] ?? "", row[10] ?? null) ?? (await bodies(session, ids, buckets));
  const laneAt = eachOrAll(allKnown(lanes, (id) => names.laneById(id)) ?? lanes.map(await names.lanesById(lanes)));
  const nameAt = eachOrAll(allKnown(kinds, (id) => names.kindById(id)) ?? kinds.map(await names.kindsById(kinds)));
  const prefixAt = eachOrAll(buckets.map(idPrefix));
  const attemptAt = eachOrAll(attempts);
  const mostAt = eachOrAll(most);
  const createdAt = eachOrAll(created);
  const consecutive = new Consecutive();
  const jobs: ClaimedJob[] = [];
  for (let index = 0; index < ids.length; index++) {
    const attempt = attemptAt(index);
    const job = {
      id: consecutive.of(prefixAt(index), ids[index] as string),
      name: nameAt(index),
      priority: laneAt(index).priority,
      input: inputs[index] as string,
      attempt,
      maxAttempts: Math.max(mostAt(index), attempt),
      createdAt: createdAt(index),
    };
    const meta = metas?.[index];
    jobs.push(meta === undefined || meta === null ? job : { ...job, meta });
  }
  raiseFloors(session, ids, lanes);
  const { queue } = laneAt(0);
  const order = inOrder(jobs, ids);
  const sorted = order === null ? jobs : order.map((index) => jobs[index] as ClaimedJob);
  const held = {
    queue,
    jobs: sorted.map((job) => job.id),
    numbers: order === null ? (idsText ?? "{}").slice(1, -1) : null,
    lanes: order === null || lanes.length === 1 ? lanes : order.map((index) => lanes[index] as number),
    open: jobs.length,
  };
  return { lease: { id: id ?? "", queue, claimedAt: Number(claimedAt), jobs: sorted }, held };
}

interface Bodies {
  readonly inputs: readonly (string | null)[];
  readonly metas: readonly (string | null)[] | null;
}

/** What numbers stand for, where all of them are known: then nobody waits. */
function allKnown<T>(ids: readonly number[], of: (id: number) => T | undefined): readonly T[] | null {
  const found = ids.map(of);
  return found.includes(undefined) ? null : (found as T[]);
}

/** The inputs and metas; null where some hold the very character that parts them. */
function parted(count: number, inputs: string, metas: string | null): Bodies | null {
  const parts = inputs.split(PARTS);
  const marked = metas === null ? null : metas.split(PARTS);
  if (parts.length !== count || (marked !== null && marked.length !== count)) return null;
  return { inputs: parts, metas: marked?.map((meta) => (meta === "" ? null : meta.slice(1))) ?? null };
}

/** The inputs and metas, read again, each by itself. */
async function bodies(session: Session, ids: readonly string[], buckets: readonly string[]): Promise<Bodies> {
  const text = `select j.input, j.meta from unnest($1::bigint[], $2::int[]) with ordinality as u (id, bucket, pos)
    join ${session.s}.job j on j.bucket = u.bucket and j.id = u.id order by u.pos`;
  const bucketAt = eachOrAll(buckets);
  const rows = await run(session, "bodies", text, [numbers(ids), numbers(ids.map((_, index) => bucketAt(index)))]);
  return { inputs: rows.map(([input = null]) => input), metas: rows.map(([, meta = null]) => meta) };
}

/** Arrays have one element where all are the same. */
function eachOrAll<T>(values: readonly T[]): (index: number) => T {
  const [all] = values;
  return values.length === 1 ? () => all as T : (index) => values[index] as T;
}

/** To the smallest id of each lane: the first, save after a sweep. */
function raiseFloors({ floors }: Session, ids: readonly string[], lanes: readonly number[]): void {
  const laneAt = eachOrAll(lanes);
  const smallest = new Map<number, string>();
  for (let index = 0; index < ids.length; index++) {
    const id = ids[index] as string;
    const before = smallest.get(laneAt(index));
    if (before === undefined || isLess(id, before)) smallest.set(laneAt(index), id);
  }
  for (const [lane, id] of smallest) floors.raise(lane, id);
}

/** Higher priority first, then in the order of enqueueing; null when they are. A claim that swept has added older ones at the end. */
function inOrder(jobs: readonly ClaimedJob[], ids: readonly string[]): readonly number[] | null {
  const before = (a: number, b: number) => {
    const byPriority = (jobs[b] as ClaimedJob).priority - (jobs[a] as ClaimedJob).priority;
    return byPriority || (isLess(ids[a] as string, ids[b] as string) ? -1 : 1);
  };
  for (let index = 1; index < jobs.length; index++) {
    if (before(index - 1, index) > 0) return jobs.map((_, position) => position).sort(before);
  }
  return null;
}

/** Whole numbers as text, which may be beyond what a JavaScript number holds. */
function isLess(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
