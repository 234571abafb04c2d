/** What a language needs to say when something fires. `{0}` and `{1}` stand for what is filled in. */

/** What a rule counts. */
export type Unit = "second" | "minute" | "hour" | "day" | "week" | "month" | "year";

/** The sentences of one language, in pieces. Names of days and months, lists, times and dates come from `Intl`. */
export interface Phrases {
  /** The locale of the language itself. */
  readonly tag: string;
  readonly ordinal: (n: number) => string;
  /** A day of the month. */
  readonly day: (n: number) => string;
  /** `every minute`, `every {0} minutes`. */
  readonly every: Readonly<Record<Unit, readonly [one: string, many: string]>>;
  /** `every {0} minute`, filled with an ordinal. */
  readonly nth: Readonly<Record<Unit, string>>;
  readonly stepIn: string;
  readonly range: string;
  readonly at: string;
  readonly atUnit: Readonly<Record<"second" | "minute" | "hour", string>>;
  readonly duringHours: string;
  readonly duringEvery: string;
  readonly chosenById: string;
  /** Days of the month. */
  readonly ofMonth: string;
  readonly theDay: string;
  readonly lastDay: string;
  readonly beforeLast: string;
  readonly lastWeekday: string;
  readonly beforeLastWeekday: string;
  readonly nearest: string;
  /** Days of the week. */
  readonly on: string;
  readonly weekday: string;
  readonly weekdays: string;
  readonly nthWeekday: string;
  readonly lastOf: string;
  readonly or: string;
  readonly ifThatIs: string;
  readonly inMonth: string;
  readonly inYear: string;
  /** Recurrence rules. */
  readonly inWeek: string;
  readonly onYearDay: string;
  readonly onMonthDay: string;
  readonly fromEnd: string;
  readonly theNth: string;
  readonly theLast: string;
  readonly theNthLast: string;
  readonly timesGrid: string;
  readonly onlyThe: string;
  readonly last: string;
  readonly nthLast: string;
  readonly from: string;
  readonly until: string;
  readonly once: string;
  readonly times: string;
  /** Other triggers. */
  readonly everyElapsed: string;
  readonly window: string;
  readonly everyDay: string;
  readonly atMost: string;
  readonly onceAt: string;
  readonly orElse: string;
  readonly except: string;
  readonly later: string;
  /** Calendars. */
  readonly everyWeekday: string;
  readonly ofEveryMonth: string;
  readonly ofEveryYear: string;
  readonly datesBetween: string;
  readonly outside: string;
  readonly matches: string;
  readonly and: string;
}

/** A piece with its places filled. */
export function fill(piece: string, ...values: readonly (string | number)[]): string {
  return piece.replaceAll(/\{(\d)\}/g, (_, index) => String(values[Number(index)] ?? ""));
}
