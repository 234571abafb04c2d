/** Claiming the head of queues, one lease a queue. */
import type { ClaimedJob, ClaimRequest, InstanceId, Lease } from "../contract.ts";
import { MOST_BYTES } from "../shared/claiming.ts";
import { allowedAttempts } from "../shared/outcomes.ts";
import { mergeWants } from "../shared/settling.ts";
import type { Connection } from "./connection.ts";
import { idText, parseId } from "./ids.ts";
import { isAlive } from "./instances.ts";
import { encodeLeased, type LeasedJob } from "./lease.ts";
import type { Names } from "./names.ts";
import { ANY_READY, DELETE_HEAD, HEAD_OF_QUEUE, INSERT_LEASE, PAUSE_OF } from "./sql/claim.ts";
import { INSERT_PARKED } from "./sql/enqueue.ts";
import type { Transaction } from "./transaction.ts";

/** How many jobs of unknown names one claim sets aside at most before others get their turn at the lock. */
const MOST_PARKED = 2_000;

/** As {@link HEAD_OF_QUEUE} selects them. */
type HeadRow = readonly [
  rank: number,
  id: number,
  attempt: number,
  nameId: number,
  maxAttempts: number,
  createdAt: number,
  input: string,
  meta: string | null,
];

/** Whether a claim might find something. One that would not need not wait for the write lock, nor keep others from it. */
export function anythingToClaim(on: Connection, names: Names, { wants }: ClaimRequest): boolean {
  return wants.some(({ queue }) => {
    const id = names.find(queue);
    return id !== undefined && on.get(ANY_READY, id) !== undefined;
  });
}

export function claim(tx: Transaction, instance: InstanceId, request: ClaimRequest): Lease[] {
  const wants = mergeWants(request.wants);
  const instanceId = parseId(instance);
  if (instanceId === null || !isAlive(tx, instanceId)) return [];
  const leases: Lease[] = [];
  for (const [queue, limit] of wants) {
    const queueId = tx.names.find(queue);
    if (queueId === undefined || tx.on.get(PAUSE_OF, queueId) !== undefined) continue;
    const rows = takeHead(tx, queue, queueId, limit, request.names);
    if (rows.length === 0) continue;
    const leased = encodeLeased(rows.map(toLeased));
    const lease = tx.on.get<{ id: number }>(INSERT_LEASE, instanceId, queueId, tx.at.now, rows.length, leased);
    const jobs = rows.map((row) => toClaimed(row, tx.names.textOf(row[3])));
    leases.push({ id: String(lease?.id), queue, claimedAt: tx.at.now, jobs });
  }
  return leases;
}

/** Takes jobs of known names from the head of the queue; those of other names that stand before them are parked. */
function takeHead(
  tx: Transaction,
  queue: string,
  queueId: number,
  limit: number,
  names: ReadonlySet<string>,
): HeadRow[] {
  const known: HeadRow[] = [];
  let parked = 0;
  let bytes = 0;
  while (known.length < limit && bytes < MOST_BYTES) {
    const wanted = limit - known.length;
    const head = readHead(tx, queueId, wanted, MOST_BYTES - bytes);
    for (const row of head) {
      const [rank, id, attempt, nameId, , , input] = row;
      if (names.has(tx.names.textOf(nameId))) {
        known.push(row);
        bytes += input.length;
      } else {
        tx.on.run(INSERT_PARKED, nameId, id, queueId, rank, attempt);
        parked++;
      }
    }
    const last = head.at(-1);
    if (last !== undefined) tx.on.run(DELETE_HEAD, queueId, last[0], last[1]);
    if (head.length < wanted && bytes < MOST_BYTES) return known;
    if (parked >= MOST_PARKED) {
      tx.wakes.work(queue); // there is more behind them: look again
      return known;
    }
  }
  return known;
}

/** Up to so many rows, stopping once their inputs are too large together. One row is always read. */
function readHead(tx: Transaction, queueId: number, limit: number, bytes: number): HeadRow[] {
  const rows: HeadRow[] = [];
  let left = bytes;
  for (const row of tx.on.iterateArrays<HeadRow>(HEAD_OF_QUEUE, queueId, limit)) {
    rows.push(row);
    left -= row[6].length;
    if (left <= 0) break;
  }
  return rows;
}

function toLeased([, id, attempt, nameId]: HeadRow): LeasedJob {
  return { id, attempt: attempt + 1, nameId };
}

function toClaimed(row: HeadRow, name: string): ClaimedJob {
  const [rank, id, before, , maxAttempts, createdAt, input, meta] = row;
  const attempt = before + 1;
  const claimed = {
    id: idText(id),
    name,
    priority: rank === 0 ? 0 : -rank,
    input,
    attempt,
    maxAttempts: allowedAttempts(maxAttempts, attempt),
    createdAt,
  };
  return meta === null ? claimed : { ...claimed, meta };
}
