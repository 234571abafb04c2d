/** Calendars that leave out times of day, times that a cron expression matches, and what several others leave out. */
import { NightshiftError, show } from "../../errors/index.ts";
import { DAY, dayOf, SECOND } from "../civil.ts";
import { WallClockRule } from "../cron/compile.ts";
import { type CronDialect, DIALECTS } from "../cron/fields.ts";
import { formatCron, needsHashKey, type ParsedCron, parseCron } from "../cron/parse.ts";
import { languageOf } from "../language/language.ts";
import { fill } from "../language/phrases.ts";
import { checkOptions, oneOf } from "../limits.ts";
import { EARLIEST, LATEST } from "../rule-trigger.ts";
import { formatTimeOfDay, type PlainTime, readTimeOfDay, type TimeOfDay } from "../time-of-day.ts";
import { type Zone, zoneOf } from "../zone.ts";
import {
  type Calendar,
  type CalendarJSON,
  type CalendarOptions,
  includedFrom,
  includedUntil,
  inZone,
  RuleCalendar,
} from "./calendar.ts";

/** A calendar may switch so often within one look before it counts as leaving out everything. */
const MOST_LOOKS = 10_000;

/** The times of day that a daily calendar leaves out. */
export interface DailyCalendarOptions extends CalendarOptions {
  /** Where the range begins. */
  readonly from: TimeOfDay | PlainTime;
  /** Where it ends; this very moment is not in it any more. At or before `from` it is the next day's. */
  readonly to: TimeOfDay | PlainTime;
  /** Leaves out everything but the range. Default `false`. */
  readonly invert?: boolean;
}

class DailyCalendar extends RuleCalendar {
  readonly #from: number;
  readonly #to: number;
  readonly #invert: boolean;
  readonly #timeZone: string;
  readonly #zone: Zone;

  constructor(from: number, to: number, options: DailyCalendarOptions) {
    super();
    this.#from = from;
    this.#to = to;
    this.#invert = options.invert ?? false;
    this.#zone = zoneOf(options.timeZone ?? "UTC");
    this.#timeZone = this.#zone.name;
  }

  includedFrom(instant: number): number | undefined {
    let at = instant;
    for (let looks = 0; looks < 16; looks++) {
      const span = this.#zone.spanAt(at);
      const local = at + span.offset;
      if (!this.#excludesTime(local - dayOf(local) * DAY)) return at;
      const edge = this.#invert ? this.#from : this.#to % DAY;
      const next = local + ((((edge - local) % DAY) + DAY) % DAY);
      at = Math.min(next - span.offset, span.end);
    }
    return undefined;
  }

  includedUntil(instant: number): number | undefined {
    let at = instant;
    for (let looks = 0; looks < 16; looks++) {
      const span = this.#zone.spanAt(at);
      const local = at + span.offset;
      if (!this.#excludesTime(local - dayOf(local) * DAY)) return at;
      const edge = this.#invert ? this.#to % DAY : this.#from;
      const last = local - ((((local - edge) % DAY) + DAY) % DAY) - 1;
      at = Math.max(last - span.offset, span.start - 1);
    }
    return undefined;
  }

  describe(locale?: string): string {
    const language = languageOf(locale);
    const { say } = language;
    const to = this.#to === DAY ? "24:00" : language.timeOfDay(this.#to);
    const range = fill(say.range, language.timeOfDay(this.#from), to);
    return `${this.#invert ? fill(say.outside, range) : range} ${say.everyDay} (${this.#timeZone})`;
  }

  toString(): string {
    const range = `${formatTimeOfDay(this.#from)}-${formatTimeOfDay(this.#to)}`;
    return `daily ${this.#invert ? "outside " : ""}${range}${inZone(this.#timeZone)}`;
  }

  toJSON(): CalendarJSON {
    const [from, to] = [formatTimeOfDay(this.#from), formatTimeOfDay(this.#to)];
    return { type: "daily", from, to, invert: this.#invert, timeZone: this.#timeZone };
  }

  #excludesTime(time: number): boolean {
    const inside =
      this.#from < this.#to ? time >= this.#from && time < this.#to : time >= this.#from || time < this.#to;
    return inside !== this.#invert;
  }
}

/**
 * A calendar that leaves out a range of the day, by the clock on the wall; inverted, everything but the range.
 *
 * @throws NS_CALENDAR_INVALID, NS_TIME_ZONE_UNKNOWN, NS_OPTION_UNKNOWN
 * @example
 * ```ts
 * import { dailyCalendar } from "nightshift/time";
 *
 * dailyCalendar({ from: "22:00", to: "06:00", timeZone: "Europe/Oslo" });
 * ```
 */
export function dailyCalendar(options: DailyCalendarOptions): Calendar {
  checkOptions("dailyCalendar()", options, ["from", "to", "invert", "timeZone"]);
  const from = readTimeOfDay("dailyCalendar()'s from", options.from, "NS_CALENDAR_INVALID");
  const to = readTimeOfDay("dailyCalendar()'s to", options.to, "NS_CALENDAR_INVALID");
  if (from === DAY || from === to) {
    const message = `dailyCalendar() needs a range, got ${show(options.from)} to ${show(options.to)}.`;
    throw new NightshiftError("NS_CALENDAR_INVALID", message);
  }
  return new DailyCalendar(from, to, options);
}

const EVERY_SECOND = [{ kind: "any", step: 1, mark: "*" }] as const;

/** How a cron calendar reads its expression. */
export interface CronCalendarOptions extends CalendarOptions {
  /** The dialect. Default `"unix"`. */
  readonly dialect?: CronDialect;
}

class CronCalendar extends RuleCalendar {
  readonly #parsed: ParsedCron;
  readonly #wall: WallClockRule;
  readonly #timeZone: string;
  readonly #zone: Zone;

  constructor(parsed: ParsedCron, timeZone: string) {
    super();
    this.#parsed = parsed;
    this.#wall = new WallClockRule(parsed);
    this.#zone = zoneOf(timeZone);
    this.#timeZone = this.#zone.name;
  }

  includedFrom(instant: number): number | undefined {
    for (let at = instant; at <= LATEST; ) {
      const span = this.#zone.spanAt(at);
      const second = Math.floor(at / SECOND) * SECOND + span.offset;
      const miss = this.#wall.nextMiss(second);
      if (miss === second) return at;
      if (miss - span.offset < span.end) return miss - span.offset;
      at = span.end;
    }
    return undefined;
  }

  includedUntil(instant: number): number | undefined {
    for (let at = instant; at >= EARLIEST; ) {
      const span = this.#zone.spanAt(at);
      const second = Math.floor(at / SECOND) * SECOND + span.offset;
      const miss = this.#wall.previousMiss(second);
      if (miss === second) return at;
      if (miss - span.offset >= span.start) return miss - span.offset + SECOND - 1;
      at = span.start - 1;
    }
    return undefined;
  }

  describe(locale?: string): string {
    return `${fill(languageOf(locale).say.matches, formatCron(this.#parsed))} (${this.#timeZone})`;
  }

  toString(): string {
    const dialect = this.#parsed.dialect === "unix" ? "" : ` (${this.#parsed.dialect})`;
    return `cron ${formatCron(this.#parsed)}${inZone(this.#timeZone)}${dialect}`;
  }

  toJSON(): CalendarJSON {
    const { dialect } = this.#parsed;
    return { type: "cron", expression: formatCron(this.#parsed), dialect, timeZone: this.#timeZone };
  }
}

/**
 * A calendar that leaves out every second whose reading a cron expression matches. With five fields the expression
 * means whole minutes: `* 9-17 * * *` leaves out everything from 09:00:00 to 17:59:59.
 *
 * @throws NS_CRON_SYNTAX, NS_CALENDAR_INVALID, NS_TIME_ZONE_UNKNOWN, NS_OPTION_UNKNOWN
 * @example
 * ```ts
 * import { cronCalendar } from "nightshift/time";
 *
 * cronCalendar("* 0-7,18-23 * * MON-FRI", { timeZone: "Europe/Oslo" });
 * ```
 */
export function cronCalendar(expression: string, options: CronCalendarOptions = {}): Calendar {
  checkOptions("cronCalendar()", options, ["timeZone", "dialect"]);
  const dialect = oneOf("cronCalendar()'s dialect", options.dialect ?? "unix", DIALECTS, "NS_CALENDAR_INVALID");
  const parsed = parseCron(expression, dialect);
  if (needsHashKey(parsed)) {
    throw new NightshiftError(
      "NS_CALENDAR_INVALID",
      `${show(expression)}: a calendar has no id that H could stand for.`,
    );
  }
  const minutes = expression.trim().split(/\s+/).length === 5;
  const fields = minutes ? { ...parsed.fields, second: EVERY_SECOND } : parsed.fields;
  return new CronCalendar({ ...parsed, fields }, options.timeZone ?? "UTC");
}

class ChainedCalendar extends RuleCalendar {
  readonly #calendars: readonly Calendar[];

  constructor(calendars: readonly Calendar[]) {
    super();
    this.#calendars = calendars;
  }

  includedFrom(instant: number): number | undefined {
    return this.#settle(instant, includedFrom);
  }

  includedUntil(instant: number): number | undefined {
    return this.#settle(instant, includedUntil);
  }

  describe(locale?: string): string {
    return this.#calendars.map((calendar) => calendar.describe(locale)).join(languageOf(locale).say.and);
  }

  toString(): string {
    return this.#calendars.join("; ");
  }

  toJSON(): CalendarJSON {
    return { type: "chained", calendars: this.#calendars.map((calendar) => calendar.toJSON()) };
  }

  /** Moves on from one calendar's exclusion to the next, until all agree. */
  #settle(instant: number, move: (calendar: Calendar, at: number) => number | undefined): number | undefined {
    let at = instant;
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const before = at;
      for (const calendar of this.#calendars) {
        const moved = move(calendar, at);
        if (moved === undefined) return undefined;
        at = moved;
      }
      if (at === before) return at;
    }
    return undefined;
  }
}

/**
 * A calendar that leaves out what any of the given ones leaves out.
 *
 * @throws NS_CALENDAR_INVALID when none is given
 * @example
 * ```ts
 * import { annualCalendar, chainedCalendar, weeklyCalendar } from "nightshift/time";
 *
 * chainedCalendar(weeklyCalendar(), annualCalendar(["12-25"]));
 * ```
 */
export function chainedCalendar(...calendars: readonly Calendar[]): Calendar {
  if (calendars.length === 0 || calendars.some((calendar) => typeof calendar?.excludes !== "function")) {
    throw new NightshiftError("NS_CALENDAR_INVALID", `chainedCalendar() takes calendars, got ${show(calendars)}.`);
  }
  return new ChainedCalendar(calendars);
}
