/** Reading what triggers and calendars are given: option names, whole numbers, choices, moments. */
import { didYouMean, type ErrorCode, NightshiftError, Problems, show } from "../errors/index.ts";
import { SECOND } from "./civil.ts";
import { instantOf, readReading } from "./moments.ts";
import type { Moment, PlainReading } from "./trigger.ts";
import type { Zone } from "./zone.ts";

/** A day of the week. */
export type Weekday = "SUN" | "MON" | "TUE" | "WED" | "THU" | "FRI" | "SAT";

/** The days of the week, Sunday first. */
export const WEEKDAYS: readonly Weekday[] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** Programs without types may give anything for options. @throws NS_OPTION_INVALID */
export function checkObject(what: string, options: unknown): void {
  if (typeof options === "object" && options !== null && !Array.isArray(options)) return;
  throw new NightshiftError("NS_OPTION_INVALID", `${what} takes its options as an object, got ${show(options)}.`);
}

/** Throws NS_OPTION_UNKNOWN for names that are not known. */
export function checkOptions(what: string, options: object, known: readonly string[]): void {
  checkObject(what, options);
  const problems = new Problems();
  problems.unknownOptions(what, options, known);
  problems.throwIfAny(what);
}

/** A whole number within limits. */
export function wholeNumber(
  what: string,
  value: unknown,
  min: number,
  max: number,
  code: ErrorCode = "NS_TRIGGER_INVALID",
): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new NightshiftError(code, `${what} is a whole number from ${min} to ${max}, got ${show(value)}.`, {
    details: { value },
  });
}

/** One of a few words. */
export function oneOf<T extends string>(
  what: string,
  value: unknown,
  allowed: readonly T[],
  code: ErrorCode = "NS_TRIGGER_INVALID",
): T {
  const found = allowed.find((word) => word === value);
  if (found !== undefined) return found;
  const hint = typeof value === "string" ? didYouMean(value, allowed) : "";
  throw new NightshiftError(code, `${what} is ${allowed.join(", ")}; got ${show(value)}.${hint}`, {
    details: { value },
  });
}

const ISO_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

/** An instant from a moment or ISO text with an offset, in milliseconds. */
export function readInstant(what: string, value: Moment | string): number {
  if (typeof value !== "string") return instantOf(value, what);
  const instant = ISO_INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(instant)) return instant;
  const ways = 'Give a Date, or text with an offset such as "2026-03-01T09:00:00Z".';
  throw new NightshiftError("NS_TIME_INVALID", `${what} is ${show(value)}. ${ways}`, { details: { value } });
}

/** ISO text of an instant, or nothing, for JSON. */
export function isoOf(instant: number | undefined): string | undefined {
  return instant === undefined ? undefined : new Date(instant).toISOString();
}

/** Leaves out what is undefined: stored forms hold only what was said. */
export function compact<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** Where a rule starts, as a whole second on the zone's clock: from an instant, or from a reading of that clock. */
export function readStart(what: string, value: Moment | PlainReading | string, zone: Zone): number {
  const local = readReading(value);
  if (local !== undefined) return local;
  const instant = Math.ceil(readInstant(what, value as Moment | string) / SECOND) * SECOND;
  return instant + zone.offsetAt(instant);
}

/** Weekdays as a set of numbers, 0 is Sunday. */
export function readWeekdays(what: string, value: readonly string[], code: ErrorCode): readonly number[] {
  if (!Array.isArray(value))
    throw new NightshiftError(code, `${what} is a list such as ["MON", "TUE"], got ${show(value)}.`);
  const numbers = value.map((name) => WEEKDAYS.indexOf(oneOf(what, name, WEEKDAYS, code)));
  return [...new Set(numbers)].sort((a, b) => a - b);
}
