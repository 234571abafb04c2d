/** What the fields of a cron expression are called, what they may hold, and how each dialect counts them. */

/**
 * How an expression is read.
 *
 * - `unix`: weekday 0-7 (0 and 7 are Sunday); day of month OR weekday when both are restricted.
 * - `cronos`, as Hangfire reads it: weekday 0-7; both must match; `?` is `*`; `W` skips months that are too short.
 * - `quartz`: six or seven fields; weekday 1-7 (1 is Sunday); OR; `W` clamps to the month's end.
 */
export type CronDialect = "unix" | "cronos" | "quartz";

export const DIALECTS: readonly CronDialect[] = ["unix", "cronos", "quartz"];

export type FieldName = "second" | "minute" | "hour" | "day" | "month" | "weekday" | "year";

/** A field's allowed values. */
export interface FieldKind {
  readonly name: FieldName;
  /** As an error message calls it. */
  readonly label: string;
  readonly min: number;
  readonly max: number;
  /** How many different values there are; weekday 7 is 0 again. */
  readonly size: number;
  /** Names for the values, the first standing for `namedFrom`. */
  readonly names: readonly string[];
  readonly namedFrom: number;
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

function field(name: FieldName, label: string, min: number, max: number, names: readonly string[] = []): FieldKind {
  return { name, label, min, max, size: max - min + 1, names, namedFrom: min };
}

const SECOND = field("second", "second", 0, 59);
const MINUTE = field("minute", "minute", 0, 59);
const HOUR = field("hour", "hour", 0, 23);
const DAY = field("day", "day of month", 1, 31);
const MONTH = field("month", "month", 1, 12, MONTHS);
const WEEKDAY: FieldKind = { ...field("weekday", "day of week", 0, 7, WEEKDAYS), size: 7 };
const QUARTZ_WEEKDAY = field("weekday", "day of week", 1, 7, WEEKDAYS);
const YEAR = field("year", "year", 1970, 2099);

/** The fields of an expression with seconds and year, in order. */
export function fieldsOf(dialect: CronDialect): readonly FieldKind[] {
  return [SECOND, MINUTE, HOUR, DAY, MONTH, dialect === "quartz" ? QUARTZ_WEEKDAY : WEEKDAY, YEAR];
}

/** How many fields each dialect takes. */
export const FIELD_COUNTS: Readonly<Record<CronDialect, readonly number[]>> = {
  unix: [5, 6, 7],
  cronos: [5, 6],
  quartz: [6, 7],
};

/** What each macro stands for, seconds first, weekday as `unix` counts it. */
export const MACROS: Readonly<Record<string, string>> = {
  "@every_second": "* * * * * *",
  "@every_minute": "0 * * * * *",
  "@hourly": "0 0 * * * *",
  "@daily": "0 0 0 * * *",
  "@midnight": "0 0 0 * * *",
  "@weekly": "0 0 0 * * 0",
  "@monthly": "0 0 0 1 * *",
  "@yearly": "0 0 0 1 1 *",
  "@annually": "0 0 0 1 1 *",
};

/** {@link MACROS} as `quartz` writes them. */
export const QUARTZ_MACROS: typeof MACROS = {
  ...MACROS,
  "@every_second": "* * * * * ?",
  "@every_minute": "0 * * * * ?",
  "@hourly": "0 0 * * * ?",
  "@daily": "0 0 0 * * ?",
  "@midnight": "0 0 0 * * ?",
  "@weekly": "0 0 0 ? * 1",
  "@monthly": "0 0 0 1 * ?",
  "@yearly": "0 0 0 1 1 ?",
  "@annually": "0 0 0 1 1 ?",
};
