/** Which days an expression means: day of month, month, weekday and year, with `L`, `W` and `#`, as bit masks. */
import { civilOf, dayNumber, FIRST_YEAR, LAST_YEAR, monthLength, weekdayOf } from "../civil.ts";
import type { Item } from "./items.ts";
import type { NumberSet } from "./number-set.ts";

/** Whether day of month and weekday must both match, or either, or only one of them says anything. */
export type DayCombination = "and" | "or";

/** The parts of a day rule. Weekdays count from 0, Sunday. */
export interface DayParts {
  readonly months: NumberSet;
  /** Undefined is every year. */
  readonly years: NumberSet | undefined;
  /** Bit d is day d. */
  readonly days: number;
  readonly weekdays: readonly number[];
  readonly specialDays: readonly (Item & { kind: "last" | "last-weekday" | "nearest" })[];
  readonly specialWeekdays: readonly (Item & { kind: "nth" | "last-of-month" })[];
  readonly combination: DayCombination;
  /** What `W` does in a month that is too short: skip the month, or take its last day. */
  readonly clamp: boolean;
}

/** Dates repeat after 400 years, weekdays included; whoever found nothing in as many months never will. */
const MONTHS_OF_A_CYCLE = 4_812;
/** After so many months without a match it is worth asking whether there can be one at all. */
const PATIENCE = 13;

/** Finds days. */
export class DayRule {
  readonly #parts: DayParts;
  /** For each weekday that a month may begin on, the bits of the days that fall on one of the weekdays. */
  readonly #weekdayMasks: readonly number[];

  constructor(parts: DayParts) {
    this.#parts = parts;
    this.#weekdayMasks = [0, 1, 2, 3, 4, 5, 6].map((first) => {
      let mask = 0;
      for (let day = 1; day <= 31; day++) if (parts.weekdays.includes((first + day - 1) % 7)) mask |= 1 << day;
      return mask;
    });
  }

  has(day: number): boolean {
    const { year, month, day: date } = civilOf(day);
    const { months, years } = this.#parts;
    if (!months.has(month) || (years !== undefined && !years.has(year))) return false;
    return (this.#maskOf(monthLength(year, month), weekdayOf(day - date + 1)) & (1 << date)) !== 0;
  }

  /** The first matching day at or after `day`. */
  next(day: number): number | undefined {
    const { months, years } = this.#parts;
    let { year, month, day: date } = civilOf(day);
    let monthStart = day - date + 1;
    for (let count = 0; count < MONTHS_OF_A_CYCLE && year <= LAST_YEAR; count++) {
      if (count === PATIENCE && !this.#canMatch()) return undefined;
      if (years !== undefined && !years.has(year)) {
        const wanted = year < years.first ? years.first : years.next(year);
        if (wanted < 0) return undefined;
        [year, month, date] = [wanted, 1, 1];
        monthStart = dayNumber(year, 1, 1);
      }
      const length = monthLength(year, month);
      if (months.has(month)) {
        const found = this.#maskOf(length, weekdayOf(monthStart)) & (-1 << date);
        if (found !== 0) return monthStart + (31 - Math.clz32(found & -found)) - 1;
      }
      monthStart += length;
      date = 1;
      if (++month > 12) [year, month] = [year + 1, 1];
    }
    return undefined;
  }

  /** The last matching day at or before `day`. */
  previous(day: number): number | undefined {
    const { months, years } = this.#parts;
    let { year, month, day: date } = civilOf(day);
    let monthStart = day - date + 1;
    for (let count = 0; count < MONTHS_OF_A_CYCLE && year >= FIRST_YEAR; count++) {
      if (count === PATIENCE && !this.#canMatch()) return undefined;
      if (years !== undefined && !years.has(year)) {
        const wanted = year > years.last ? years.last : years.previous(year);
        if (wanted < 0) return undefined;
        [year, month, date] = [wanted, 12, 31];
        monthStart = dayNumber(year, 12, 1);
      }
      if (months.has(month)) {
        const found = this.#maskOf(monthLength(year, month), weekdayOf(monthStart)) & (-1 >>> (31 - date));
        if (found !== 0) return monthStart + (31 - Math.clz32(found)) - 1;
      }
      if (--month < 1) [year, month] = [year - 1, 12];
      monthStart -= monthLength(year, month);
      date = 31;
    }
    return undefined;
  }

  /** Whether a month of any length and any first weekday would match: 30 February and 31 April never do, whatever the year. */
  #canMatch(): boolean {
    const { months } = this.#parts;
    for (let month = 1; month <= 12; month++) {
      if (!months.has(month)) continue;
      for (const length of new Set([monthLength(2023, month), monthLength(2024, month)])) {
        for (let first = 0; first < 7; first++) if (this.#maskOf(length, first) !== 0) return true;
      }
    }
    return false;
  }

  /** The matching days of a month, as bits, by its length and the weekday of its first day. */
  #maskOf(length: number, first: number): number {
    const { days, specialDays, specialWeekdays, combination, clamp } = this.#parts;
    let byDate = days;
    for (const item of specialDays) byDate |= bit(dayOfSpecial(item, length, first, clamp));
    let byWeekday = this.#weekdayMasks[first] ?? 0;
    for (const item of specialWeekdays) byWeekday |= bit(dayOfWeekday(item, length, first));
    const both = combination === "and" ? byDate & byWeekday : byDate | byWeekday;
    return both & (-1 >>> (31 - length)) & ~1;
  }
}

const bit = (day: number) => (day >= 1 && day <= 31 ? 1 << day : 0);

function dayOfSpecial(item: DayParts["specialDays"][number], length: number, first: number, clamp: boolean): number {
  switch (item.kind) {
    case "last":
      return item.weekday && length - item.back >= 1
        ? nearestWeekday(length - item.back, length, first)
        : length - item.back;
    case "last-weekday": {
      const day = nearestWeekday(length, length, first) - item.back;
      return clamp ? Math.max(1, day) : day;
    }
    case "nearest":
      if (item.day > length && !clamp) return 0;
      return nearestWeekday(Math.min(item.day, length), length, first);
  }
}

/** Monday to Friday nearest to a day, without leaving the month. */
function nearestWeekday(day: number, length: number, first: number): number {
  const weekday = (first + day - 1) % 7;
  if (weekday === 6) return day > 1 ? day - 1 : day + 2;
  if (weekday === 0) return day < length ? day + 1 : day - 2;
  return day;
}

function dayOfWeekday(item: DayParts["specialWeekdays"][number], length: number, first: number): number {
  const firstOne = 1 + ((item.weekday - first + 7) % 7);
  if (item.kind === "nth") return firstOne + 7 * (item.nth - 1);
  return firstOne + 7 * Math.floor((length - firstOne) / 7);
}
