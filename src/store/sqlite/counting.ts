/**
 * How many jobs match, in portions of some milliseconds: between two of them handlers, timers and sockets of this
 * thread have their turn, and no snapshot is held.
 */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../time/index.ts";
import type { CountQuery, JobCount, JobFilter } from "../contract.ts";
import { countedUpTo, LONGEST_COUNT, mostLookedAt } from "../shared/counting.ts";
import type { Database } from "./database.ts";
import { letterOf } from "./history.ts";
import type { Reading } from "./inspection.ts";
import { type Filter, filterOf } from "./listing.ts";
import { Places } from "./place.ts";
import * as COUNT from "./sql/counting.ts";
import { LANES, READY_QUEUES } from "./sql/inspection.ts";
import { PARKED_NAMES } from "./sql/promote.ts";

/** Rows of one portion. */
const PORTION = 2_000;

/** Rows that are walked in the order of their keys, downwards. */
type Walk = (reading: Reading, below: number) => Portion;

interface Portion {
  readonly looked: number;
  readonly count: number;
  /** The last key; null when there was none. */
  readonly key: number | null;
}

export async function countJobs(read: Database["read"], query: CountQuery, clock: Clock): Promise<JobCount> {
  const { upTo } = query;
  const until = clock.monotonic() + LONGEST_COUNT;
  const most = mostLookedAt(upTo);
  let count = 0;
  let looked = 0;
  for (const walk of read((reading) => walksOf(reading, query))) {
    for (let key: number | null = Number.MAX_SAFE_INTEGER; key !== null; ) {
      if (looked > 0) await setImmediate();
      if (count > upTo || looked > most || clock.monotonic() > until) return countedUpTo(upTo, count, false);
      const below: number = key;
      const portion = read((reading) => walk(reading, below));
      count += portion.count;
      looked += portion.looked;
      key = portion.looked < PORTION ? null : portion.key;
    }
  }
  return countedUpTo(upTo, count, true);
}

function walksOf(reading: Reading, query: JobFilter): readonly Walk[] {
  const filter = filterOf(reading, query);
  if (filter === null) return [];
  const { queueId, nameId } = filter;
  const { on } = reading;
  const { state } = query;
  switch (state) {
    case "awaiting":
    case "blocked":
      return [];
    case "ready": {
      const queues = queueId === null ? on.all<{ id: number }>(READY_QUEUES).map(({ id }) => id) : [queueId];
      const lanes = queues.flatMap((id) =>
        on
          .all<{ rank: number }>(LANES, id, id, id)
          .map(({ rank }) => walk(COUNT.READY_IN_LANE, [nameId, nameId, id, rank])),
      );
      const names = nameId === null ? on.all<{ id: number }>(PARKED_NAMES).map(({ id }) => id) : [nameId];
      return [...lanes, ...names.map((id) => walk(COUNT.PARKED_OF_NAME, [queueId, queueId, id]))];
    }
    case "scheduled":
      return [walk(COUNT.SCHEDULED, [queueId, queueId, nameId, nameId])];
    case "running":
      return [(running) => countRunning(running, filter)];
    case "succeeded":
      return [walk(COUNT.SUCCEEDED, [queueId, queueId, nameId, nameId])];
    default:
      return [walk(COUNT.BAD, [queueId, queueId, nameId, nameId, letterOf(state)])];
  }
}

function walk(sql: string, parameters: readonly (number | string | null)[]): Walk {
  return ({ on }, below) => on.get<Portion>(sql, ...parameters, below, PORTION) ?? { looked: 0, count: 0, key: null };
}

/** What runs is told by a few leases, which are read whole. */
function countRunning({ on }: Reading, { queueId, nameId }: Filter): Portion {
  const running = [...new Places(on).running.values()];
  const { length } = running.filter(
    (job) => (queueId === null || job.queueId === queueId) && (nameId === null || job.nameId === nameId),
  );
  return { looked: running.length, count: length, key: null };
}
