/** Calendars that leave out whole days: of the week, of the month, of the year, and single dates. */
import { NightshiftError, show } from "../../errors/index.ts";
import { civilOf, DAY, monthLength, weekdayOf } from "../civil.ts";
import { languageOf } from "../language/language.ts";
import { fill } from "../language/phrases.ts";
import { checkOptions, readWeekdays, WEEKDAYS, type Weekday } from "../limits.ts";
import { readLocal } from "../time-of-day.ts";
import { type Calendar, type CalendarJSON, type CalendarOptions, DayCalendar, dateText, inZone } from "./calendar.ts";

/** A day of the year: month and day, `"12-25"`. */
export type DayOfYear = `${number}-${number}`;

class WeeklyCalendar extends DayCalendar {
  protected readonly longest = 7;
  readonly #days: readonly number[];

  constructor(days: readonly number[], options: CalendarOptions) {
    super(options);
    this.#days = days;
  }

  protected excludesDay(day: number): boolean {
    return this.#days.includes(weekdayOf(day));
  }

  describe(locale?: string): string {
    const language = languageOf(locale);
    const names = language.list(this.#days.map((day) => language.weekday(day)));
    return `${fill(language.say.everyWeekday, names)} (${this.timeZone})`;
  }

  toString(): string {
    return `weekly ${this.#days.map((day) => WEEKDAYS[day]).join(",")}${inZone(this.timeZone)}`;
  }

  toJSON(): CalendarJSON {
    return { type: "weekly", days: this.#days.map((day) => WEEKDAYS[day]), timeZone: this.timeZone };
  }
}

/**
 * A calendar that leaves out days of the week.
 *
 * @param days default `["SAT", "SUN"]`
 * @throws NS_CALENDAR_INVALID, NS_TIME_ZONE_UNKNOWN, NS_OPTION_UNKNOWN
 * @example
 * ```ts
 * import { weeklyCalendar } from "nightshift/time";
 *
 * weeklyCalendar(["FRI", "SAT"], { timeZone: "Asia/Riyadh" });
 * ```
 */
export function weeklyCalendar(days: readonly Weekday[] = ["SAT", "SUN"], options: CalendarOptions = {}): Calendar {
  checkOptions("weeklyCalendar()", options, ["timeZone"]);
  return new WeeklyCalendar(readWeekdays("weeklyCalendar()'s days", days, "NS_CALENDAR_INVALID"), options);
}

class MonthlyCalendar extends DayCalendar {
  protected readonly longest = 62;
  readonly #days: readonly (number | "last")[];

  constructor(days: readonly (number | "last")[], options: CalendarOptions) {
    super(options);
    this.#days = days;
  }

  protected excludesDay(dayNumber: number): boolean {
    const { year, month, day } = civilOf(dayNumber);
    return this.#days.includes(day) || (day === monthLength(year, month) && this.#days.includes("last"));
  }

  describe(locale?: string): string {
    const language = languageOf(locale);
    const { say } = language;
    const days = this.#days.map((day) => (day === "last" ? say.last : say.day(day)));
    return `${fill(say.ofEveryMonth, language.list(days))} (${this.timeZone})`;
  }

  toString(): string {
    return `monthly ${this.#days.join(",")}${inZone(this.timeZone)}`;
  }

  toJSON(): CalendarJSON {
    return { type: "monthly", days: [...this.#days], timeZone: this.timeZone };
  }
}

/**
 * A calendar that leaves out days of the month: 1-31, or `"last"`.
 *
 * @throws NS_CALENDAR_INVALID, NS_TIME_ZONE_UNKNOWN, NS_OPTION_UNKNOWN
 * @example
 * ```ts
 * import { monthlyCalendar } from "nightshift/time";
 *
 * monthlyCalendar([1, "last"], { timeZone: "Europe/Oslo" });
 * ```
 */
export function monthlyCalendar(days: readonly (number | "last")[], options: CalendarOptions = {}): Calendar {
  checkOptions("monthlyCalendar()", options, ["timeZone"]);
  const wrong = checkList("monthlyCalendar()", days).find(
    (day) => day !== "last" && !(typeof day === "number" && Number.isInteger(day) && day >= 1 && day <= 31),
  );
  if (wrong !== undefined) throw invalid(`monthlyCalendar() takes days from 1 to 31 and "last", got ${show(wrong)}.`);
  const order = (day: number | "last") => (day === "last" ? 32 : day);
  return new MonthlyCalendar(
    [...new Set(days)].sort((a, b) => order(a) - order(b)),
    options,
  );
}

class AnnualCalendar extends DayCalendar {
  protected readonly longest = 740;
  readonly #days: ReadonlySet<string>;

  constructor(days: ReadonlySet<string>, options: CalendarOptions) {
    super(options);
    this.#days = days;
  }

  protected excludesDay(day: number): boolean {
    return this.#days.has(dateText(day).slice(5));
  }

  describe(locale?: string): string {
    const language = languageOf(locale);
    const days = [...this.#days].map((day) => language.dayOfYear(Number(day.slice(0, 2)), Number(day.slice(3))));
    return `${fill(language.say.ofEveryYear, language.list(days))} (${this.timeZone})`;
  }

  toString(): string {
    return `annual ${[...this.#days].join(",")}${inZone(this.timeZone)}`;
  }

  toJSON(): CalendarJSON {
    return { type: "annual", days: [...this.#days], timeZone: this.timeZone };
  }
}

/**
 * A calendar that leaves out the same days every year, given as month and day.
 *
 * @throws NS_CALENDAR_INVALID, NS_TIME_ZONE_UNKNOWN, NS_OPTION_UNKNOWN
 * @example
 * ```ts
 * import { annualCalendar } from "nightshift/time";
 *
 * annualCalendar(["01-01", "12-25", "12-26"], { timeZone: "Europe/Oslo" });
 * ```
 */
export function annualCalendar(days: readonly DayOfYear[], options: CalendarOptions = {}): Calendar {
  checkOptions("annualCalendar()", options, ["timeZone"]);
  // In a leap year, so that 29 February is a day like others.
  const wrong = checkList("annualCalendar()", days).find((day) => readLocal(`2000-${day}`) === undefined);
  if (wrong !== undefined) throw invalid(`annualCalendar() takes month and day such as "12-25", got ${show(wrong)}.`);
  return new AnnualCalendar(new Set([...days].sort()), options);
}

class HolidayCalendar extends DayCalendar {
  protected readonly longest: number;
  readonly #dates: ReadonlySet<string>;

  constructor(dates: ReadonlySet<string>, options: CalendarOptions) {
    super(options);
    this.#dates = dates;
    this.longest = dates.size;
  }

  protected excludesDay(day: number): boolean {
    return this.#dates.has(dateText(day));
  }

  describe(locale?: string): string {
    const language = languageOf(locale);
    const dates = [...this.#dates];
    const [first = "", last = ""] = [dates[0], dates.at(-1)];
    const text = dates.length <= 5 ? language.list(dates) : fill(language.say.datesBetween, dates.length, first, last);
    return `${text} (${this.timeZone})`;
  }

  toString(): string {
    return `holidays ${[...this.#dates].join(",")}${inZone(this.timeZone)}`;
  }

  toJSON(): CalendarJSON {
    return { type: "holiday", dates: [...this.#dates], timeZone: this.timeZone };
  }
}

/**
 * A calendar that leaves out single dates.
 *
 * @throws NS_CALENDAR_INVALID, NS_TIME_ZONE_UNKNOWN, NS_OPTION_UNKNOWN
 * @example
 * ```ts
 * import { holidayCalendar } from "nightshift/time";
 *
 * holidayCalendar(["2026-04-03", "2026-04-06"], { timeZone: "Europe/Oslo" });
 * ```
 */
export function holidayCalendar(dates: readonly string[], options: CalendarOptions = {}): Calendar {
  checkOptions("holidayCalendar()", options, ["timeZone"]);
  const wrong = checkList("holidayCalendar()", dates).find(
    (date) => (readLocal(date) ?? 1) % DAY !== 0 || date.length !== 10,
  );
  if (wrong !== undefined) throw invalid(`holidayCalendar() takes dates such as "2026-05-17", got ${show(wrong)}.`);
  return new HolidayCalendar(new Set([...dates].sort()), options);
}

function checkList<T>(what: string, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value;
  throw invalid(`${what} takes a list, got ${show(value)}.`);
}

function invalid(message: string): NightshiftError {
  return new NightshiftError("NS_CALENDAR_INVALID", message);
}
