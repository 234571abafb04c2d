/** Every so many days, weeks, months or years by the calendar: the hour on the wall stays, however long the days are. */
import { NightshiftError, show } from "../errors/index.ts";
import { civilOf, DAY, dayNumber, dayOf, formatLocal, HOUR, MINUTE, monthLength, SECOND } from "./civil.ts";
import { languageOf } from "./language/language.ts";
import { fill } from "./language/phrases.ts";
import { checkOptions, compact, isoOf, oneOf, readInstant, readStart, wholeNumber } from "./limits.ts";
import { zoneNameOf } from "./moments.ts";
import { RuleTrigger } from "./rule-trigger.ts";
import type { Moment, PlainReading, Trigger, TriggerJSON } from "./trigger.ts";
import { zoneOf } from "./zone.ts";
import { GAP_RULES, type GapRule, type WallRule, ZonedSearch } from "./zoned-search.ts";

/** What a `calendarInterval()` counts. */
export type CalendarUnit = "second" | "minute" | "hour" | "day" | "week" | "month" | "year";

const UNITS: readonly CalendarUnit[] = ["second", "minute", "hour", "day", "week", "month", "year"];
const ELAPSED: Partial<Record<CalendarUnit, number>> = { second: SECOND, minute: MINUTE, hour: HOUR };

/** Where a `calendarInterval()` begins, and in which zone. */
export interface CalendarIntervalOptions {
  /**
   * The first fire time: an instant, or a reading of the zone's clock such as `"2026-03-01T09:00:00"` or a
   * `Temporal.PlainDateTime`.
   */
  readonly start: Moment | PlainReading | string;
  /** The IANA zone whose calendar and clock count. Default: that of a `Temporal.ZonedDateTime` as start, else `"UTC"`. */
  readonly timeZone?: string;
  /** No fire time after this. Default: never ends. */
  readonly end?: Moment | string;
  /** How many fire times there are in all, those that a gap leaves out included. Default: no limit. */
  readonly count?: number;
  /** What becomes of a day whose clock jumps over the hour; `"skip"` leaves the day out. Default `"end"`. */
  readonly gap?: GapRule;
}

interface Rule {
  readonly amount: number;
  readonly unit: CalendarUnit;
  /** A reading of the zone's clock. */
  readonly start: number;
  readonly timeZone: string;
  readonly end: number | undefined;
  readonly count: number | undefined;
  readonly gap: GapRule;
}

class CalendarIntervalTrigger extends RuleTrigger {
  readonly #rule: Rule;
  readonly #search: Pick<ZonedSearch, "atOrAfter" | "atOrBefore">;

  constructor(rule: Rule) {
    super();
    this.#rule = rule;
    const elapsed = ELAPSED[rule.unit];
    this.#search =
      elapsed === undefined
        ? new ZonedSearch(zoneOf(rule.timeZone), new CalendarSteps(rule), rule.gap)
        : new ElapsedSteps(rule, rule.amount * elapsed);
  }

  atOrAfter(instant: number): number | undefined {
    const found = this.#search.atOrAfter(instant);
    return found === undefined || found > (this.#rule.end ?? Infinity) ? undefined : found;
  }

  atOrBefore(instant: number): number | undefined {
    return this.#search.atOrBefore(Math.min(instant, this.#rule.end ?? Infinity));
  }

  describe(locale?: string): string {
    const { amount, unit, start, timeZone, end, count } = this.#rule;
    const language = languageOf(locale);
    const { say } = language;
    const parts = [language.every(amount, unit), fill(say.from, language.instant(start, "UTC"))];
    if (end !== undefined) parts.push(fill(say.until, language.instant(end, timeZone)));
    if (count !== undefined) parts.push(count === 1 ? say.once : fill(say.times, count));
    return language.sentence(parts.join(" "), timeZone);
  }

  toString(): string {
    const { amount, unit, start, timeZone, end, count, gap } = this.#rule;
    const until = end === undefined ? "" : ` until ${isoOf(end)}`;
    const rest = `${until}${count === undefined ? "" : ` count ${count}`}${gap === "end" ? "" : ` gap ${gap}`}`;
    return `every ${amount} ${unit} from ${formatLocal(start)}${timeZone === "UTC" ? "" : ` in ${timeZone}`}${rest}`;
  }

  toJSON(): TriggerJSON {
    const { start, end, ...rest } = this.#rule;
    const json = { type: "calendar-interval", ...rest, start: formatLocal(start), end: isoOf(end) };
    return compact(json) as TriggerJSON;
  }
}

/** Days, weeks, months and years, as readings: the n-th is counted from the start, so that the 31st stays the 31st. */
class CalendarSteps implements WallRule {
  readonly interval = false;
  readonly #rule: Rule;
  readonly #last: number;

  constructor(rule: Rule) {
    this.#rule = rule;
    this.#last = rule.count === undefined ? Infinity : rule.count - 1;
  }

  next(local: number): number | undefined {
    let step = Math.max(0, this.#guess(local) - 1);
    while (this.#reading(step) < local) step++;
    return step <= this.#last ? this.#reading(step) : undefined;
  }

  previous(local: number): number | undefined {
    let step = Math.min(this.#last, this.#guess(local) + 1);
    while (step >= 0 && this.#reading(step) > local) step--;
    return step >= 0 ? this.#reading(step) : undefined;
  }

  #guess(local: number): number {
    const { start, unit, amount } = this.#rule;
    if (unit === "day" || unit === "week")
      return Math.floor((local - start) / DAY / (unit === "week" ? 7 : 1) / amount);
    const [from, to] = [civilOf(dayOf(start)), civilOf(dayOf(local))];
    const months = (to.year - from.year) * 12 + to.month - from.month;
    return Math.floor(months / (unit === "year" ? 12 : 1) / amount);
  }

  #reading(step: number): number {
    const { start, unit, amount } = this.#rule;
    if (unit === "day" || unit === "week") return start + step * amount * (unit === "week" ? 7 : 1) * DAY;
    const from = civilOf(dayOf(start));
    const months = from.year * 12 + from.month - 1 + step * amount * (unit === "year" ? 12 : 1);
    const [year, month] = [Math.floor(months / 12), (months % 12) + 1];
    return dayNumber(year, month, Math.min(from.day, monthLength(year, month))) * DAY + start - dayOf(start) * DAY;
  }
}

/** Hours, minutes and seconds: elapsed time, which no change of the clock can touch. */
class ElapsedSteps {
  readonly #start: number;
  readonly #every: number;
  readonly #last: number;

  constructor(rule: Rule, every: number) {
    const { start, timeZone, count } = rule;
    const resolved = zoneOf(timeZone).resolve(start);
    this.#start = resolved.kind === "never" ? resolved.end : resolved.instant;
    this.#every = every;
    this.#last = count === undefined ? Infinity : count - 1;
  }

  atOrAfter(instant: number): number | undefined {
    const step = Math.max(0, Math.ceil((instant - this.#start) / this.#every));
    return step <= this.#last ? this.#start + step * this.#every : undefined;
  }

  atOrBefore(instant: number): number | undefined {
    const step = Math.min(this.#last, Math.floor((instant - this.#start) / this.#every));
    return step >= 0 ? this.#start + step * this.#every : undefined;
  }
}

/**
 * A trigger that counts by the calendar: every second month on the 31st (or the month's last day), every day at nine,
 * whether the days have 23, 24 or 25 hours. Hours, minutes and seconds count elapsed time.
 *
 * @throws NS_TRIGGER_INVALID, NS_TIME_INVALID, NS_TIME_ZONE_UNKNOWN, NS_OPTION_UNKNOWN
 * @example
 * ```ts
 * import { calendarInterval } from "nightshift/time";
 *
 * calendarInterval(2, "month", { start: "2026-01-31T09:00:00", timeZone: "Europe/Oslo" });
 * ```
 */
export function calendarInterval(amount: number, unit: CalendarUnit, options: CalendarIntervalOptions): Trigger {
  checkOptions("calendarInterval()", options, ["start", "timeZone", "end", "count", "gap"]);
  const { start, timeZone = zoneNameOf(start) ?? "UTC", end, count, gap = "end" } = options;
  if (start === undefined) {
    throw new NightshiftError(
      "NS_TRIGGER_INVALID",
      `calendarInterval() needs a start to count from, got ${show(options)}.`,
    );
  }
  return new CalendarIntervalTrigger({
    amount: wholeNumber("calendarInterval()'s amount", amount, 1, 1_000_000),
    unit: oneOf("calendarInterval()'s unit", unit, UNITS),
    start: readStart("calendarInterval()'s start", start, zoneOf(timeZone)),
    timeZone: zoneOf(timeZone).name,
    end: end === undefined ? undefined : readInstant("calendarInterval()'s end", end),
    count:
      count === undefined ? undefined : wholeNumber("calendarInterval()'s count", count, 1, Number.MAX_SAFE_INTEGER),
    gap: oneOf("calendarInterval()'s gap", gap, GAP_RULES),
  });
}

/** A calendar interval from its stored form. */
export function calendarIntervalFromJSON({ type: _, amount, unit, ...options }: TriggerJSON): Trigger {
  return calendarInterval(amount as number, unit as CalendarUnit, options as unknown as CalendarIntervalOptions);
}
