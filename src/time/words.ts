/** Small helpers for sentences about time, shared by what triggers and calendars say of themselves. */
import { MINUTE, SECOND } from "./civil.ts";

export const WEEKDAY_NAMES = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
export const MONTH_NAMES = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

/** How times and dates are written when nothing else is asked: day before month, 24 hours. */
export const DEFAULT_LOCALE = "en-GB";

/** `"a, b and c"`. */
export function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** `"1st"`, `"22nd"`, `"13th"`. */
export function ordinal(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  return n + (teen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th"));
}

/** `"every minute"`, `"every 5 minutes"`. */
export function every(n: number, unit: string): string {
  return n === 1 ? `every ${unit}` : `every ${n} ${unit}s`;
}

/** A time of day, given in milliseconds after midnight, as the locale writes it. Seconds only when there are some. */
export function timeOfDayText(time: number, locale = DEFAULT_LOCALE): string {
  const seconds = time % MINUTE >= SECOND ? ({ second: "2-digit" } as const) : {};
  const options = { hour: "2-digit", minute: "2-digit", ...seconds, timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(locale, options).format(time);
}

/** An instant in a zone, as the locale writes it. */
export function instantText(instant: number, timeZone: string, locale = DEFAULT_LOCALE): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", timeZone }).format(instant);
}
