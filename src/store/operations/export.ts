/** A store as lines of text: streamed, a page of jobs in memory at a time. */
import { silentLogger } from "../../telemetry/index.ts";
import { systemClock } from "../../time/index.ts";
import type { Page, PageRequest, Store, StoredSchedule } from "../contract.ts";
import { FORMAT_VERSION, writeLine } from "./format.ts";
import { calendarsOf, isMark } from "./one-of-several.ts";
import { checkOperation } from "./options.ts";

/** Options of {@link exportStore}. */
export interface ExportOptions {
  /** Whether jobs that are over go along, with their history. Default `true`. */
  readonly finished?: boolean;
  /** Ends the export between two pages, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Jobs and schedules read at once. */
export const PAGE = 200;

/**
 * All that a store holds, as the lines of a file (docs/guides/operations.md describes them): paused queues, calendars,
 * schedules, jobs with their history. Opens the store, and closes it when the last line was taken.
 *
 * Workers may go on meanwhile: each job is told once, as it is when its page is read. For a file in which nothing moves,
 * stop the workers first.
 *
 * @throws whatever opening the store throws
 * @example
 * ```ts
 * import { createWriteStream } from "node:fs";
 * import { Readable } from "node:stream";
 * import { pipeline } from "node:stream/promises";
 * import { exportStore } from "nightshift/operations";
 * import { sqlite } from "nightshift/sqlite";
 *
 * await pipeline(Readable.from(exportStore(sqlite("shop.db"))), createWriteStream("shop.jsonl"));
 * ```
 */
export async function* exportStore(store: Store, options: ExportOptions = {}): AsyncGenerator<string, void, void> {
  checkOperation("exportStore()", { store }, options, ["finished", "signal"]);
  const { finished = true, signal } = options;
  await store.open({ clock: systemClock, logger: silentLogger });
  try {
    const { kind, location } = store.info();
    const source = await store.identity();
    const about = { source, kind, location, exportedAt: await store.now(), finished };
    yield writeLine({ type: "nightshift-export", version: FORMAT_VERSION, ...about });
    const count = { queues: 0, calendars: 0, schedules: 0, jobs: 0 };
    for (const { queue, paused } of (await store.counts()).queues) {
      if (paused === null) continue;
      count.queues++;
      yield writeLine({ type: "queue", queue, paused });
    }
    for (const calendar of await calendarsOf(store)) {
      count.calendars++;
      yield writeLine({ type: "calendar", ...calendar });
    }
    for await (const schedule of everySchedule(store)) {
      count.schedules++;
      const { id, group, source, job, definition, nextAt, paused, lastAt } = schedule;
      yield writeLine({ type: "schedule", id, group, source, job, definition, nextAt, paused, lastAt });
    }
    for await (const job of every((page) => store.readJobs({ ...page, finished }))) {
      signal?.throwIfAborted();
      count.jobs++;
      yield writeLine({ type: "job", ...job });
    }
    yield writeLine({ type: "end", ...count });
  } finally {
    await store.close();
  }
}

/** All schedules of an open store. */
export async function* everySchedule(store: Store): AsyncGenerator<StoredSchedule, void, void> {
  for await (const schedule of every((page) => store.listSchedules(page))) if (!isMark(schedule)) yield schedule;
}

/** Entry by entry through all pages. */
export async function* every<T>(ask: (page: PageRequest) => Promise<Page<T>>): AsyncGenerator<T, void, void> {
  let cursor: string | null = null;
  do {
    const page: Page<T> = await ask({ limit: PAGE, ...(cursor === null ? {} : { cursor }) });
    yield* page.items;
    cursor = page.next;
  } while (cursor !== null);
}
