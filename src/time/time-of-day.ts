/** Times of day and local date-times as people write them, and the way back. */
import { type ErrorCode, NightshiftError, show } from "../errors/index.ts";
import { DAY, dayNumber, formatLocal, HOUR, MINUTE, monthLength, SECOND } from "./civil.ts";

/** A time of day: `"09:30"` or `"09:30:15"`; `"24:00"` is the end of the day. */
export type TimeOfDay = `${number}:${number}` | `${number}:${number}:${number}`;

/** A time of day as an object: `Temporal.PlainTime`. */
export interface PlainTime {
  readonly hour: number;
  readonly minute: number;
  toString(): string;
}

const TIME = /^([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?$/;
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?)?$/;

/** Milliseconds after midnight. */
export function readTimeOfDay(what: string, value: string | PlainTime, code: ErrorCode = "NS_TRIGGER_INVALID"): number {
  const plain = typeof value === "object" && value !== null && "hour" in value && !("year" in value);
  const match = typeof value === "string" || plain ? TIME.exec(String(value)) : null;
  const time = match ? Number(match[1]) * HOUR + Number(match[2]) * MINUTE + Number(match[3] ?? 0) * SECOND : Infinity;
  if (time <= DAY) return time;
  throw new NightshiftError(code, `${what} is a time of day such as "09:30" or "24:00", got ${show(value)}.`);
}

/** `"09:30"`, or `"09:30:15"` when there are seconds. */
export function formatTimeOfDay(time: number): TimeOfDay {
  if (time === DAY) return "24:00";
  const text = formatLocal(time).slice(11);
  return (text.endsWith(":00") ? text.slice(0, 5) : text) as TimeOfDay;
}

/** The reading of `"2026-03-01T09:00:00"` or `"2026-03-01"`, in milliseconds as if it were UTC; undefined if it is none. */
export function readLocal(value: string): number | undefined {
  const match = LOCAL.exec(value);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  return localOf(year ?? 0, month ?? 0, day ?? 0, hour, minute, second);
}

/** A reading from its parts, or undefined when there is no such date or time. */
export function localOf(
  year: number,
  month: number,
  day: number,
  hour = 0,
  minute = 0,
  second = 0,
): number | undefined {
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > monthLength(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return dayNumber(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second * SECOND;
}
