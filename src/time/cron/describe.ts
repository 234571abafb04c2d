/** A cron expression as a person reads it. */
import { every, listOf, MONTH_NAMES, ordinal, timeOfDayText, WEEKDAY_NAMES } from "../words.ts";
import type { Item } from "./items.ts";
import { isUnset, type ParsedCron } from "./parse.ts";

/** More times of day than this are told as hours and minutes instead of one by one. */
const MOST_TIMES = 6;

/** One sentence about when an expression fires, in English; `locale` decides how times are written. */
export function describeCron(parsed: ParsedCron, timeZone: string, locale?: string): string {
  const text = [timePart(parsed, locale), dayPart(parsed), monthPart(parsed), yearPart(parsed)]
    .filter(Boolean)
    .join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)} (${timeZone})`;
}

function timePart({ fields }: ParsedCron, locale?: string): string {
  const [seconds, minutes, hours] = [plain(fields.second), plain(fields.minute), plain(fields.hour)];
  if (seconds && minutes && hours && seconds.length * minutes.length * hours.length <= MOST_TIMES) {
    const times = hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => (h * 3_600 + m * 60 + s) * 1_000)));
    return `at ${listOf(times.sort((a, b) => a - b).map((time) => timeOfDayText(time, locale)))}`;
  }
  const parts: string[] = [];
  const atZero = seconds?.length === 1 && seconds[0] === 0;
  if (!atZero) parts.push(fieldPhrase(fields.second, "second"));
  if (!isEvery(fields.minute) || atZero) {
    const onTheHour = minutes?.length === 1 && minutes[0] === 0 && isEvery(fields.hour);
    parts.push(onTheHour ? "every hour" : fieldPhrase(fields.minute, "minute"));
    if (onTheHour) return parts.join(" ");
  }
  if (!isEvery(fields.hour)) parts.push(`during ${fieldPhrase(fields.hour, "hour").replace(/^at /, "")}`);
  return parts.join(" ");
}

function dayPart(parsed: ParsedCron): string {
  const { fields, dialect } = parsed;
  const silent = (items: readonly Item[]) => isEvery(items) || isUnset(items);
  const days = silent(fields.day) ? "" : `on ${listOf(fields.day.map(dayPhrase))} of the month`;
  const name = (weekday: number) => WEEKDAY_NAMES[dialect === "quartz" ? weekday - 1 : weekday % 7] ?? "";
  const weekdays = silent(fields.weekday)
    ? ""
    : `on ${listOf(fields.weekday.map((item) => weekdayPhrase(item, name)))}`;
  if (days === "" || weekdays === "") {
    const wide = dialect === "quartz" && !isUnset(fields.day) && !isUnset(fields.weekday);
    return wide ? "" : days + weekdays;
  }
  const either =
    dialect !== "cronos" &&
    (dialect === "quartz" || (fields.day[0]?.kind !== "any" && fields.weekday[0]?.kind !== "any"));
  return `${days} ${either ? "or" : "if that is"} ${either ? weekdays : weekdays.replace(/^on /, "")}`;
}

function monthPart({ fields }: ParsedCron): string {
  if (isEvery(fields.month)) return "";
  const name = (month: number) => MONTH_NAMES[month - 1] ?? "";
  return `in ${listOf(fields.month.map((item) => phrase(item, "month", name)))}`;
}

function yearPart({ fields }: ParsedCron): string {
  return isEvery(fields.year) ? "" : `in ${listOf(fields.year.map((item) => phrase(item, "year", String)))}`;
}

function fieldPhrase(items: readonly Item[], unit: "second" | "minute" | "hour"): string {
  const [only] = items;
  if (items.length === 1 && (only?.kind === "any" || (only?.kind === "hash" && only.step > 0)))
    return every(only.step, unit);
  return `at ${unit} ${listOf(items.map((item) => phrase(item, unit, String)))}`;
}

function phrase(item: Item, unit: string, name: (value: number) => string): string {
  switch (item.kind) {
    case "any":
      return every(item.step, unit);
    case "range": {
      const range = `${name(item.from)} to ${name(item.to)}`;
      return item.step === 1 ? range : `every ${ordinal(item.step)} ${unit} from ${range}`;
    }
    case "value":
      return name(item.value);
    case "hash":
      return `one chosen by the schedule's id`;
    default:
      return "";
  }
}

function dayPhrase(item: Item): string {
  switch (item.kind) {
    case "last": {
      const day = item.back === 0 ? "the last day" : `the day ${item.back} before the last`;
      return item.weekday ? `the weekday nearest to ${day}` : day;
    }
    case "last-weekday":
      return item.back === 0 ? "the last weekday" : `the day ${item.back} before the last weekday`;
    case "nearest":
      return `the weekday nearest to the ${ordinal(item.day)}`;
    case "value":
      return `the ${ordinal(item.value)}`;
    default:
      return phrase(item, "day", ordinal);
  }
}

function weekdayPhrase(item: Item, name: (weekday: number) => string): string {
  switch (item.kind) {
    case "nth":
      return `the ${ordinal(item.nth)} ${name(item.weekday)} of the month`;
    case "last-of-month":
      return `the last ${name(item.weekday)} of the month`;
    default:
      return phrase(item, "day of the week", name);
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
