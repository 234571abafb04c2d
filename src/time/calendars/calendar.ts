/** What a calendar is: a pure rule about the instants at which nothing fires. */
import { civilOf, DAY, dayOf, SECOND } from "../civil.ts";
import { instantOf } from "../moments.ts";
import { LATEST } from "../rule-trigger.ts";
import type { Moment } from "../trigger.ts";
import { type Zone, zoneOf } from "../zone.ts";

/** A calendar as plain JSON; {@link calendarFromJSON} brings it back to life. */
export interface CalendarJSON {
  readonly type: string;
  readonly [key: string]: unknown;
}

/**
 * Times that are left out of schedules: immutable and pure, with a time zone of its own.
 *
 * @example
 * ```ts
 * import { weeklyCalendar } from "nightshift/time";
 *
 * weeklyCalendar(["SAT", "SUN"], { timeZone: "Europe/Oslo" }).excludes(new Date("2026-03-01T12:00:00Z")); // true: a Sunday
 * ```
 */
export interface Calendar {
  /** Whether nothing fires at this time. */
  excludes(at: Moment): boolean;
  /** What is left out, as a person reads it, in the languages that triggers speak. */
  describe(locale?: string): string;
  /** The canonical text: equal calendars have equal text. */
  toString(): string;
  /** The calendar as plain JSON, for a store. */
  toJSON(): CalendarJSON;
}

/** Options of every calendar. */
export interface CalendarOptions {
  /** The IANA zone whose days and clock are meant. Default `"UTC"`. */
  readonly timeZone?: string;
}

/** Base of the built-in calendars: they can also say where the exclusion ends. */
export abstract class RuleCalendar implements Calendar {
  /** The first instant at or after `instant` that is not left out; undefined when all are. */
  abstract includedFrom(instant: number): number | undefined;
  /** The last instant at or before `instant` that is not left out; undefined when all are. */
  abstract includedUntil(instant: number): number | undefined;
  abstract describe(locale?: string): string;
  abstract toString(): string;
  abstract toJSON(): CalendarJSON;

  excludes(at: Moment): boolean {
    const instant = instantOf(at);
    return this.includedFrom(instant) !== instant;
  }
}

/** Where any calendar's exclusion ends: the built-in ones know; others are asked second by second, for an hour. */
export function includedFrom(calendar: Calendar, instant: number): number | undefined {
  if (calendar instanceof RuleCalendar) return calendar.includedFrom(instant);
  return calendar.excludes(new Date(instant)) ? Math.floor(instant / SECOND + 1) * SECOND : instant;
}

/** Where any calendar's exclusion began. */
export function includedUntil(calendar: Calendar, instant: number): number | undefined {
  if (calendar instanceof RuleCalendar) return calendar.includedUntil(instant);
  return calendar.excludes(new Date(instant)) ? Math.ceil(instant / SECOND - 1) * SECOND : instant;
}

/** Base of the calendars that leave out whole days. */
export abstract class DayCalendar extends RuleCalendar {
  readonly timeZone: string;
  readonly #zone: Zone;

  constructor(options: CalendarOptions) {
    super();
    this.#zone = zoneOf(options.timeZone ?? "UTC");
    this.timeZone = this.#zone.name;
  }

  /** Whether a local day is left out. */
  protected abstract excludesDay(day: number): boolean;
  /** More days in a row than this cannot be left out, unless all are. */
  protected abstract readonly longest: number;

  includedFrom(instant: number): number | undefined {
    const first = dayOf(instant + this.#zone.offsetAt(instant));
    for (let day = first; day <= first + this.longest && day * DAY < LATEST; day++) {
      if (!this.excludesDay(day)) return day === first ? instant : this.#startOf(day);
    }
    return undefined;
  }

  includedUntil(instant: number): number | undefined {
    const first = dayOf(instant + this.#zone.offsetAt(instant));
    for (let day = first; day >= first - this.longest; day--) {
      if (!this.excludesDay(day)) return day === first ? instant : this.#startOf(day + 1) - 1;
    }
    return undefined;
  }

  #startOf(day: number): number {
    const midnight = this.#zone.resolve(day * DAY);
    return midnight.kind === "never" ? midnight.end : midnight.instant;
  }
}

/** `" in Europe/Oslo"`, or nothing for UTC. */
export function inZone(timeZone: string): string {
  return timeZone === "UTC" ? "" : ` in ${timeZone}`;
}

/** `"2026-05-17"` of a day number. */
export function dateText(day: number): string {
  const { year, month, day: date } = civilOf(day);
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
}
