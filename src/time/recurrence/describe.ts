/** A recurrence rule as a person reads it. */
import { DAY, dayOf } from "../civil.ts";
import { every, instantText, listOf, MONTH_NAMES, ordinal, timeOfDayText, WEEKDAY_NAMES } from "../words.ts";
import type { ByDay, Frequency, RecurrenceParts } from "./parts.ts";

const UNITS: Readonly<Record<Frequency, string>> = {
  YEARLY: "year",
  MONTHLY: "month",
  WEEKLY: "week",
  DAILY: "day",
  HOURLY: "hour",
  MINUTELY: "minute",
  SECONDLY: "second",
};

/** One sentence about when a rule fires, in English; `locale` decides how times and dates are written. */
export function describeRecurrence(parts: RecurrenceParts, start: number, timeZone: string, locale?: string): string {
  const text = [every(parts.interval, UNITS[parts.freq])];
  const add = (words: string, values: readonly string[]) =>
    values.length > 0 && text.push(`${words} ${listOf(values)}`);
  add(
    "in",
    parts.byMonth.map((month) => MONTH_NAMES[month - 1] ?? ""),
  );
  add("in week", parts.byWeekNo.map(fromEnd));
  add("on day of the year", parts.byYearDay.map(fromEnd));
  add("on day of the month", parts.byMonthDay.map(fromEnd));
  add("on", parts.byDay.map(weekdayText));
  if (isLong(parts)) text.push(`at ${timesText(parts, start, locale)}`);
  else {
    add("during hour", parts.byHour.map(String));
    add("at minute", parts.byMinute.map(String));
    add("at second", parts.bySecond.map(String));
  }
  add(
    "only the",
    parts.bySetPos.map((n) => (n > 0 ? ordinal(n) : n === -1 ? "last" : `${ordinal(-n)} last`)),
  );
  text.push(`from ${instantText(start, "UTC", locale)}`);
  if (parts.count !== undefined) text.push(parts.count === 1 ? "once" : `${parts.count} times`);
  if (parts.until) text.push(`until ${instantText(parts.until.value, "UTC", locale)}`);
  const sentence = text.join(" ");
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)} (${timeZone})`;
}

const isLong = ({ freq }: RecurrenceParts) => !["HOURLY", "MINUTELY", "SECONDLY"].includes(freq);

function timesText(parts: RecurrenceParts, start: number, locale?: string): string {
  const time = start - dayOf(start) * DAY;
  const hours = parts.byHour.length > 0 ? parts.byHour : [Math.floor(time / 3_600_000)];
  const minutes = parts.byMinute.length > 0 ? parts.byMinute : [Math.floor((time % 3_600_000) / 60_000)];
  const seconds = parts.bySecond.length > 0 ? parts.bySecond : [Math.floor((time % 60_000) / 1_000)];
  if (hours.length * minutes.length * seconds.length > 6) {
    return `hours ${listOf(hours.map(String))}, minutes ${listOf(minutes.map(String))}, seconds ${listOf(seconds.map(String))}`;
  }
  const times = hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => (h * 3_600 + m * 60 + s) * 1_000)));
  return listOf(times.map((at) => timeOfDayText(at, locale)));
}

function fromEnd(n: number): string {
  return n > 0 ? String(n) : `${-n} from the end`;
}

function weekdayText({ weekday, nth }: ByDay): string {
  const name = WEEKDAY_NAMES[weekday] ?? "";
  if (nth === 0) return name;
  return `the ${nth > 0 ? ordinal(nth) : nth === -1 ? "last" : `${ordinal(-nth)} last`} ${name}`;
}
