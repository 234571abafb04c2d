/** Moments in and out: what callers give as a point in time or as a reading of a clock, `Temporal` values included. */
import { NightshiftError, show } from "../errors/index.ts";
import { SECOND } from "./civil.ts";
import { readLocal } from "./time-of-day.ts";
import type { Moment, PlainReading } from "./trigger.ts";

/**
 * The milliseconds of a moment, rounded down.
 *
 * @throws NS_TIME_INVALID when it is not one, or is an invalid date
 */
export function instantOf(moment: Moment, what = "The time"): number {
  const instant = moment instanceof Date ? moment.getTime() : moment?.epochMilliseconds;
  if (typeof instant === "number" && Number.isFinite(instant)) return Math.floor(instant);
  if (isPlain(moment)) {
    const ways = 'Give it one, as in value.toZonedDateTime("Europe/Oslo").';
    throw new NightshiftError("NS_TIME_INVALID", `${what} is ${String(moment)}, which has no time zone. ${ways}`);
  }
  const ways = "Give a valid Date, or a Temporal.Instant or ZonedDateTime.";
  throw new NightshiftError("NS_TIME_INVALID", `${what} is ${show(moment)}. ${ways}`);
}

/** Whether a moment stands on a millisecond: those of `Temporal` may stand between two. */
export function isWhole(moment: Moment): boolean {
  if (moment instanceof Date) return true;
  const { epochNanoseconds } = moment as { epochNanoseconds?: unknown };
  if (typeof epochNanoseconds === "bigint") return epochNanoseconds % 1_000_000n === 0n;
  return Number.isInteger(moment.epochMilliseconds);
}

interface InstantClass {
  fromEpochMilliseconds(instant: number): Moment;
}
type ZonedClass = new (nanoseconds: bigint, timeZone: string, calendar: string) => Moment;

/** Built by the class of the example itself, so that a polyfill's objects answer with the polyfill's objects. */
export function likeMoment<T extends Moment>(example: T, instant: number): T {
  if (example instanceof Date) return new Date(instant) as Moment as T;
  if ("timeZoneId" in example && "calendarId" in example) {
    const Zoned = example.constructor as ZonedClass;
    return new Zoned(BigInt(instant) * 1_000_000n, String(example.timeZoneId), String(example.calendarId)) as T;
  }
  const Instant = example.constructor as unknown as Partial<InstantClass>;
  return (Instant.fromEpochMilliseconds?.(instant) ?? { epochMilliseconds: instant }) as T;
}

/** The zone that a moment carries with it, as `Temporal.ZonedDateTime` does. */
export function zoneNameOf(value: unknown): string | undefined {
  const { timeZoneId } = (typeof value === "object" && value !== null ? value : {}) as { timeZoneId?: unknown };
  return typeof timeZoneId === "string" ? timeZoneId : undefined;
}

/** Whether a value is a reading of a clock or calendar without a zone. */
export function isPlain(value: unknown): value is PlainReading {
  return typeof value === "object" && value !== null && "calendarId" in value && !("epochMilliseconds" in value);
}

/** ISO text of a plain reading, in whatever calendar it is written: `"2026-03-01T09:00:00"`, or `"2026-03-01"` of a date. */
export function plainText(value: PlainReading): string {
  // Other calendars write "2026-03-01T09:00:00[u-ca=japanese]": the part before is ISO's.
  return String(value).replace(/\[.*$/, "");
}

/** A reading of a clock, from text or a plain value, in milliseconds as if it were UTC; undefined when it is none. */
export function readReading(value: unknown): number | undefined {
  if (typeof value === "string") return readLocal(value);
  if (!isPlain(value)) return undefined;
  const [whole = "", fraction = ""] = plainText(value).split(".");
  const local = readLocal(whole);
  // Rules are about whole seconds: the first of them that is not before.
  return local === undefined || !/[1-9]/.test(fraction) ? local : local + SECOND;
}
