/** A cron expression as a person reads it. */
import { type Language, languageOf } from "../language/language.ts";
import { fill, type Unit } from "../language/phrases.ts";
import type { Item } from "./items.ts";
import { isUnset, type ParsedCron } from "./parse.ts";

/** More times of day than this are told as hours and minutes instead of one by one. */
const MOST_TIMES = 6;

/** One sentence about when an expression fires, in the locale's language. */
export function describeCron(parsed: ParsedCron, timeZone: string, locale?: string): string {
  const language = languageOf(locale);
  const parts = [timePart, dayPart, monthPart, yearPart].map((part) => part(parsed, language));
  return language.sentence(parts.filter(Boolean).join(" "), timeZone);
}

function timePart({ fields }: ParsedCron, language: Language): string {
  const { say } = language;
  const [seconds, minutes, hours] = [plain(fields.second), plain(fields.minute), plain(fields.hour)];
  if (seconds && minutes && hours && seconds.length * minutes.length * hours.length <= MOST_TIMES) {
    const times = hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => (h * 3_600 + m * 60 + s) * 1_000)));
    return fill(say.at, language.list(times.sort((a, b) => a - b).map((time) => language.timeOfDay(time))));
  }
  const parts: string[] = [];
  const atZero = seconds?.length === 1 && seconds[0] === 0;
  if (!atZero) parts.push(fieldPhrase(fields.second, "second", language));
  if (!isEvery(fields.minute) || atZero) {
    const onTheHour = minutes?.length === 1 && minutes[0] === 0 && isEvery(fields.hour);
    parts.push(onTheHour ? language.every(1, "hour") : fieldPhrase(fields.minute, "minute", language));
    if (onTheHour) return parts.join(" ");
  }
  if (!isEvery(fields.hour)) {
    const step = stepOf(fields.hour);
    const hours = language.list(fields.hour.map((item) => phrase(item, "hour", String, language)));
    parts.push(step === undefined ? fill(say.duringHours, hours) : fill(say.duringEvery, step));
  }
  return parts.join(" ");
}

function dayPart(parsed: ParsedCron, language: Language): string {
  const { fields, dialect } = parsed;
  const { say } = language;
  const silent = (items: readonly Item[]) => isEvery(items) || isUnset(items);
  const days = silent(fields.day)
    ? ""
    : fill(say.ofMonth, language.list(fields.day.map((item) => dayPhrase(item, language))));
  const name = (weekday: number) => language.weekday(dialect === "quartz" ? weekday - 1 : weekday % 7);
  const weekdays = silent(fields.weekday)
    ? ""
    : language.list(fields.weekday.map((item) => weekdayPhrase(item, name, language)));
  if (days === "" || weekdays === "") {
    const wide = dialect === "quartz" && !isUnset(fields.day) && !isUnset(fields.weekday);
    return wide ? "" : days + (weekdays === "" ? "" : fill(say.on, weekdays));
  }
  const either =
    dialect !== "cronos" &&
    (dialect === "quartz" || (fields.day[0]?.kind !== "any" && fields.weekday[0]?.kind !== "any"));
  return either ? fill(say.or, days, fill(say.on, weekdays)) : fill(say.ifThatIs, days, weekdays);
}

function monthPart({ fields }: ParsedCron, language: Language): string {
  if (isEvery(fields.month)) return "";
  const name = (month: number) => language.month(month);
  return fill(language.say.inMonth, language.list(fields.month.map((item) => phrase(item, "month", name, language))));
}

function yearPart({ fields }: ParsedCron, language: Language): string {
  if (isEvery(fields.year)) return "";
  return fill(language.say.inYear, language.list(fields.year.map((item) => phrase(item, "year", String, language))));
}

function fieldPhrase(items: readonly Item[], unit: "second" | "minute", language: Language): string {
  const step = stepOf(items);
  if (step !== undefined) return language.every(step, unit);
  const values = items.map((item) => phrase(item, unit, String, language));
  return fill(language.say.atUnit[unit], language.list(values));
}

/** The step of a field that says nothing but "every so often". */
function stepOf(items: readonly Item[]): number | undefined {
  const [only] = items;
  if (items.length !== 1 || only === undefined) return undefined;
  return only.kind === "any" || (only.kind === "hash" && only.step > 0) ? only.step : undefined;
}

function phrase(item: Item, unit: Unit, name: (value: number) => string, language: Language): string {
  const { say } = language;
  switch (item.kind) {
    case "any":
      return language.every(item.step, unit);
    case "range": {
      const range = fill(say.range, name(item.from), name(item.to));
      return item.step === 1 ? range : fill(say.stepIn, fill(say.nth[unit], say.ordinal(item.step)), range);
    }
    case "value":
      return name(item.value);
    case "hash":
      return say.chosenById;
    default:
      return "";
  }
}

function dayPhrase(item: Item, language: Language): string {
  const { say } = language;
  switch (item.kind) {
    case "last": {
      const day = item.back === 0 ? say.lastDay : fill(say.beforeLast, item.back);
      return item.weekday ? fill(say.nearest, day) : day;
    }
    case "last-weekday":
      return item.back === 0 ? say.lastWeekday : fill(say.beforeLastWeekday, item.back);
    case "nearest":
      return fill(say.nearest, fill(say.theDay, say.day(item.day)));
    case "value":
      return fill(say.theDay, say.day(item.value));
    default:
      return phrase(item, "day", say.day, language);
  }
}

function weekdayPhrase(item: Item, name: (weekday: number) => string, language: Language): string {
  const { say } = language;
  switch (item.kind) {
    case "nth":
      return fill(say.nthWeekday, say.ordinal(item.nth), name(item.weekday));
    case "last-of-month":
      return fill(say.lastOf, name(item.weekday));
    case "value":
      return fill(say.weekday, name(item.value));
    case "range":
      if (item.step === 1) return fill(say.weekdays, name(item.from), name(item.to));
      return phrase(item, "day", name, language);
    default:
      return phrase(item, "day", name, language);
  }
}

function isEvery(items: readonly Item[]): boolean {
  return items.length === 1 && items[0]?.kind === "any" && items[0].step === 1 && items[0].mark === "*";
}

/** The values of a field that has nothing but values. */
function plain(items: readonly Item[]): number[] | undefined {
  const values = items.flatMap((item) => (item.kind === "value" ? [item.value] : []));
  return values.length === items.length ? values : undefined;
}
