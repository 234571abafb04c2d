/** The client: what an application and its people do with schedules, other than firing them. */
import { NightshiftError, Problems, show } from "../errors/index.ts";
import {
  encodeInput,
  type InputOf,
  type JobDefinition,
  type JobHandle,
  type JobRegistry,
  type Jobs,
} from "../jobs/index.ts";
import type { NewSchedule, Page, PageRequest, ScheduleQuery, Store, StoredSchedule } from "../store/contract.ts";
import type { Calendar } from "../time/index.ts";
import { type CalendarInfo, listCalendars, removeCalendar, saveCalendar } from "./calendars.ts";
import { changed } from "./changed.ts";
import { checkCall, checkList, checkPreview, checkResume, checkText } from "./client-options.ts";
import { noSuchSchedule, staleSchedule, TRIES } from "./contention.ts";
import { queueOf, type ScheduleSpec, writeDefinition } from "./definition.ts";
import { changeGroup, listGroups, type ScheduleGroup } from "./groups.ts";
import { ManualTriggers } from "./manual-triggers.ts";
import type { ScheduleChanges, ScheduleOptions } from "./options.ts";
import { markGroup, pauseLatecomers, unmarkGroup } from "./paused-groups.ts";
import { type PausingParts, pauseThem, resumeThem } from "./pausing.ts";
import { readChanges, readSchedule as readOptions } from "./read-options.ts";
import { type Readable, Reader, readNamed } from "./readable.ts";
import { type Occurrence, readOccurrence, readSchedule, type ScheduleInfo } from "./schedule-info.ts";
import type { StoreSource } from "./store-source.ts";
import { firstTime, timelineFor } from "./timing.ts";

/** What a {@link Schedules} is made of. */
export interface SchedulesParts {
  readonly source: StoreSource;
  readonly registry: JobRegistry;
  readonly jobs: Jobs;
  /** The most bytes of JSON in an input. */
  readonly maxPayload: number;
  /** The instance's name, for the history. */
  readonly by: string;
}

/** How a change is guarded. */
export interface UpdateOptions {
  /** Only if the schedule still has this revision; else `NS_SCHEDULE_STALE`. Default: whatever it is. */
  readonly revision?: number;
}

/** What becomes of the occurrences of a pause. */
export interface ResumeOptions {
  /** `"skip"` (default): they are left out, with a line in the history. `"policy"`: the misfire policy decides. */
  readonly missed?: "skip" | "policy";
}

const PAGE = 50;

/**
 * Creates, changes and triggers schedules, and asks about them. `host.schedules` is one; services get it by naming the
 * class in `inject`.
 *
 * @example
 * ```ts
 * import { Schedules, cron, defineJob, unchecked } from "nightshift";
 *
 * const report = defineJob({ name: "report", input: unchecked<{ customer: string }>(), run: () => undefined });
 *
 * class Reports {
 *   static readonly inject = [Schedules] as const;
 *   readonly schedules: Schedules;
 *   constructor(schedules: Schedules) {
 *     this.schedules = schedules;
 *   }
 *   async subscribe(customer: string) {
 *     const trigger = cron("0 7 * * MON", { timeZone: "Europe/Oslo" });
 *     await this.schedules.create({ id: `report:${customer}`, trigger, job: report, input: { customer } });
 *   }
 * }
 * ```
 */
export class Schedules {
  readonly #parts: SchedulesParts;
  readonly #reader = new Reader();
  readonly #triggers: ManualTriggers;

  /** Made by `addJobs()`. */
  constructor(parts: SchedulesParts) {
    this.#parts = parts;
    this.#triggers = new ManualTriggers(parts, this.#reader);
  }

  /**
   * Creates a schedule. Its first occurrence is the first time of its trigger from now on.
   *
   * @throws NS_SCHEDULE_DUPLICATE when the id is taken, NS_SCHEDULE_INVALID when it would never fire, NS_JOB_UNKNOWN,
   * NS_JOB_INPUT, and what the options' mistakes are
   */
  async create<D extends JobDefinition>(options: ScheduleOptions<D>): Promise<ScheduleInfo> {
    const problems = new Problems();
    const read = readOptions(options, problems);
    problems.throwIfAny("The schedule");
    if (read === undefined) throw new NightshiftError("NS_SCHEDULE_INVALID", "The schedule has no readable options.");
    const { id, group, job, paused } = read;
    this.#parts.registry.refuseUnknown(job);
    const spec: ScheduleSpec = { ...read.spec, input: await encodeInput(job, read.input, this.#parts.maxPayload) };
    const store = await this.#parts.source.open();
    const { calendars, pausedGroups } = await readNamed(store);
    const nextAt = firstTime(timelineFor(spec, calendars), await store.now(), spec.misfireThreshold);
    if (nextAt === null) {
      throw new NightshiftError("NS_SCHEDULE_INVALID", `Schedule ${show(id)} would never fire: no time is left.`);
    }
    const definition = writeDefinition({ spec, state: {} });
    const schedule: NewSchedule = {
      ...{ id, group, source: "dynamic", job: job.name, definition, nextAt },
      paused: paused || pausedGroups.has(group),
      queue: queueOf(spec),
    };
    const [written] = await store.saveSchedules([schedule], [0]);
    const [settled] = written ? await pauseLatecomers(store, [written]) : [];
    if (settled) return readSchedule(settled);
    const message = `A schedule ${show(id)} exists already. Change it with update(), or choose another id.`;
    throw new NightshiftError("NS_SCHEDULE_DUPLICATE", message);
  }

  /**
   * Changes a schedule that was created at run time. What is left out stays; `null` takes an optional setting away.
   *
   * @throws NS_SCHEDULE_NOT_FOUND, NS_SCHEDULE_STALE, NS_SCHEDULE_INVALID when code declares it or it would never fire
   */
  async update<D extends JobDefinition>(
    id: string,
    changes: ScheduleChanges<D>,
    options: UpdateOptions = {},
  ): Promise<ScheduleInfo> {
    checkText("schedules.update(): id", id);
    checkCall("schedules.update()", options, ["revision"]);
    const problems = new Problems();
    const read = readChanges(changes, id, problems);
    problems.throwIfAny("The change");
    const { registry, maxPayload } = this.#parts;
    if (read.job !== undefined) registry.refuseUnknown(read.job);
    return this.#change(id, options, async (readable, now, store) => {
      const { calendars, pausedGroups } = await readNamed(store);
      return changed(readable, read, { registry, maxPayload, calendars, pausedGroups, now });
    });
  }

  /** No occurrence makes a job any more, until {@link resume}. Jobs that exist go on. Harmless when it is paused. */
  async pause(id: string): Promise<ScheduleInfo> {
    checkText("schedules.pause(): id", id);
    const parts = await this.#pausing();
    return standing(id, await pauseThem(parts, await parts.store.getSchedules([id])));
  }

  /** Ends a pause. Harmless when it is not paused. */
  async resume(id: string, options: ResumeOptions = {}): Promise<ScheduleInfo> {
    checkText("schedules.resume(): id", id);
    checkResume("schedules.resume()", options);
    const { missed = "skip" } = options;
    const parts = await this.#pausing();
    const resumed = await resumeThem(parts, await parts.store.getSchedules([id]), missed);
    if (resumed.unreadable.has(id)) throw resumed.unreadable.get(id);
    return standing(id, resumed);
  }

  /** Removes a schedule and its history; its jobs stay. False when there was none. One that code declares comes back at the next start. */
  async remove(id: string): Promise<boolean> {
    checkText("schedules.remove(): id", id);
    return (await (await this.#parts.source.open()).removeSchedules([id])).length > 0;
  }

  /**
   * Makes a job now, whatever the schedule's times, pause and overlap policy say, and leaves its times as they are.
   * The job appears in the history as `manual`.
   *
   * @param options.input in place of the schedule's own
   * @throws NS_SCHEDULE_NOT_FOUND, NS_JOB_INPUT, NS_JOB_UNKNOWN when another input cannot be checked here
   */
  async trigger<D extends JobDefinition = JobDefinition>(
    id: string,
    options: { readonly input?: InputOf<D> } = {},
  ): Promise<JobHandle> {
    checkText("schedules.trigger(): id", id);
    checkCall("schedules.trigger()", options, ["input"]);
    return this.#triggers.make(id, options);
  }

  /** A schedule; null when there is none. */
  async get(id: string): Promise<ScheduleInfo | null> {
    checkText("schedules.get(): id", id);
    const [stored] = await (await this.#parts.source.open()).getSchedules([id]);
    return stored === undefined ? null : readSchedule(stored);
  }

  /** Schedules in the order of their ids, a page at a time (50 unless `limit` says otherwise). */
  async list(query: Partial<ScheduleQuery> = {}): Promise<Page<ScheduleInfo>> {
    checkList("schedules.list()", query);
    const page = await (await this.#parts.source.open()).listSchedules({ limit: PAGE, ...query });
    return { items: page.items.map(readSchedule), next: page.next };
  }

  /**
   * The groups and how many schedules each has, those included that are paused as a whole and empty; the empty text
   * stands for schedules without a group.
   */
  async groups(): Promise<readonly ScheduleGroup[]> {
    return listGroups(await this.#parts.source.open());
  }

  /** The names of the groups that are paused as a whole: one look, however many schedules there are. */
  async pausedGroups(): Promise<readonly string[]> {
    return [...(await readNamed(await this.#parts.source.open())).pausedGroups].sort();
  }

  /**
   * The next `n` planned times (10,000 at most) from now on (or from `from`), as if the schedule were not paused. Jitter
   * comes on top.
   */
  async preview(id: string, n = 10, from?: Date): Promise<readonly Date[]> {
    checkText("schedules.preview(): id", id);
    checkPreview("schedules.preview()", n, from);
    const store = await this.#parts.source.open();
    const { timeline, spec, state } = await this.#reader.find(store, id);
    const left = spec.maxCount === undefined ? n : Math.min(n, spec.maxCount - (state.fired ?? 0));
    const times: Date[] = [];
    let at = timeline.atOrAfter(from?.getTime() ?? (await store.now()));
    for (; at !== null && times.length < left; at = timeline.after(at)) times.push(new Date(at));
    return times;
  }

  /** What became of its occurrences, the latest first. Kept for 30 days. */
  async occurrences(id: string, page: Partial<PageRequest> = {}): Promise<Page<Occurrence>> {
    checkText("schedules.occurrences(): id", id);
    checkCall("schedules.occurrences()", page, ["limit", "cursor", "cursors"]);
    const found = await (await this.#parts.source.open()).listOccurrences(id, { limit: PAGE, ...page });
    return { items: found.items.map(readOccurrence), next: found.next };
  }

  /**
   * Pauses every schedule of the group, and the group as a whole: what is added to it later, by code or at run time,
   * starts paused, until {@link resumeGroup}. Schedules without a group belong to none: `pauseGroup("")` pauses those
   * there are. Gives how many were not paused before.
   */
  async pauseGroup(group: string): Promise<number> {
    checkText("schedules.pauseGroup(): group", group);
    // The mark first: what is added meanwhile is either seen here, or sees the mark.
    const store = await this.#parts.source.open();
    await markGroup(store, group);
    const parts = await this.#pausing();
    return changeGroup(store, { group, paused: false }, (page) => pauseThem(parts, page));
  }

  /**
   * Ends the pause of the group and of every schedule in it; gives how many were paused before.
   *
   * @throws NS_SCHEDULE_INVALID and the like, after all others were resumed, when this process cannot read one of them
   */
  async resumeGroup(group: string, options: ResumeOptions = {}): Promise<number> {
    checkText("schedules.resumeGroup(): group", group);
    checkResume("schedules.resumeGroup()", options);
    const store = await this.#parts.source.open();
    await unmarkGroup(store, group);
    const parts = await this.#pausing();
    const unreadable: unknown[] = [];
    const count = await changeGroup(store, { group, paused: true }, async (page) => {
      const resumed = await resumeThem(parts, page, options.missed ?? "skip");
      unreadable.push(...resumed.unreadable.values());
      return resumed;
    });
    // The others go on all the same.
    if (unreadable.length > 0) throw unreadable[0];
    return count;
  }

  /**
   * Keeps a calendar in the store under a name, or replaces it; the schedules that use the name follow at once.
   *
   * @returns how many schedules use it
   * @example
   * ```ts
   * import { type Schedules, cron, defineJob } from "nightshift";
   * import { holidayCalendar } from "nightshift/time";
   *
   * const invoice = defineJob({ name: "invoice", run: () => undefined });
   *
   * async function plan(schedules: Schedules) {
   *   await schedules.saveCalendar("holidays", holidayCalendar(["2026-12-24", "2026-12-31"]));
   *   await schedules.create({ id: "invoices", trigger: cron("0 9 * * MON-FRI"), job: invoice, calendar: "holidays" });
   * }
   * ```
   */
  async saveCalendar(name: string, calendar: Calendar): Promise<number> {
    return saveCalendar(await this.#parts.source.open(), this.#reader, name, calendar);
  }

  /** Removes a calendar; false when there was none. @throws NS_CALENDAR_INVALID while schedules use it */
  async removeCalendar(name: string): Promise<boolean> {
    checkText("schedules.removeCalendar(): name", name);
    return removeCalendar(await this.#parts.source.open(), this.#reader, name);
  }

  /** The calendars in the store. */
  async calendars(): Promise<readonly CalendarInfo[]> {
    return listCalendars(await this.#parts.source.open());
  }

  async #pausing(): Promise<PausingParts> {
    return { store: await this.#parts.source.open(), reader: this.#reader, by: this.#parts.by };
  }

  async #change(
    id: string,
    { revision }: UpdateOptions,
    changeTo: (readable: Readable, now: number, store: Store) => NewSchedule | Promise<NewSchedule>,
  ): Promise<ScheduleInfo> {
    const store = await this.#parts.source.open();
    for (let turn = 0; turn < TRIES; turn++) {
      const readable = await this.#reader.find(store, id);
      if (revision !== undefined && readable.stored.revision !== revision) throw staleSchedule(id);
      const change = await changeTo(readable, await store.now(), store);
      const { group, source, job, definition, nextAt, paused, queue } = change;
      const schedule: NewSchedule = {
        ...{ id, group, source, job, definition, nextAt, paused },
        ...(queue === undefined ? {} : { queue }),
      };
      if (isSame(schedule, readable.stored)) return readSchedule(readable.stored);
      const [written] = await store.saveSchedules([schedule], [readable.stored.revision]);
      const moved = written && written.group !== readable.stored.group;
      if (written) return readSchedule((moved ? await pauseLatecomers(store, [written]) : [])[0] ?? written);
    }
    throw staleSchedule(id);
  }
}

function standing(
  id: string,
  { schedules: [stored] }: { readonly schedules: readonly StoredSchedule[] },
): ScheduleInfo {
  if (stored === undefined) throw noSuchSchedule(id);
  return readSchedule(stored);
}

function isSame(schedule: NewSchedule, stored: StoredSchedule): boolean {
  const { queue: _, ...kept } = schedule;
  return (Object.keys(kept) as (keyof typeof kept)[]).every((key) => schedule[key] === stored[key]);
}
