/** From a stored spec to the times it names. */
import { NightshiftError, show } from "../errors/index.ts";
import type { StoredSchedule } from "../store/contract.ts";
import { type CalendarJSON, calendarFromJSON, except, triggerFromJSON } from "../time/index.ts";
import type { ScheduleSpec, StoredDefinition } from "./definition.ts";
import { type Rule, withPast } from "./past.ts";
import { type Timeline, timelineOf } from "./timeline.ts";

/** The calendars of the store by name, as JSON text. */
export type NamedCalendars = ReadonlyMap<string, string>;

export const NO_CALENDARS: NamedCalendars = new Map();

/** @throws NS_TRIGGER_INVALID, NS_CALENDAR_INVALID, NS_TIME_ZONE_UNKNOWN when this process cannot make sense of it */
export function timelineFor(spec: ScheduleSpec, named: NamedCalendars): Timeline {
  return timelineOfRule(ruleOf(spec, named));
}

/** The same, with what was otherwise in the past. */
export function timelineWithPast({ spec, state }: StoredDefinition, named: NamedCalendars): Timeline {
  return withPast(state.past, timelineFor(spec, named), timelineOfRule);
}

/** When a schedule fires, with the calendars of the store as they are now. @throws NS_CALENDAR_INVALID when one is missing */
export function ruleOf({ trigger, calendars, start, end }: ScheduleSpec, named: NamedCalendars): Rule {
  const read = (calendar: string | CalendarJSON) =>
    typeof calendar === "string" ? (JSON.parse(textOf(calendar, named)) as CalendarJSON) : calendar;
  return {
    trigger,
    ...(calendars === undefined ? {} : { calendars: calendars.map(read) }),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
  };
}

function timelineOfRule(rule: Rule): Timeline {
  const calendars = (rule.calendars ?? []).map(calendarFromJSON);
  return timelineOf(calendars.reduce(except, triggerFromJSON(rule.trigger)), rule, calendars);
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
 * The first time by a rule that holds from `since` on (now, if left out), of a schedule that has dealt with what was due:
 * nothing is dealt with twice, also when the clock was set back.
 */
export function nextTime(timeline: Timeline, stands: Stands, now: number, since = now): number | null {
  const { nextAt, updatedAt, lastAt } = stands;
  const done = Math.max(lastAt ?? -Infinity, updatedAt > now ? updatedAt : -Infinity);
  const from = Math.max(since, done + 1);
  // A job by hand may stand a little ahead of now, and beyond the next time.
  return timeline.atOrAfter(nextAt !== null && nextAt > now ? Math.min(from, Math.max(since, nextAt)) : from);
}

/** The same as {@link ruleOf}; null when this process cannot make sense of it. */
export function readableRule(spec: ScheduleSpec, named: NamedCalendars): Rule | null {
  try {
    const rule = ruleOf(spec, named);
    timelineOfRule(rule);
    return rule;
  } catch {
    // Written by another version, or its calendar is gone: whoever fires it is told why.
    return null;
  }
}

type Stands = Pick<StoredSchedule, "nextAt" | "updatedAt" | "lastAt">;
