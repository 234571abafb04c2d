/**
 * Checks cron expressions in the type checker: a literal with the wrong number of fields or an impossible value does not
 * compile. It knows less than the parser does, which has the last word; what it cannot tell, it lets pass.
 */
import type { CronDialect } from "./fields.ts";

type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type Sixty = Digit | `${"0" | "1" | "2" | "3" | "4" | "5"}${Digit}`;
type Hour = Digit | `${"0" | "1"}${Digit}` | "20" | "21" | "22" | "23";
type Day = Exclude<Digit | `${"0" | "1" | "2"}${Digit}`, "0" | "00"> | "30" | "31";
type MonthName = "JAN" | "FEB" | "MAR" | "APR" | "MAY" | "JUN" | "JUL" | "AUG" | "SEP" | "OCT" | "NOV" | "DEC";
type Month = Exclude<Digit | `0${Digit}`, "0" | "00"> | "10" | "11" | "12" | MonthName;
type DayName = "SUN" | "MON" | "TUE" | "WED" | "THU" | "FRI" | "SAT";
type Seven = "1" | "2" | "3" | "4" | "5" | "6" | "7";
type Weekday = "0" | Seven | `0${"0" | Seven}` | DayName;
type QuartzWeekday = Seven | `0${Seven}` | DayName;
type Year = `${"19" | "20"}${Digit}${Digit}`;

/** What a field may hold: its plain values, its special forms, and how a message calls them. */
interface Field<Values extends string, Special extends string, Text extends string> {
  readonly values: Values;
  readonly special: Special;
  readonly text: Text;
}

type DaySpecial = "L" | "LW" | `L-${string}` | `LW-${string}` | `${Day}W`;
type WeekdaySpecial<V extends string> = `${V}L` | `${V}#${"1" | "2" | "3" | "4" | "5"}`;
type SecondField = Field<Sixty, never, "second is 0-59">;
type MinuteField = Field<Sixty, never, "minute is 0-59">;
type HourField = Field<Hour, never, "hour is 0-23">;
type DayField = Field<Day, DaySpecial, "day of month is 1-31">;
type MonthField = Field<Month, never, "month is 1-12 or JAN-DEC">;
type WeekdayField = Field<Weekday, WeekdaySpecial<Weekday>, "day of week is 0-7 or SUN-SAT">;
type QuartzWeekdayField = Field<QuartzWeekday, "L" | WeekdaySpecial<QuartzWeekday>, "day of week is 1-7 or SUN-SAT">;
type YearField = Field<Year, never, "year is 1970-2099">;

type Five<D> = [MinuteField, HourField, DayField, MonthField, D extends "quartz" ? QuartzWeekdayField : WeekdayField];
type Six<D> = [SecondField, ...Five<D>];
type Seventh<D> = [...Six<D>, YearField];

type Words<S extends string> = S extends `${infer First} ${infer Rest}`
  ? First extends ""
    ? Words<Rest>
    : [First, ...Words<Rest>]
  : S extends ""
    ? []
    : [S];

/** Nothing for an element that may pass, its text for one that cannot. */
type BadItem<S extends string, F extends Field<string, string, string>> = S extends
  | F["values"]
  | F["special"]
  | "*"
  | "?"
  ? never
  : S extends `H${string}`
    ? never
    : S extends `${infer Base}/${infer Step}`
      ? Step extends `${bigint}`
        ? Base extends "*" | "?" | ""
          ? never
          : BadRange<Base, F, S>
        : S
      : BadRange<S, F, S>;

type BadRange<S extends string, F extends Field<string, string, string>, Whole> = S extends F["values"]
  ? never
  : S extends `${infer From}-${infer To}`
    ? From extends F["values"]
      ? To extends F["values"]
        ? never
        : Whole
      : Whole
    : Whole;

type BadList<S extends string, F extends Field<string, string, string>> = S extends `${infer First},${infer Rest}`
  ? BadItem<First, F> | BadList<Rest, F>
  : BadItem<S, F>;

type FirstBad<W, F> = W extends [infer S extends string, ...infer Rest]
  ? F extends [infer One extends Field<string, string, string>, ...infer Others]
    ? [BadList<Uppercase<S>, One>] extends [never]
      ? FirstBad<Rest, Others>
      : `${One["text"]}, got ${BadList<Uppercase<S>, One>}`
    : true
  : true;

type CheckFields<W extends string[], D extends CronDialect> = W["length"] extends 5
  ? D extends "quartz"
    ? "the quartz dialect takes 6 (seconds first) or 7 (year last) fields, got 5"
    : FirstBad<W, Five<D>>
  : W["length"] extends 6
    ? FirstBad<W, Six<D>>
    : W["length"] extends 7
      ? D extends "cronos"
        ? "the cronos dialect takes 5 or 6 (seconds first) fields, got 7"
        : FirstBad<W, Seventh<D>>
      : `a cron expression has 5, 6 or 7 fields, got ${W["length"] & number}`;

type Macro =
  | "YEARLY"
  | "ANNUALLY"
  | "MONTHLY"
  | "WEEKLY"
  | "DAILY"
  | "MIDNIGHT"
  | "HOURLY"
  | "EVERY_MINUTE"
  | "EVERY_SECOND";

type Verdict<E extends string, D extends CronDialect> =
  Record<never, never> extends Record<E, 1>
    ? true // not a literal
    : CronDialect extends D
      ? true // the dialect is not known here
      : E extends `${string}${"\t" | "\n"}${string}`
        ? true
        : Words<E> extends [`@${infer Name}`]
          ? Uppercase<Name> extends Macro
            ? true
            : `@${Name} is not a known macro`
          : CheckFields<Words<E>, D>;

/** The literal itself when it may be a cron expression, else a sentence about what is wrong with it. */
export type CronLiteral<E extends string, D extends CronDialect> =
  Verdict<E, D> extends true ? E : Extract<Verdict<E, D>, string>;
