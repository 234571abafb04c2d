/** From a stored spec to the times it names. */
import { NightshiftError, show } from "../errors/index.ts";
import { calendarFromJSON, except, triggerFromJSON } from "../time/index.ts";
import type { ScheduleSpec } from "./definition.ts";
import { type Timeline, timelineOf } from "./timeline.ts";

/** The calendars of the store by name, as JSON text. */
export type NamedCalendars = ReadonlyMap<string, string>;

export const NO_CALENDARS: NamedCalendars = new Map();

/** @throws NS_TRIGGER_INVALID, NS_CALENDAR_INVALID, NS_TIME_ZONE_UNKNOWN when this process cannot make sense of it */
export function timelineFor(spec: ScheduleSpec, named: NamedCalendars): Timeline {
  let trigger = triggerFromJSON(spec.trigger);
  for (const calendar of spec.calendars ?? []) {
    const json = typeof calendar === "string" ? JSON.parse(textOf(calendar, named)) : calendar;
    trigger = except(trigger, calendarFromJSON(json));
  }
  return timelineOf(trigger, spec);
}

/** The calendars of the store that a schedule uses. */
export function namesIn(spec: ScheduleSpec): readonly string[] {
  return (spec.calendars ?? []).filter((calendar) => typeof calendar === "string");
}

function textOf(name: string, named: NamedCalendars): string {
  const text = named.get(name);
  if (text !== undefined) return text;
  const advice = "Save one with schedules.saveCalendar(), or take it off the schedule.";
  throw new NightshiftError("NS_CALENDAR_INVALID", `No calendar ${show(name)} is in the store. ${advice}`);
}

/**
 * The first time of a schedule that begins now. A single fire that is just over (`once(new Date())`) still counts, by
 * the measure of the misfire threshold; a rule that goes on does not begin with a time that has passed.
 */
export function firstTime(timeline: Timeline, now: number, misfireThreshold: number): number | null {
  const coming = timeline.atOrAfter(now);
  if (coming !== null) return coming;
  const last = timeline.atOrBefore(now);
  return last !== null && last >= now - misfireThreshold ? last : null;
}

/**
 * The next time of a schedule whose rule changed: what is overdue by the new rule from where the old one stood stays
 * overdue (the misfire policy decides), and otherwise it goes on from now.
 */
export function nextTimeAfterChange(
  timeline: Timeline,
  stands: { readonly nextAt: number | null; readonly lastAt: number | null },
  now: number,
): number | null {
  if (stands.nextAt !== null && stands.nextAt <= now) return timeline.atOrAfter(stands.nextAt);
  return stands.lastAt !== null && stands.lastAt >= now ? timeline.after(stands.lastAt) : timeline.atOrAfter(now);
}
