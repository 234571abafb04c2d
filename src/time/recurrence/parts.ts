/** A recurrence rule (RFC 5545) as data, read from its text and written back in canonical order. */
import { didYouMean, NightshiftError, show } from "../../errors/index.ts";
import { formatLocal } from "../civil.ts";
import { localOf } from "../time-of-day.ts";

export type Frequency = "YEARLY" | "MONTHLY" | "WEEKLY" | "DAILY" | "HOURLY" | "MINUTELY" | "SECONDLY";

/** A weekday (0 is Sunday); `nth` is which of the month or year it must be, from the end when negative, 0 for every. */
export interface ByDay {
  readonly weekday: number;
  readonly nth: number;
}

/** Where a rule ends: an instant, a reading of the zone's clock, or a whole date. */
export interface Until {
  readonly kind: "instant" | "local" | "date";
  readonly value: number;
}

/** The parts of a rule. Empty lists say nothing. */
export interface RecurrenceParts {
  readonly freq: Frequency;
  readonly interval: number;
  readonly count: number | undefined;
  readonly until: Until | undefined;
  readonly weekStart: number;
  readonly byMonth: readonly number[];
  readonly byWeekNo: readonly number[];
  readonly byYearDay: readonly number[];
  readonly byMonthDay: readonly number[];
  readonly byDay: readonly ByDay[];
  readonly byHour: readonly number[];
  readonly byMinute: readonly number[];
  readonly bySecond: readonly number[];
  readonly bySetPos: readonly number[];
}

const FREQUENCIES: readonly Frequency[] = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"];
const DAYS = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"] as const;
const LISTS = {
  BYMONTH: { min: 1, max: 12, signed: false },
  BYWEEKNO: { min: 1, max: 53, signed: true },
  BYYEARDAY: { min: 1, max: 366, signed: true },
  BYMONTHDAY: { min: 1, max: 31, signed: true },
  BYHOUR: { min: 0, max: 23, signed: false },
  BYMINUTE: { min: 0, max: 59, signed: false },
  BYSECOND: { min: 0, max: 60, signed: false },
  BYSETPOS: { min: 1, max: 366, signed: true },
} as const;
type ListName = keyof typeof LISTS;
const NAMES = ["FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", ...(Object.keys(LISTS) as ListName[])];
/** A count is walked once, from the start; beyond this it would be felt. */
const MOST = 100_000;
const DATE_TIME = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/;

/** An error about a rule. */
export function recurrenceError(text: string, message: string): NightshiftError {
  return new NightshiftError("NS_RECURRENCE_SYNTAX", `${show(text)}: ${message}`, { details: { rule: text } });
}

/**
 * Reads `FREQ=…;INTERVAL=…`.
 *
 * @throws NS_RECURRENCE_SYNTAX
 */
export function parseParts(text: string): RecurrenceParts {
  const given = new Map<string, string>();
  for (const part of text.split(";").filter((part) => part !== "")) {
    const [name = "", value = "", ...more] = part.toUpperCase().split("=");
    if (!NAMES.includes(name))
      throw recurrenceError(text, `${show(name)} is not a part of a rule.${didYouMean(name, NAMES)}`);
    if (value === "" || more.length > 0) throw recurrenceError(text, `${name} needs one value, as in ${name}=…`);
    if (given.has(name)) throw recurrenceError(text, `${name} is given twice.`);
    given.set(name, value);
  }
  const freq = FREQUENCIES.find((known) => known === given.get("FREQ"));
  if (freq === undefined) {
    const value = given.get("FREQ");
    const got = value === undefined ? "nothing" : `${show(value)}.${didYouMean(value, FREQUENCIES)}`;
    throw recurrenceError(text, `FREQ is one of ${FREQUENCIES.join(", ")}; got ${got}`);
  }
  const list = (name: ListName) => readList(text, name, given.get(name));
  const parts: RecurrenceParts = {
    freq,
    interval: readCount(text, "INTERVAL", given.get("INTERVAL"), 1_000_000) ?? 1,
    count: readCount(text, "COUNT", given.get("COUNT"), MOST),
    until: readUntil(text, given.get("UNTIL")),
    weekStart: given.has("WKST") ? readWeekday(text, "WKST", given.get("WKST") ?? "") : 1,
    byMonth: list("BYMONTH"),
    byWeekNo: list("BYWEEKNO"),
    byYearDay: list("BYYEARDAY"),
    byMonthDay: list("BYMONTHDAY"),
    byDay: (given.get("BYDAY") ?? "")
      .split(",")
      .filter(Boolean)
      .map((day) => readByDay(text, day)),
    byHour: list("BYHOUR"),
    byMinute: list("BYMINUTE"),
    // A leap second is the minute's last one here, as clocks of computers show it.
    bySecond: [...new Set(list("BYSECOND").map((second) => Math.min(second, 59)))],
    bySetPos: list("BYSETPOS"),
  };
  checkTogether(text, parts);
  return parts;
}

function checkTogether(text: string, parts: RecurrenceParts): void {
  const { freq, byDay, byWeekNo, byYearDay, byMonthDay, bySetPos, count, until } = parts;
  if (count !== undefined && until !== undefined) throw recurrenceError(text, "COUNT and UNTIL exclude each other.");
  if (byWeekNo.length > 0 && freq !== "YEARLY") throw recurrenceError(text, "BYWEEKNO needs FREQ=YEARLY.");
  if (byYearDay.length > 0 && ["DAILY", "WEEKLY", "MONTHLY"].includes(freq)) {
    throw recurrenceError(text, `BYYEARDAY does not go with FREQ=${freq}.`);
  }
  if (byMonthDay.length > 0 && freq === "WEEKLY")
    throw recurrenceError(text, "BYMONTHDAY does not go with FREQ=WEEKLY.");
  const numbered = byDay.some(({ nth }) => nth !== 0);
  if (numbered && freq !== "YEARLY" && freq !== "MONTHLY") {
    throw recurrenceError(text, `BYDAY with a number needs FREQ=YEARLY or MONTHLY, got ${freq}.`);
  }
  if (numbered && byWeekNo.length > 0) throw recurrenceError(text, "BYDAY with a number does not go with BYWEEKNO.");
  const others = [byDay, byWeekNo, byYearDay, byMonthDay, parts.byMonth, parts.byHour, parts.byMinute, parts.bySecond];
  if (bySetPos.length > 0 && others.every((values) => values.length === 0)) {
    throw recurrenceError(text, "BYSETPOS needs another BY part to choose from.");
  }
}

/** The canonical text. Readings stay readings, instants end in Z. */
export function formatParts(parts: RecurrenceParts): string {
  const text = [`FREQ=${parts.freq}`];
  const add = (name: string, values: readonly (number | string)[]) =>
    values.length > 0 && text.push(`${name}=${values.join(",")}`);
  if (parts.interval !== 1) text.push(`INTERVAL=${parts.interval}`);
  if (parts.count !== undefined) text.push(`COUNT=${parts.count}`);
  if (parts.until) text.push(`UNTIL=${formatUntil(parts.until)}`);
  add("BYMONTH", parts.byMonth);
  add("BYWEEKNO", parts.byWeekNo);
  add("BYYEARDAY", parts.byYearDay);
  add("BYMONTHDAY", parts.byMonthDay);
  add(
    "BYDAY",
    parts.byDay.map(({ weekday, nth }) => `${nth === 0 ? "" : nth}${DAYS[weekday]}`),
  );
  add("BYHOUR", parts.byHour);
  add("BYMINUTE", parts.byMinute);
  add("BYSECOND", parts.bySecond);
  add("BYSETPOS", parts.bySetPos);
  if (parts.weekStart !== 1) text.push(`WKST=${DAYS[parts.weekStart]}`);
  return text.join(";");
}

function formatUntil({ kind, value }: Until): string {
  const text = formatCompact(value);
  return kind === "date" ? text.slice(0, 8) : `${text}${kind === "instant" ? "Z" : ""}`;
}

/** `"20260301T090000"`. */
export function formatCompact(local: number): string {
  return formatLocal(local).replaceAll(/[-:]/g, "");
}

/** Reads `20260301`, `20260301T090000` or `20260301T090000Z`; undefined when it is none of them. */
export function readDateTime(value: string): Until | undefined {
  const match = DATE_TIME.exec(value);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const local = localOf(year, month, day, hour, minute, second);
  if (local === undefined) return undefined;
  return { kind: match[4] === undefined ? "date" : match[7] === "Z" ? "instant" : "local", value: local };
}

function readUntil(text: string, value: string | undefined): Until | undefined {
  if (value === undefined) return undefined;
  const until = readDateTime(value);
  if (until) return until;
  throw recurrenceError(text, `UNTIL is 20261231, 20261231T170000 or 20261231T160000Z, got ${show(value)}.`);
}

function readCount(text: string, name: string, value: string | undefined, most: number): number | undefined {
  if (value === undefined) return undefined;
  const count = /^\d+$/.test(value) ? Number(value) : 0;
  if (count >= 1 && count <= most) return count;
  throw recurrenceError(text, `${name} is 1-${most}, got ${value}.`);
}

function readList(text: string, name: ListName, value: string | undefined): readonly number[] {
  if (value === undefined) return [];
  const { min, max, signed } = LISTS[name];
  const numbers = value.split(",").map((item) => {
    const number = /^[+-]?\d+$/.test(item) ? Number(item) : Number.NaN;
    const size = signed ? Math.abs(number) : number;
    if (size >= min && size <= max) return number;
    throw recurrenceError(
      text,
      `${name} takes ${min}-${max}${signed ? `, or -${max} to -${min} from the end` : ""}; got ${item || "nothing"}.`,
    );
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function readByDay(text: string, value: string): ByDay {
  const match = /^([+-]?\d{1,2})?([A-Z]+)$/.exec(value);
  const nth = Number(match?.[1] ?? 0);
  if (!match || Math.abs(nth) > 53 || (match[1] !== undefined && nth === 0)) {
    throw recurrenceError(text, `BYDAY takes weekdays such as MO, 2MO or -1FR; got ${show(value)}.`);
  }
  return { weekday: readWeekday(text, "BYDAY", match[2] ?? ""), nth };
}

function readWeekday(text: string, name: string, value: string): number {
  const weekday = (DAYS as readonly string[]).indexOf(value);
  if (weekday >= 0) return weekday;
  const whole = DAYS.find((day) => value.startsWith(day));
  const hint = whole === undefined ? didYouMean(value, DAYS) : ` Did you mean ${show(whole)}?`;
  throw recurrenceError(text, `${name} takes ${DAYS.join(", ")}; got ${show(value)}.${hint}`);
}
