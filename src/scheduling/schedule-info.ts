/** A schedule as people and programs see it: what the store keeps as text, read. */
import { messageOf } from "../errors/index.ts";
import type { JobId, ScheduleSource, StoredOccurrence, StoredSchedule } from "../store/contract.ts";
import { type CalendarJSON, type TriggerJSON, triggerFromJSON } from "../time/index.ts";
import { readDefinition } from "./definition.ts";
import type { Misfire, Overlap } from "./policies.ts";

/** A schedule. Times are milliseconds since 1970 by the store's clock; durations are milliseconds. */
export interface ScheduleInfo {
  readonly id: string;
  /** Empty when it belongs to none. */
  readonly group: string;
  /** Declared in code, or created at run time. */
  readonly source: ScheduleSource;
  /** The application whose code declares it. */
  readonly app: string | null;
  /** The name of the jobs that it makes. */
  readonly job: string;
  readonly paused: boolean;
  /** The next occurrence; null when there is none, or the schedule is paused or over. */
  readonly nextAt: number | null;
  /** Since which occurrence it waits for the previous job to end (overlap `queue`). */
  readonly heldSince: number | null;
  /** The last occurrence that was dealt with; null before the first. */
  readonly lastAt: number | null;
  /** The job made last, by an occurrence or by hand. */
  readonly lastJob: JobId | null;
  /** Grows with every change; give it to `update()` to be sure that nobody changed it meanwhile. */
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Why it cannot be fired by this process: its definition cannot be read here. Then `settings` is null. */
  readonly problem: string | null;
  /** Null when there is a problem. */
  readonly settings: ScheduleSettingsInfo | null;
}

/** What was decided about a schedule. */
export interface ScheduleSettingsInfo {
  readonly description: string | null;
  readonly trigger: TriggerJSON;
  /** The trigger in words: `At 03:00 (Europe/Oslo)`. */
  readonly times: string;
  /** What is left out: the names of calendars in the store, and calendars of its own. */
  readonly calendars: readonly (string | CalendarJSON)[];
  readonly input: unknown;
  readonly start: number | null;
  readonly end: number | null;
  readonly maxCount: number | null;
  /** Jobs made so far, when there is a `maxCount`. */
  readonly count: number | null;
  readonly misfire: Misfire;
  readonly misfireThreshold: number;
  readonly startingDeadline: number | null;
  readonly overlap: Overlap;
  readonly jitter: number;
  readonly queue: string;
  readonly priority: number;
  readonly attempts: number;
}

/** One line of a schedule's history. */
export interface Occurrence extends StoredOccurrence {
  /** How long after the planned time it was dealt with, in milliseconds. */
  readonly late: number;
}

export function readSchedule(stored: StoredSchedule): ScheduleInfo {
  const { id, group, source, job, paused, lastAt, lastJob, revision, createdAt, updatedAt } = stored;
  const base = { id, group, source, job, paused, lastAt, lastJob, revision, createdAt, updatedAt };
  const nextAt = paused ? null : stored.nextAt;
  try {
    const { spec, state, owner } = readDefinition(id, stored.definition);
    const settings: ScheduleSettingsInfo = {
      trigger: spec.trigger,
      description: spec.description ?? null,
      times: triggerFromJSON(spec.trigger).describe(),
      calendars: spec.calendars ?? [],
      input: JSON.parse(spec.input),
      start: spec.start ?? null,
      end: spec.end ?? null,
      maxCount: spec.maxCount ?? null,
      count: spec.maxCount === undefined ? null : (state.fired ?? 0),
      misfire: spec.misfire.policy === "catch-up" ? spec.misfire : spec.misfire.policy,
      misfireThreshold: spec.misfireThreshold,
      startingDeadline: spec.startingDeadline ?? null,
      overlap: spec.overlap,
      jitter: spec.jitter ?? 0,
      queue: spec.queue ?? spec.defaults.queue,
      priority: spec.priority ?? spec.defaults.priority,
      attempts: spec.attempts ?? spec.defaults.attempts,
    };
    return { ...base, app: owner?.app ?? null, nextAt, heldSince: state.held?.from ?? null, problem: null, settings };
  } catch (error) {
    return { ...base, app: null, nextAt, heldSince: null, problem: messageOf(error), settings: null };
  }
}

export function readOccurrence(stored: StoredOccurrence): Occurrence {
  return { ...stored, late: Math.max(0, stored.firedAt - stored.at) };
}
