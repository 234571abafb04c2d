/** The times that a schedule has, all of its parts taken together: trigger, calendars, start and end. In milliseconds; pure. */
import type { Calendar, Trigger } from "../time/index.ts";

/** A row of fire times that can be walked in both directions. */
export interface Timeline {
  /** The first time at or after `instant`; null when there is none. */
  atOrAfter(instant: number): number | null;
  /** The first time after `instant`; null when there is none. */
  after(instant: number): number | null;
  /** The last time at or before `instant`; null when there is none. */
  atOrBefore(instant: number): number | null;
  /** Whether a calendar leaves this time out. */
  excludes(instant: number): boolean;
}

/** Where a timeline is cut off; both ends belong to it. */
export interface Window {
  readonly start?: number;
  readonly end?: number;
}

/** The times of a trigger within a window; `calendars`: those that the trigger leaves out already. */
export function timelineOf(trigger: Trigger, window: Window = {}, calendars: readonly Calendar[] = []): Timeline {
  const start = window.start ?? -Infinity;
  const end = window.end ?? Infinity;
  const next = (instant: number, inclusive: boolean): number | null => {
    const from = instant < start ? start : instant;
    const found = trigger.next(new Date(from), { inclusive: inclusive || instant < start })?.getTime() ?? null;
    return found === null || found > end ? null : found;
  };
  return {
    atOrAfter: (instant) => next(instant, true),
    after: (instant) => next(instant, false),
    atOrBefore(instant) {
      const found = trigger.previous(new Date(Math.min(instant, end)), { inclusive: true })?.getTime() ?? null;
      return found === null || found < start ? null : found;
    },
    excludes: (instant) => calendars.some((calendar) => calendar.excludes(new Date(instant))),
  };
}

/** No times at all. */
export const NO_TIMES: Timeline = {
  atOrAfter: () => null,
  after: () => null,
  atOrBefore: () => null,
  excludes: () => false,
};

/** The times of one timeline up to an instant, and those of another after it. */
export function spliced(before: Timeline, until: number, then: Timeline): Timeline {
  const within = (found: number | null) => (found !== null && found <= until ? found : then.after(until));
  return {
    atOrAfter: (instant) => (instant > until ? then.atOrAfter(instant) : within(before.atOrAfter(instant))),
    after: (instant) => (instant >= until ? then.after(instant) : within(before.after(instant))),
    atOrBefore(instant) {
      const late = instant > until ? then.atOrBefore(instant) : null;
      return late !== null && late > until ? late : before.atOrBefore(Math.min(instant, until));
    },
    excludes: (instant) => (instant > until ? then : before).excludes(instant),
  };
}

/** A timeline without the times from one instant to another, both included. */
export function without(timeline: Timeline, from: number, until: number): Timeline {
  return spliced(timeline, from - 1, spliced(NO_TIMES, until, timeline));
}
