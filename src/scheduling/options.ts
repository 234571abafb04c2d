/** What a schedule is given by those who write it. Reading and checking is done in read-options.ts. */
import type { InputOf, JobDefinition } from "../jobs/index.ts";
import type { Calendar, Duration, Moment, Trigger } from "../time/index.ts";
import type { Misfire, Overlap } from "./policies.ts";

/** Everything about a schedule that may be changed later. */
export interface ScheduleSettings {
  /** When: `cron(...)`, `interval(...)`, `once(...)`, any trigger. Its time zone is its own. */
  readonly trigger: Trigger;
  /**
   * Exclusions: calendars, or the names of calendars kept in the store with `schedules.saveCalendar()`. A time that one
   * of them leaves out is no occurrence.
   */
  readonly calendar?: Calendar | string | readonly (Calendar | string)[];
  /** No occurrence before. A Date, a Temporal value, or ISO text with an offset. */
  readonly start?: Moment | string;
  /** No occurrence after. */
  readonly end?: Moment | string;
  /** Ends after so many jobs. Occurrences that were left out and jobs made by hand do not count. */
  readonly maxCount?: number;
  /** What becomes of missed occurrences. Default `"run-once"`. */
  readonly misfire?: Misfire;
  /** How late is missed. Default 5 seconds, at least 500 ms. */
  readonly misfireThreshold?: Duration;
  /** An occurrence that could not make its job within this time makes none, whatever the misfire policy. Default: no limit. */
  readonly startingDeadline?: Duration;
  /** What becomes of an occurrence while the previous job is not over. Default `"allow"`. */
  readonly overlap?: Overlap;
  /**
   * Spreads the load: each job runs up to this much after its planned time. How much is fixed by the schedule's id and
   * the occurrence, so that previews and restarts agree. Default: none.
   */
  readonly jitter?: Duration;
  /** For pausing and listing many together. Default: none. */
  readonly group?: string;
  /** For people, on the dashboard. Default: none. */
  readonly description?: string;
  /** The queue of its jobs. Default: the job definition's. */
  readonly queue?: string;
  /** The priority of its jobs; of occurrences at one time those with the higher one are made first. Default: the job definition's. */
  readonly priority?: number;
  /** Attempts in all for its jobs. Default: the job definition's. */
  readonly attempts?: number;
}

/** The input belongs to the options as soon as the job has one. */
export type InputOption<D> =
  undefined extends InputOf<D>
    ? {
        /** The input of each of its jobs. */
        readonly input?: InputOf<D>;
      }
    : {
        /** The input of each of its jobs; checked by the definition's schema at `build()`. */
        readonly input: InputOf<D>;
      };

/** A schedule, as it is declared in code or created at run time. */
export type ScheduleOptions<D extends JobDefinition = JobDefinition> = ScheduleSettings & {
  /** Chosen by the author, and stable: history and pauses hang on it. 1 to 200 characters. */
  readonly id: string;
  /** What each occurrence makes one job of; one of `addJobs({ jobs })`. */
  readonly job: D;
  /** Begins paused. Once the schedule exists, pausing is up to people: a declaration does not change it. Default `false`. */
  readonly paused?: boolean;
} & InputOption<D>;

/** Changes to a schedule; what is left out stays, `null` takes an optional setting away. */
export type ScheduleChanges<D extends JobDefinition = JobDefinition> = {
  readonly [K in keyof ScheduleSettings]?: ScheduleSettings[K] | (K extends "trigger" ? never : null);
} & { readonly job?: D; readonly input?: InputOf<D> };
