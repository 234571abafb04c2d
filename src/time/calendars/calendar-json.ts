/** Brings a stored calendar back to life. */
import { didYouMean, NightshiftError, show } from "../../errors/index.ts";
import type { Weekday } from "../limits.ts";
import type { Calendar, CalendarJSON, CalendarOptions } from "./calendar.ts";
import {
  type CronCalendarOptions,
  chainedCalendar,
  cronCalendar,
  type DailyCalendarOptions,
  dailyCalendar,
} from "./clock-calendars.ts";
import { annualCalendar, type DayOfYear, holidayCalendar, monthlyCalendar, weeklyCalendar } from "./day-calendars.ts";

type Reviver = (fields: Readonly<Record<string, unknown>>) => Calendar;

const REVIVERS: Readonly<Record<string, Reviver>> = {
  annual: ({ days, ...options }) => annualCalendar(days as DayOfYear[], options as CalendarOptions),
  cron: ({ expression, ...options }) => cronCalendar(expression as string, options as CronCalendarOptions),
  daily: (options) => dailyCalendar(options as unknown as DailyCalendarOptions),
  holiday: ({ dates, ...options }) => holidayCalendar(dates as string[], options as CalendarOptions),
  monthly: ({ days, ...options }) => monthlyCalendar(days as (number | "last")[], options as CalendarOptions),
  weekly: ({ days, ...options }) => weeklyCalendar(days as Weekday[], options as CalendarOptions),
  chained: ({ calendars }) => {
    if (Array.isArray(calendars)) return chainedCalendar(...calendars.map(calendarFromJSON));
    throw new NightshiftError("NS_CALENDAR_INVALID", `A stored chain has a list of calendars, got ${show(calendars)}.`);
  },
};

/**
 * The calendar that `toJSON()` wrote. Takes the object, not its text.
 *
 * @throws NS_CALENDAR_INVALID when it is not a calendar's stored form, and what making the calendar would throw
 * @example
 * ```ts
 * import { calendarFromJSON, weeklyCalendar } from "nightshift/time";
 *
 * calendarFromJSON(weeklyCalendar().toJSON()).describe(); // "every Sunday and Saturday (UTC)"
 * ```
 */
export function calendarFromJSON(json: CalendarJSON): Calendar {
  const { type, ...fields } = typeof json === "object" && json !== null ? json : { type: undefined };
  const revive = typeof type === "string" && Object.hasOwn(REVIVERS, type) ? REVIVERS[type] : undefined;
  if (revive) return revive(fields);
  const kinds = Object.keys(REVIVERS);
  const hint = typeof type === "string" ? didYouMean(type, kinds) : "";
  throw new NightshiftError(
    "NS_CALENDAR_INVALID",
    `${show(json)} is not a stored calendar (${kinds.join(", ")}).${hint}`,
  );
}
