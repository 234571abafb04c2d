/** The times that a schedule has, all of its parts taken together: trigger, calendars, start and end. In milliseconds; pure. */
import type { Trigger } from "../time/index.ts";

/** A row of fire times that can be walked in both directions. */
export interface Timeline {
  /** The first time at or after `instant`; null when there is none. */
  atOrAfter(instant: number): number | null;
  /** The first time after `instant`; null when there is none. */
  after(instant: number): number | null;
  /** The last time at or before `instant`; null when there is none. */
  atOrBefore(instant: number): number | null;
}

/** Where a timeline is cut off; both ends belong to it. */
export interface Window {
  readonly start?: number;
  readonly end?: number;
}

/** The times of a trigger within a window. */
export function timelineOf(trigger: Trigger, window: Window = {}): Timeline {
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
  };
}
