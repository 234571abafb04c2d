/** Lines of text into a store: checked line by line, written slice by slice, safe to run again. */
import { silentLogger } from "../../telemetry/index.ts";
import { systemClock } from "../../time/index.ts";
import type { JobId, Store, WholeJob } from "../contract.ts";
import { type EndLine, type ExportLine, importError, readLine, type ScheduleLine } from "./format.ts";
import { linesOf } from "./lines.ts";
import { refuseOneOfSeveral } from "./one-of-several.ts";
import { checkOperation } from "./options.ts";

/** Options of {@link importStore}. */
export interface ImportOptions {
  /** Hears of each job's old id and the one that it was given here, also of those that were imported before. */
  readonly onJob?: (from: JobId, to: JobId) => void;
  /** Ends the import between two slices, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What an import did. */
export interface ImportReport {
  /** Jobs written. */
  readonly jobs: number;
  /** Jobs that an import before this one had written. */
  readonly existed: number;
  /** Queues that are paused here now because they were there. */
  readonly queues: number;
  readonly calendars: number;
  readonly schedules: number;
  /** Schedules whose id was there already: they stay as they are. */
  readonly keptSchedules: number;
}

/** Jobs of one commit. */
const SLICE = 200;
/** And their text, in characters. */
const SLICE_TEXT = 4_000_000;

/**
 * Reads what {@link exportStore} wrote into a store, which it opens and closes. Jobs are given new ids; those of the same
 * source that are there already are passed over, so an import that was interrupted is simply run again.
 *
 * Each line is checked before anything of its slice is written. Slices before it stay.
 *
 * @param input the file's chunks, or its lines
 * @throws NS_IMPORT_INVALID with the number of the line; whatever the store throws
 * @example
 * ```ts
 * import { createReadStream } from "node:fs";
 * import { importStore } from "nightshift/operations";
 * import { sqlite } from "nightshift/sqlite";
 *
 * const { jobs, existed } = await importStore(sqlite("new.db"), createReadStream("shop.jsonl"));
 * console.log(`${jobs} jobs, ${existed} of them were here before`);
 * ```
 */
export async function importStore(
  store: Store,
  input: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  options: ImportOptions = {},
): Promise<ImportReport> {
  checkOperation("importStore()", { store }, options, ["onJob", "signal"]);
  const work = new Import(store, options);
  try {
    return await work.run(input);
  } finally {
    await work.close();
  }
}

class Import {
  readonly #store: Store;
  readonly #options: ImportOptions;
  readonly #report = { jobs: 0, existed: 0, queues: 0, calendars: 0, schedules: 0, keptSchedules: 0 };
  #opened = false;
  #source: string | null = null;
  #slice: WholeJob[] = [];
  #text = 0;

  constructor(store: Store, options: ImportOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Once there is an export to be read: a mistyped file must not leave a new, empty store. */
  async #open(): Promise<void> {
    await this.#store.open({ clock: systemClock, logger: silentLogger });
    this.#opened = true;
    await refuseOneOfSeveral(this.#store);
  }

  async close(): Promise<void> {
    if (this.#opened) await this.#store.close();
  }

  async run(input: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>): Promise<ImportReport> {
    let number = 0;
    let end: EndLine | null = null;
    for await (const text of linesOf(input)) {
      number++;
      const line = readLine(text, number);
      if (end !== null) throw importError(number, "there is more behind the end. Give one export at a time.");
      if (line.type === "end") end = line;
      else await this.#take(line, number);
    }
    await this.#flush();
    if (end === null) throw importError(number + 1, `the file is cut off: the end is missing. ${this.#soFar()}`);
    const { jobs, existed, schedules, keptSchedules } = this.#report;
    if (end.jobs !== jobs + existed || end.schedules !== schedules + keptSchedules) {
      throw importError(number, `lines are missing: the end counts ${end.jobs} jobs. ${this.#soFar()}`);
    }
    return this.#report;
  }

  async #take(line: Exclude<ExportLine, EndLine>, number: number): Promise<void> {
    if (line.type === "nightshift-export") {
      if (this.#source !== null) throw importError(number, "a second header. Give one export at a time.");
      await this.#open();
      this.#source = line.source;
      return;
    }
    if (this.#source === null) throw importError(number, "the first line must be the header of an export.");
    switch (line.type) {
      case "queue":
        await this.#store.pauseQueue(line.queue, line.paused.reason ?? undefined);
        this.#report.queues++;
        return;
      case "calendar":
        await this.#store.saveCalendar(line.name, line.definition);
        this.#report.calendars++;
        return;
      case "schedule":
        if (await importSchedule(this.#store, line)) this.#report.schedules++;
        else this.#report.keptSchedules++;
        return;
      case "job":
        this.#slice.push(line);
        this.#text += line.input.length;
        if (this.#slice.length >= SLICE || this.#text >= SLICE_TEXT) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const slice = this.#slice;
    if (slice.length === 0 || this.#source === null) return;
    this.#options.signal?.throwIfAborted();
    this.#slice = [];
    this.#text = 0;
    const imported = await this.#store.importJobs(this.#source, slice);
    for (const [index, { id, existed }] of imported.entries()) {
      this.#report[existed ? "existed" : "jobs"]++;
      this.#options.onJob?.(slice[index]?.id ?? "", id);
    }
  }

  #soFar(): string {
    const { jobs, existed } = this.#report;
    return `${jobs} jobs were imported, ${existed} were here before; run it again with the whole file.`;
  }
}

/** Writes a schedule if there is none of its id; its last occurrence stays dealt with. Returns whether it was written. */
export async function importSchedule(store: Store, line: Omit<ScheduleLine, "type">): Promise<boolean> {
  const { lastAt, ...schedule } = line;
  const { id, group, source, job, definition, nextAt, paused } = schedule;
  const [saved] = await store.saveSchedules([{ id, group, source, job, definition, nextAt, paused }], [0]);
  if (saved === null || saved === undefined) return false;
  if (lastAt !== null) {
    const last = {
      at: lastAt,
      what: "skipped",
      reason: "dealt with in the store that this was imported from",
    } as const;
    await store.fire([{ schedule: id, revision: saved.revision, occurrences: [last], nextAt }], "import");
  }
  return true;
}
