/** A recurrence rule as a person reads it. */
import { DAY, dayOf } from "../civil.ts";
import { type Language, languageOf } from "../language/language.ts";
import { fill, type Unit } from "../language/phrases.ts";
import type { ByDay, Frequency, RecurrenceParts } from "./parts.ts";

const UNITS: Readonly<Record<Frequency, Unit>> = {
  YEARLY: "year",
  MONTHLY: "month",
  WEEKLY: "week",
  DAILY: "day",
  HOURLY: "hour",
  MINUTELY: "minute",
  SECONDLY: "second",
};

/** One sentence about when a rule fires, in the locale's language. */
export function describeRecurrence(parts: RecurrenceParts, start: number, timeZone: string, locale?: string): string {
  const language = languageOf(locale);
  const { say } = language;
  const text = [language.every(parts.interval, UNITS[parts.freq])];
  const add = (piece: string, values: readonly string[]) =>
    values.length > 0 && text.push(fill(piece, language.list(values)));
  const fromEnd = (n: number) => (n > 0 ? String(n) : fill(say.fromEnd, -n));
  add(
    say.inMonth,
    parts.byMonth.map((month) => language.month(month)),
  );
  add(say.inWeek, parts.byWeekNo.map(fromEnd));
  add(say.onYearDay, parts.byYearDay.map(fromEnd));
  add(say.onMonthDay, parts.byMonthDay.map(fromEnd));
  add(
    say.on,
    parts.byDay.map((day) => weekdayText(day, language)),
  );
  if (isLong(parts)) text.push(fill(say.at, timesText(parts, start, language)));
  else {
    add(say.duringHours, parts.byHour.map(String));
    add(say.atUnit.minute, parts.byMinute.map(String));
    add(say.atUnit.second, parts.bySecond.map(String));
  }
  add(
    say.onlyThe,
    parts.bySetPos.map((n) => (n > 0 ? say.ordinal(n) : n === -1 ? say.last : fill(say.nthLast, say.ordinal(-n)))),
  );
  text.push(fill(say.from, language.instant(start, "UTC")));
  if (parts.count !== undefined) text.push(parts.count === 1 ? say.once : fill(say.times, parts.count));
  if (parts.until) text.push(fill(say.until, language.instant(parts.until.value, "UTC")));
  return language.sentence(text.join(" "), timeZone);
}

const isLong = ({ freq }: RecurrenceParts) => !["HOURLY", "MINUTELY", "SECONDLY"].includes(freq);

function timesText(parts: RecurrenceParts, start: number, language: Language): string {
  const time = start - dayOf(start) * DAY;
  const hours = parts.byHour.length > 0 ? parts.byHour : [Math.floor(time / 3_600_000)];
  const minutes = parts.byMinute.length > 0 ? parts.byMinute : [Math.floor((time % 3_600_000) / 60_000)];
  const seconds = parts.bySecond.length > 0 ? parts.bySecond : [Math.floor((time % 60_000) / 1_000)];
  if (hours.length * minutes.length * seconds.length > 6) {
    const lists = [hours, minutes, seconds].map((values) => language.list(values.map(String)));
    return fill(language.say.timesGrid, ...lists);
  }
  const times = hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => (h * 3_600 + m * 60 + s) * 1_000)));
  return language.list(times.map((at) => language.timeOfDay(at)));
}

function weekdayText({ weekday, nth }: ByDay, language: Language): string {
  const { say } = language;
  const name = language.weekday(weekday);
  if (nth === 0) return fill(say.weekday, name);
  if (nth > 0) return fill(say.theNth, say.ordinal(nth), name);
  return nth === -1 ? fill(say.theLast, name) : fill(say.theNthLast, say.ordinal(-nth), name);
}
