/** Taking jobs out of the memory store whole, and putting them in. */
import type { Imported, JobId, Page, PageRequest, SourceJob, WholeJob } from "../contract.ts";
import { decodeCursor, encodeCursor } from "../shared/cursor.ts";
import { landingOf, MOST_TEXT_OF_PAGE, sourceKey } from "../shared/transfer.ts";
import type { MemoryJob, MemoryState } from "./state.ts";

export function readJobs(state: MemoryState, page: PageRequest & { readonly finished: boolean }): Page<WholeJob> {
  const after = decodeCursor(page.cursor, ["number"])?.[0] ?? 0;
  const items: WholeJob[] = [];
  let text = 0;
  let last = after;
  for (const job of [...state.jobs.values()].sort((a, b) => a.seq - b.seq)) {
    if (job.seq <= after || (job.place.at === "final" && !page.finished)) continue;
    if (items.length === page.limit || text > MOST_TEXT_OF_PAGE) return { items, next: encodeCursor([last]) };
    items.push(wholeJob(job));
    text += job.body.input.length;
    last = job.seq;
  }
  return { items, next: null };
}

export function importJobs(state: MemoryState, source: string, jobs: readonly WholeJob[], now: number): Imported[] {
  return jobs.map((job) => {
    const key = markOf(source, job);
    const known = state.imported.get(key);
    if (known !== undefined) return { id: known.id, existed: true };
    const { name, queue, priority, input, meta, maxAttempts, maxCrashes, createdAt } = job;
    const body = { name, queue, priority, input, maxAttempts, maxCrashes, ...(meta === null ? {} : { meta }) };
    const id = state.land({ body, createdAt }, landingOf(job, now));
    state.imported.set(key, { id, at: now });
    return { id, existed: false };
  });
}

export function findImported(state: MemoryState, source: string, jobs: readonly SourceJob[]): (JobId | null)[] {
  return jobs.map((job) => state.imported.get(markOf(source, job))?.id ?? null);
}

function markOf(source: string, job: SourceJob): string {
  return `${source} ${sourceKey(job)}`;
}

function wholeJob({ id, body, attempt, place, createdAt, history, cancelRequested }: MemoryJob): WholeJob {
  const { name, queue, priority, input, meta = null, maxAttempts, maxCrashes } = body;
  return {
    ...{ id, name, queue, priority, attempt, maxAttempts, maxCrashes, createdAt, input, meta, cancelRequested },
    state: place.at === "final" ? place.state : place.at,
    dueAt: place.at === "scheduled" ? place.due : null,
    instance: place.at === "running" ? place.lease.instance.body.name : null,
    history: history.map(({ lease: _, ...line }) => line),
  };
}
