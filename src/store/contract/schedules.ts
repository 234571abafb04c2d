/** The contract, part 4: schedules and calendars. The store keeps them and guards "at most one job per occurrence"; it knows no time rules. */

import type { Page, PageRequest } from "./inspection.ts";
import type { JobId, NewJob } from "./jobs.ts";

/** Where a schedule came from: declared by the application's code, or created at run time. */
export type ScheduleSource = "code" | "dynamic";

/** A schedule as it is handed to the store. */
export interface NewSchedule {
  readonly id: string;
  /** For pausing and listing many together. Default group: empty text. */
  readonly group: string;
  readonly source: ScheduleSource;
  /** The job's name, for lists. */
  readonly job: string;
  /** Trigger, input, policies: JSON text that only the scheduling room reads. */
  readonly definition: string;
  /** The first occurrence not yet dealt with; null when there is none left. */
  readonly nextAt: number | null;
  readonly paused: boolean;
  /**
   * The queue of its jobs. It is not kept: a store of several databases puts the schedule beside this queue, so that
   * an occurrence and its job are one commit. Left out, a schedule stays where it is.
   */
  readonly queue?: string;
}

/** A schedule as it stands in the store. */
export interface StoredSchedule extends Omit<NewSchedule, "queue"> {
  /** Grows with every change of the schedule, firing included, and never comes back for the same id: the guard of {@link Scheduling.fire} and updates. */
  readonly revision: number;
  readonly createdAt: number;
  /** Never goes back, also when the store's clock does. */
  readonly updatedAt: number;
  /** The latest occurrence dealt with, whatever became of it. */
  readonly lastAt: number | null;
  /** The job made last, by an occurrence or by hand. An occurrence that was left out leaves it as it is: overlap is judged by it. */
  readonly lastJob: JobId | null;
}

/** What became of one occurrence. */
export interface NewOccurrence {
  /** The planned time. */
  readonly at: number;
  /** `fired`: made a job. `skipped`: left out, for the reason given (misfire policy, overlap, paused). `manual`: triggered by a person. */
  readonly what: "fired" | "skipped" | "manual";
  readonly reason?: string;
  readonly job?: NewJob;
}

/** An occurrence in a schedule's history. */
export interface StoredOccurrence {
  readonly schedule: string;
  readonly at: number;
  readonly what: NewOccurrence["what"];
  readonly reason: string | null;
  readonly job: JobId | null;
  /** When it was really dealt with, by the store's clock, and by which instance (its name). */
  readonly firedAt: number;
  readonly by: string;
}

/** One schedule's move forward. */
export interface Fire {
  readonly schedule: string;
  /** The revision this decision was made on. If the schedule has moved on since, nothing is written. */
  readonly revision: number;
  readonly occurrences: readonly NewOccurrence[];
  readonly nextAt: number | null;
  /** A changed definition (a count that went down, say); the old one stays when left out. */
  readonly definition?: string;
  /**
   * Jobs that the move replaces: they are cancelled in its commit, as {@link Store.cancel} does, and stay as they are
   * when it is stale. (A job in another database than the schedule: right after the commit.)
   */
  readonly cancel?: { readonly jobs: readonly JobId[]; readonly reason: string };
}

/** What became of a {@link Fire}: `stale` when another process was first. `jobs` has one entry per occurrence; null where none was made. */
export type Fired =
  | {
      readonly schedule: string;
      readonly stale: false;
      readonly revision: number;
      readonly jobs: readonly (JobId | null)[];
    }
  | { readonly schedule: string; readonly stale: true };

/** Which schedules to list. */
export interface ScheduleQuery extends PageRequest {
  readonly group?: string;
  readonly job?: string;
  readonly paused?: boolean;
  readonly source?: ScheduleSource;
}

/** How many schedules a group has. */
export interface StoredGroup {
  readonly group: string;
  readonly schedules: number;
  /** How many of them are paused. */
  readonly paused: number;
}

/** Schedules in the store. */
export interface Scheduling {
  /**
   * Writes schedules, all or none (in each database, where there are several). With `expected` (same length), an entry is written only where the stored revision
   * equals it (0: must not exist yet); returns what stands now, or null for an entry that was refused. What the store
   * itself keeps of a schedule (creation, last occurrence, last job, history) stays through a change.
   */
  saveSchedules(
    schedules: readonly NewSchedule[],
    expected?: readonly number[],
  ): Promise<readonly (StoredSchedule | null)[]>;
  getSchedules(ids: readonly string[]): Promise<readonly StoredSchedule[]>;
  /** In the order of their ids. */
  listSchedules(query: ScheduleQuery): Promise<Page<StoredSchedule>>;
  /** The groups that have schedules, the empty text among them, in any order. */
  scheduleGroups(): Promise<readonly StoredGroup[]>;
  /**
   * Removes schedules and their history; their jobs stay. With `expected` (same length), one is removed only where the
   * stored revision equals it. Returns the ids that were removed.
   */
  removeSchedules(ids: readonly string[], expected?: readonly number[]): Promise<readonly string[]>;

  /** Unpaused schedules that are due, earliest first; `now` is the store's clock, `nextAt` the earliest time of those not due yet. */
  dueSchedules(limit: number): Promise<{
    readonly now: number;
    readonly due: readonly StoredSchedule[];
    readonly nextAt: number | null;
  }>;

  /**
   * Moves schedules forward, in one commit (of schedules in several databases: one for each): occurrences are written, their jobs enqueued, the next time set. An
   * occurrence (schedule, time) that is already in the history makes no second job, whatever else happens. Paused
   * schedules are moved like others: who asks for it (a person's "run now") knows.
   *
   * @param by the instance's name, for the history
   */
  fire(fires: readonly Fire[], by: string): Promise<readonly Fired[]>;

  /** Latest first. */
  listOccurrences(schedule: string, page: PageRequest): Promise<Page<StoredOccurrence>>;
  /** Removes occurrences older than `before`, at most `limit`; returns how many. */
  pruneOccurrences(before: number, limit: number): Promise<number>;

  /** Calendars by name: JSON text that only the scheduling room reads. */
  saveCalendar(name: string, definition: string): Promise<void>;
  removeCalendar(name: string): Promise<boolean>;
  listCalendars(): Promise<readonly { readonly name: string; readonly definition: string }[]>;
}
