/**
 * From one store to another, for good: what was written there is taken out of work here, in this order, so that an
 * interruption leaves a job in both stores but runnable in one place only once the move is run again.
 */
import { NightshiftError } from "../../errors/index.ts";
import { silentLogger } from "../../telemetry/index.ts";
import { systemClock } from "../../time/index.ts";
import { FINAL_STATES, type JobId, type NewSchedule, type Store, type WholeJob } from "../contract.ts";
import { every, PAGE } from "./export.ts";
import { importSchedule } from "./import.ts";
import { calendarsOf, isMark, leftAs, leftOn, noteMovedIn, refuseOneOfSeveral, shardOf } from "./one-of-several.ts";
import { checkOperation } from "./options.ts";

/** Options of {@link moveStore}. */
export interface MoveOptions {
  /** Whether jobs that are over go along. Default `false`: they stay where they are, to be looked at. */
  readonly finished?: boolean;
  /** Hears of each moved job's old id and its new one, at the end, also of those of an earlier run. */
  readonly onJob?: (from: JobId, to: JobId) => void;
  /** Hears how far it is, after each slice. */
  readonly onProgress?: (jobs: number) => void;
  /** Ends the move between two slices, with the signal's reason. Run it again to go on. */
  readonly signal?: AbortSignal;
}

/** What a move did. */
export interface MoveReport {
  /** Jobs that this run wrote into the target. */
  readonly jobs: number;
  /** Jobs of the source that were found in the target at the end, those of earlier runs included. */
  readonly verified: number;
  /** Queues that are paused here now because they were there. */
  readonly queues: number;
  readonly calendars: number;
  readonly schedules: number;
  /** Schedules whose id the target had already: they stay as they are there. */
  readonly keptSchedules: number;
  /**
   * Ids of those of which the target has another one, not only the same as the source. The source keeps its own, which
   * fires no more. What code declares in both is not told: it is what the code says now.
   */
  readonly otherSchedules: readonly string[];
  /** Queues of the source that stay paused, with the target as the reason. */
  readonly stayPaused: number;
}

/**
 * Moves what is to be done from one store to another: paused queues, calendars, schedules, jobs that are not over, and
 * with `finished` those that are. In the source the queues stay paused, the schedules too (in one of several databases,
 * which may come back beside the target, as marks of schedules that moved), and the jobs become cancelled, with the target
 * as the reason: nothing runs twice, whoever starts the old application again.
 *
 * Run again after an interruption it goes on where it was. At the end every job of the source is looked for in the target.
 *
 * @throws NS_STORE_IN_USE while processes are registered in the source, or when one began a job meanwhile
 * @throws NS_OPTION_INVALID when both are the same data
 * @example
 * ```ts
 * import { moveStore } from "nightshift/operations";
 * import { postgres } from "nightshift/postgres";
 * import { sqlite } from "nightshift/sqlite";
 *
 * const { verified } = await moveStore(sqlite("shop.db"), postgres("postgres://app@localhost/shop"));
 * console.log(`${verified} jobs moved`);
 * ```
 */
export async function moveStore(from: Store, to: Store, options: MoveOptions = {}): Promise<MoveReport> {
  checkOperation("moveStore()", { from, to }, options, ["finished", "onJob", "onProgress", "signal"]);
  const context = { clock: systemClock, logger: silentLogger };
  await from.open(context);
  try {
    await to.open(context);
    try {
      return await new Move(from, to, await from.identity(), options).run();
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

class Move {
  readonly #from: Store;
  readonly #to: Store;
  readonly #source: string;
  readonly #options: MoveOptions;
  readonly #reason: string;
  readonly #paused = new Set<string>();
  readonly #report = { jobs: 0, verified: 0, queues: 0, calendars: 0, schedules: 0, keptSchedules: 0, stayPaused: 0 };
  readonly #otherSchedules: string[] = [];

  constructor(from: Store, to: Store, source: string, options: MoveOptions) {
    this.#from = from;
    this.#to = to;
    this.#source = source;
    this.#options = options;
    const { kind, location } = to.info();
    this.#reason = `moved to ${kind} ${location}`;
  }

  async run(): Promise<MoveReport> {
    if ((await this.#to.identity()) === this.#source) {
      const message = "Both stores hold the same data (one may be a copy of the other). Give another target.";
      throw new NightshiftError("NS_OPTION_INVALID", message);
    }
    await refuseOneOfSeveral(this.#to);
    await this.#refuseWhileUsed();
    await this.#pauseQueues();
    // Whoever registered before the queues were paused may have claimed.
    await this.#refuseWhileUsed();
    await this.#moveSchedules();
    while ((await this.#moveLive()) > 0);
    if (this.#options.finished === true) await this.#copyFinished();
    await this.#verify();
    await noteMovedIn(this.#from, this.#to);
    return { ...this.#report, otherSchedules: this.#otherSchedules };
  }

  async #refuseWhileUsed(): Promise<void> {
    // Those that vanished are no obstacle: their jobs are ready again.
    while ((await this.#from.rescue(100)).length > 0);
    const now = await this.#from.now();
    const alive = (await this.#from.listInstances()).filter(({ expiresAt, running }) => expiresAt > now || running > 0);
    if (alive.length === 0) return;
    const who = alive.map(({ name, pid }) => `${name} (process ${pid})`).join(", ");
    const message = `The source is in use by ${who}. Stop them, or wait until they have expired, and run this again.`;
    throw new NightshiftError("NS_STORE_IN_USE", message, { details: { instances: alive.map(({ name }) => name) } });
  }

  async #pauseQueues(): Promise<void> {
    for (const { queue, paused } of (await this.#from.counts()).queues) {
      if (paused !== null && paused.reason !== this.#reason) {
        await this.#to.pauseQueue(queue, paused.reason ?? undefined);
        this.#report.queues++;
      }
      await this.#pause(queue);
    }
  }

  async #pause(queue: string): Promise<void> {
    if (this.#paused.has(queue)) return;
    await this.#from.pauseQueue(queue, this.#reason);
    this.#paused.add(queue);
    this.#report.stayPaused++;
  }

  async #moveSchedules(): Promise<void> {
    for (const { name, definition } of await calendarsOf(this.#from)) {
      await this.#to.saveCalendar(name, definition);
      this.#report.calendars++;
    }
    // A shard that comes back must not have it beside the one that is live: which would be the schedule then?
    const shard = await shardOf(this.#from);
    for await (const stored of every((page) => this.#from.listSchedules(page))) {
      if (isMark(stored)) {
        const left = shard === null ? null : leftOn(shard, stored);
        if (left !== null) await this.#compare(left);
        continue;
      }
      const { id, group, source, job, definition, nextAt, paused, lastAt } = stored;
      const schedule = { id, group, source, job, definition, nextAt, paused };
      if (await importSchedule(this.#to, { ...schedule, lastAt })) this.#report.schedules++;
      else await this.#compare(schedule);
      if (shard !== null) await this.#from.saveSchedules([leftAs(shard, schedule)], [stored.revision]);
      else if (!paused) await this.#from.saveSchedules([{ ...schedule, paused: true }], [stored.revision]);
    }
  }

  /** A schedule that was not written: whether the one in the target is this very one, as it is when a move is run again. */
  async #compare({ id, group, source, job, definition }: NewSchedule): Promise<void> {
    const [there] = await this.#to.getSchedules([id]);
    if (there === undefined) return;
    this.#report.keptSchedules++;
    if (source === "code" && there.source === "code") return;
    const isSame = there.group === group && there.job === job && there.definition === definition;
    if (!isSame) this.#otherSchedules.push(id);
  }

  /** Once through all jobs that are not over. Returns how many there were. */
  async #moveLive(): Promise<number> {
    let moved = 0;
    for await (const slice of this.#slices(false)) {
      for (const { queue } of slice) await this.#pause(queue);
      await this.#import(slice);
      const ids = slice.map(({ id }) => id);
      const results = await this.#from.cancel(ids, this.#reason);
      const began = ids.filter((_, index) => results[index] !== "cancelled");
      if (began.length > 0) {
        const message = `A process began ${began.length} jobs of the source meanwhile (${began.slice(0, 5).join(", ")}): look at them in both stores. Stop every process that uses the source and run this again.`;
        throw new NightshiftError("NS_STORE_IN_USE", message, { details: { jobs: began } });
      }
      moved += slice.length;
      this.#options.onProgress?.(this.#report.jobs);
    }
    return moved;
  }

  async #copyFinished(): Promise<void> {
    for await (const slice of this.#slices(true)) {
      await this.#import(slice.filter(isFinal));
      this.#options.onProgress?.(this.#report.jobs);
    }
  }

  async #import(slice: readonly WholeJob[]): Promise<void> {
    const imported = await this.#to.importJobs(this.#source, slice);
    this.#report.jobs += imported.filter(({ existed }) => !existed).length;
  }

  /** What was to be moved is looked for in the target, job by job. */
  async #verify(): Promise<void> {
    const missing: JobId[] = [];
    for await (const slice of this.#slices(true)) {
      // Queues that had nothing to do were not counted: the old application, started by mistake, must not go on there.
      for (const { queue } of slice) await this.#pause(queue);
      const wanted = slice.filter((job) => !isFinal(job) || this.#options.finished === true || this.#wasMoved(job));
      const found = await this.#to.findImported(this.#source, wanted);
      for (const [index, { id }] of wanted.entries()) {
        const target = found[index] ?? null;
        if (target === null) missing.push(id);
        else {
          this.#report.verified++;
          this.#options.onJob?.(id, target);
        }
      }
    }
    if (missing.length === 0) return;
    const message = `${missing.length} jobs of the source are not in the target (${missing.slice(0, 5).join(", ")}). Run this again.`;
    throw new NightshiftError("NS_STORE_IN_USE", message, { details: { jobs: missing } });
  }

  #wasMoved({ history }: WholeJob): boolean {
    const last = history.at(-1);
    return last?.what === "cancelled" && last.error === this.#reason;
  }

  async *#slices(finished: boolean): AsyncGenerator<readonly WholeJob[], void, void> {
    let cursor: string | null = null;
    do {
      this.#options.signal?.throwIfAborted();
      const page = await this.#from.readJobs({ limit: PAGE, finished, ...(cursor === null ? {} : { cursor }) });
      if (page.items.length > 0) yield page.items;
      cursor = page.next;
    } while (cursor !== null);
  }
}

function isFinal({ state }: WholeJob): boolean {
  return FINAL_STATES.some((final) => final === state);
}
