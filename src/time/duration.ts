/** Lengths of time as people write them: `"10s"`, or a number of milliseconds. */
import { NightshiftError, show } from "../errors/index.ts";

/** The units of a {@link Duration} in text, in milliseconds. Days and weeks are exact multiples of 24 hours. */
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A unit of time in a duration: milliseconds, seconds, minutes, hours, days, weeks. */
export type DurationUnit = keyof typeof UNITS;

/** What `Temporal.Duration` looks like from here. Weeks, months and years in one have no fixed length, and are refused. */
export interface TemporalDuration {
  /** The whole of it in one unit. */
  total(unit: "milliseconds"): number;
  readonly milliseconds: number;
}

/**
 * A length of time: a number of milliseconds, text such as `"250ms"`, `"10s"`, `"5m"`, `"2h"`, `"1d"`, `"2w"`,
 * `"1h30m"`, or a `Temporal.Duration`. Fractions are allowed in text (`"1.5h"`). A day is 24 hours; calendar days belong
 * to schedules.
 */
export type Duration =
  | number
  | `${number}${DurationUnit}`
  | `${number}${DurationUnit}${number}${DurationUnit}`
  | TemporalDuration;

const PART = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/;
/** Beyond this a JavaScript date cannot follow: 100 million days. */
const LONGEST = 8_640_000_000_000_000;

/**
 * The milliseconds in a duration.
 *
 * @param value milliseconds, text, or a `Temporal.Duration`
 * @param what how the value is called in the error, for example `"timeout"`
 * @throws NS_DURATION_INVALID when it is neither, negative, not finite, or longer than 100 million days
 * @example
 * ```ts
 * import { parseDuration } from "nightshift";
 *
 * parseDuration("1h30m"); // 5_400_000
 * ```
 */
export function parseDuration(value: Duration, what = "duration"): number {
  const milliseconds = millisecondsOf(value);
  if (!(milliseconds >= 0 && milliseconds <= LONGEST)) {
    const ways = "Give milliseconds (0 or more) or text such as 250ms, 10s, 5m, 2h, 1d, 1h30m.";
    const fixed = isTemporalDuration(value)
      ? " Of a Temporal.Duration: days and shorter, since longer units have no one length."
      : "";
    const given = isTemporalDuration(value) ? String(value) : show(value);
    throw new NightshiftError("NS_DURATION_INVALID", `${what} is ${given}. ${ways}${fixed}`, {
      details: { what, value },
    });
  }
  return milliseconds;
}

/** A duration as a person reads it, rounded to its two largest units: `"1h 30m"`, `"850ms"`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)}ms`;
  if (milliseconds < 10_000) return `${Number((milliseconds / 1_000).toFixed(1))}s`;
  let seconds = Math.round(milliseconds / 1_000);
  const parts: string[] = [];
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(seconds / size);
    if (count > 0) parts.push(`${count}${unit}`);
    seconds -= count * size;
  }
  return parts.slice(0, 2).join(" ");
}

function millisecondsOf(value: Duration): number {
  if (typeof value === "number") return value;
  if (typeof value === "string") return fromText(value);
  if (!isTemporalDuration(value)) return Number.NaN;
  try {
    return value.total("milliseconds");
  } catch (error) {
    // Weeks, months and years: they are as long as the calendar makes them.
    if (error instanceof RangeError) return Number.NaN;
    throw error;
  }
}

/** Whether a value is one, whoever made its class. */
export function isTemporalDuration(value: unknown): value is TemporalDuration {
  return typeof value === "object" && value !== null && "total" in value && typeof value.total === "function";
}

function fromText(text: string): number {
  let rest = text.trim();
  let total = 0;
  do {
    const match = PART.exec(rest);
    if (!match) return Number.NaN;
    total += Number(match[1]) * UNITS[match[2] as DurationUnit];
    rest = rest.slice(match[0].length);
  } while (rest !== "");
  return total;
}
