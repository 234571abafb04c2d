/** Lists of jobs, newest first, a page at a time. A page looks at a bounded number of rows, however few match. */
import type { JobFilter, JobQuery, JobSummary, Page } from "../contract.ts";
import { decodeCursor, encodeCursor } from "../shared/cursor.ts";
import { letterOf } from "./history.ts";
import { type Reading, summaryOf } from "./inspection.ts";
import { type BodyRow, type Place, Places } from "./place.ts";
import * as SQL from "./sql/inspection.ts";
import { FIND_NAME } from "./sql/names.ts";
import { PARKED_NAMES } from "./sql/promote.ts";

/** How many rows a page looks at before it is handed out as it is, perhaps not full. */
const MOST_LOOKED_AT = 5_000;

/** A row that may belong on the page: where the list stands, and which job. */
interface Candidate {
  readonly key: number;
  readonly job_id: number;
}

export function listJobs(reading: Reading, query: JobQuery): Page<JobSummary> {
  const found: { readonly key: number; readonly item: JobSummary }[] = [];
  const filter = filterOf(reading, query);
  if (filter === null) return { items: [], next: null };
  const places = new Places(reading.on);
  let key = decodeCursor(query.cursor, ["number"])?.[0] ?? Number.MAX_SAFE_INTEGER;
  let looked = 0;
  while (looked < MOST_LOOKED_AT) {
    const chunk = Math.min(2 * query.limit + 2, MOST_LOOKED_AT - looked);
    const candidates = candidatesOf(reading, places, query, key, chunk);
    for (const candidate of candidates) {
      const item = examine(reading, places, query, filter, candidate);
      key = candidate.key;
      if (item === null) continue;
      if (found.length === query.limit) return pageOf(found, found.at(-1)?.key ?? null, query);
      found.push({ key, item });
    }
    if (candidates.length < chunk) return pageOf(found, null, query);
    looked += candidates.length;
  }
  return pageOf(found, key, query);
}

/** A filter in numbers; null for any. */
export type Filter = { readonly queueId: number | null; readonly nameId: number | null };

/** Null when a filter's name was never used, so that nothing can match. */
export function filterOf({ on }: Reading, { queue, name }: JobFilter): Filter | null {
  const find = (text: string | undefined) => (text === undefined ? null : on.get<{ id: number }>(FIND_NAME, text)?.id);
  const queueId = find(queue);
  const nameId = find(name);
  return queueId === undefined || nameId === undefined ? null : { queueId, nameId };
}

/** Rows of the state below a key, in falling order; fewer than asked for only at the end. */
function candidatesOf({ on }: Reading, places: Places, { state }: JobQuery, key: number, limit: number): Candidate[] {
  switch (state) {
    case "awaiting":
    case "blocked":
      return [];
    case "scheduled":
      return on.all<Candidate>(SQL.SCHEDULED_DESCENDING, key, limit);
    case "ready": {
      const lanes = on
        .all<{ id: number }>(SQL.READY_QUEUES)
        .flatMap(({ id }) =>
          on
            .all<{ rank: number }>(SQL.LANES, id, id, id)
            .map(({ rank }) => on.all<Candidate>(SQL.LANE_DESCENDING, id, rank, key, limit)),
        );
      const parked = on
        .all<{ id: number }>(PARKED_NAMES)
        .map(({ id }) => on.all<Candidate>(SQL.PARKED_DESCENDING, id, key, limit));
      return newest([...lanes, ...parked].flat(), limit);
    }
    case "running": {
      const running = [...places.running.values()].filter(({ id }) => id < key);
      return newest(
        running.map(({ id }) => ({ key: id, job_id: id })),
        limit,
      );
    }
    case "succeeded":
      return on.all<Candidate>(SQL.SUCCEEDED_DESCENDING, key, limit);
    default:
      return on.all<Candidate>(SQL.BAD_DESCENDING, letterOf(state), key, limit);
  }
}

function newest(candidates: readonly Candidate[], limit: number): Candidate[] {
  return candidates.toSorted((a, b) => b.key - a.key).slice(0, limit);
}

function examine(
  reading: Reading,
  places: Places,
  query: JobQuery,
  filter: Filter,
  { key, job_id }: Candidate,
): JobSummary | null {
  const body = places.body(job_id);
  if (body === undefined || !matches(body, filter)) return null;
  const place = places.of(body);
  if (place === null || !isListed(place, query, key)) return null;
  return summaryOf(reading, body, place);
}

function matches(body: BodyRow, { queueId, nameId }: Filter): boolean {
  return (queueId === null || body.queue_id === queueId) && (nameId === null || body.name_id === nameId);
}

/** Whether the row is what the job is now: a line of history counts only as the last one. */
function isListed(place: Place, { state }: JobQuery, key: number): boolean {
  if (place.at === "final") return place.state === state && place.last.id === key;
  return (place.at === "parked" ? "ready" : place.at) === state;
}

/** A page may end behind what was looked at and did not match. */
function pageOf(
  found: readonly { readonly key: number; readonly item: JobSummary }[],
  next: number | null,
  { cursors }: JobQuery,
): Page<JobSummary> {
  const page = { items: found.map(({ item }) => item), next: next === null ? null : encodeCursor([next]) };
  return cursors ? { ...page, cursors: found.map(({ key }) => encodeCursor([key])) } : page;
}
