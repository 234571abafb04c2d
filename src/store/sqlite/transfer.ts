/** Taking jobs out of the file whole, and putting them in. */
import type { Imported, JobId, Page, PageRequest, SourceJob, WholeEntry, WholeJob } from "../contract.ts";
import { decodeCursor, encodeCursor } from "../shared/cursor.ts";
import { asCounted, landingOf, MOST_TEXT_OF_PAGE, pastEnds, sourceKey } from "../shared/transfer.ts";
import type { Connection } from "./connection.ts";
import { finalStateOf, type Letter, letterOf, wordOf } from "./history.ts";
import type { Reading } from "./inspection.ts";
import { Places } from "./place.ts";
import { CANCELLATION_OF, JOB_INPUT } from "./sql/control.ts";
import { INSERT_JOB, INSERT_READY, INSERT_SCHEDULED } from "./sql/enqueue.ts";
import { INSERT_FINISHED } from "./sql/settle.ts";
import * as SQL from "./sql/transfer.ts";
import type { Transaction } from "./transaction.ts";

/** In place of a lease, in lines that an import brought. */
const IMPORTED = 0;
/** How many jobs a page looks at, however few of them it is to tell. */
const MOST_LOOKED_AT = 5_000;

export function identity({ on }: Reading): string {
  return on.get<{ id: string }>(SQL.IDENTITY)?.id ?? "";
}

export function readJobs(reading: Reading, page: PageRequest & { readonly finished: boolean }): Page<WholeJob> {
  let last = decodeCursor(page.cursor, ["number"])?.[0] ?? 0;
  const places = new Places(reading.on);
  const items: WholeJob[] = [];
  let text = 0;
  let looked = 0;
  const most = page.finished ? page.limit + 1 : MOST_LOOKED_AT;
  type Row = { readonly id: number; readonly text: number; readonly last: Letter | null };
  for (const row of reading.on.all<Row>(SQL.JOBS_AFTER, last, most)) {
    if (items.length === page.limit || text > MOST_TEXT_OF_PAGE) return { items, next: encodeCursor([last]) };
    looked++;
    last = row.id;
    const over = row.last !== null && finalStateOf(row.last) !== null;
    const job = over && !page.finished ? null : wholeJob(reading, places, row.id);
    if (job === null) continue;
    items.push(job);
    text += row.text;
  }
  return { items, next: looked === most ? encodeCursor([last]) : null };
}

function wholeJob(reading: Reading, places: Places, id: number): WholeJob | null {
  const { on, nameOf } = reading;
  const body = places.body(id);
  const place = body === undefined ? null : places.of(body);
  if (body === undefined || place === null) return null;
  type Row = Omit<WholeEntry, "what"> & { readonly what: Letter };
  return {
    id: String(id),
    name: nameOf(body.name_id),
    queue: nameOf(body.queue_id),
    priority: body.priority,
    state: place.at === "final" ? place.state : place.at === "parked" ? "ready" : place.at,
    attempt: place.attempt,
    maxAttempts: body.max_attempts,
    maxCrashes: body.max_crashes,
    createdAt: body.created_at,
    dueAt: place.at === "scheduled" ? place.runAt : null,
    ...(on.get<{ input: string; meta: string | null }>(JOB_INPUT, id) ?? { input: "", meta: null }),
    instance: place.at === "running" ? place.running.instance.name : null,
    cancelRequested: on.get<{ reason: string }>(CANCELLATION_OF, id)?.reason ?? null,
    history: on.all<Row>(SQL.WHOLE_HISTORY, id).map((line) => ({ ...line, what: wordOf(line.what) })),
  };
}

export function importJobs(tx: Transaction, source: string, jobs: readonly WholeJob[]): Imported[] {
  const before = lastLine(tx.on);
  const imported = jobs.map((job): Imported => {
    const key = sourceKey(job);
    const known = tx.on.get<{ job_id: number }>(SQL.FIND_IMPORTED, source, key);
    if (known !== undefined) return { id: String(known.job_id), existed: true };
    const id = importJob(tx, job);
    tx.on.run(SQL.INSERT_IMPORTED, source, key, id, tx.at.now);
    return { id: String(id), existed: false };
  });
  const after = lastLine(tx.on);
  if (after > before && tx.on.get(SQL.GROW_BLOCK, after, before) === undefined) {
    tx.on.run(SQL.INSERT_BLOCK, before + 1, after);
  }
  return imported;
}

function lastLine(on: Connection): number {
  return on.get<{ id: number }>(SQL.LAST_LINE)?.id ?? 0;
}

export function findImported(on: Connection, source: string, jobs: readonly SourceJob[]): (JobId | null)[] {
  return jobs.map((job) => {
    const found = on.get<{ job_id: number }>(SQL.FIND_IMPORTED, source, sourceKey(job));
    return found === undefined ? null : String(found.job_id);
  });
}

function importJob(tx: Transaction, job: WholeJob): number {
  const { on, names, wakes } = tx;
  const { priority, maxAttempts, maxCrashes, createdAt, input, meta } = job;
  const id = tx.nextJobId();
  const queueId = names.idOf(job.queue);
  const nameId = names.idOf(job.name);
  on.run(INSERT_JOB, id, queueId, nameId, priority, maxAttempts, maxCrashes, createdAt, input, meta);
  const { history, next } = landingOf(job, tx.at.now);
  for (const { at, attempt, what, ms, error, instance, result } of history) {
    const by = instance === null ? null : names.idOf(instance);
    const rounded = ms === null ? null : Math.round(ms);
    on.run(INSERT_FINISHED, at, id, IMPORTED, queueId, nameId, by, attempt, letterOf(what), rounded, error, result);
  }
  for (const { what, at } of asCounted(history)) tx.count(what, at);
  for (const state of pastEnds(history, next)) tx.gone(state);
  if (next.to === "ready") {
    on.run(INSERT_READY, queueId, -priority, id, next.attempt);
    wakes.work(job.queue);
  } else if (next.to === "scheduled") {
    on.run(INSERT_SCHEDULED, next.at, id, queueId, -priority, next.attempt);
    wakes.scheduled(next.at);
  }
  return id;
}
