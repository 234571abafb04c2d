/** Every so often inside a daily window: from nine to five, every ten minutes, on weekdays. */
import { NightshiftError, show } from "../errors/index.ts";
import { DAY, dayOf, HOUR, weekdayOf } from "./civil.ts";
import { type Duration, formatDuration, parseDuration } from "./duration.ts";
import { languageOf } from "./language/language.ts";
import { fill } from "./language/phrases.ts";
import {
  checkOptions,
  compact,
  isoOf,
  readInstant,
  readWeekdays,
  WEEKDAYS,
  type Weekday,
  wholeNumber,
} from "./limits.ts";
import { RuleTrigger } from "./rule-trigger.ts";
import { formatTimeOfDay, type PlainTime, readTimeOfDay, type TimeOfDay } from "./time-of-day.ts";
import type { Moment, Trigger, TriggerJSON } from "./trigger.ts";
import { type Zone, zoneOf } from "./zone.ts";

/** The window of a `dailyInterval()`. */
export interface DailyIntervalOptions {
  /** When the window opens: its first fire. Default `"00:00"`. */
  readonly from?: TimeOfDay | PlainTime;
  /** When it closes, a fire at that time included; at or before `from` it is the next day's. Default `"24:00"`. */
  readonly to?: TimeOfDay | PlainTime;
  /** The days on which it opens. Default: all. */
  readonly weekdays?: readonly Weekday[];
  /** How many fires a window has at most. Default: as many as fit. */
  readonly countPerDay?: number;
  /** The IANA zone of the window's clock. Default `"UTC"`. */
  readonly timeZone?: string;
  /** No fire time before this. Default: since ever. */
  readonly start?: Moment | string;
  /** No fire time after this. Default: never ends. */
  readonly end?: Moment | string;
}

interface Rule {
  readonly every: number;
  readonly from: number;
  readonly to: number;
  readonly weekdays: readonly number[];
  readonly countPerDay: number | undefined;
  readonly timeZone: string;
  readonly start: number | undefined;
  readonly end: number | undefined;
}

class DailyIntervalTrigger extends RuleTrigger {
  readonly #rule: Rule;
  readonly #zone: Zone;

  constructor(rule: Rule) {
    super();
    this.#rule = rule;
    this.#zone = zoneOf(rule.timeZone);
  }

  atOrAfter(instant: number): number | undefined {
    const { every, start = -Infinity, end = Infinity } = this.#rule;
    const from = Math.max(instant, start);
    const today = dayOf(from + this.#zone.offsetAt(from));
    // A window may reach into the day after its own, and a leap over a whole day into one more.
    for (let day = today - 2; day <= today + 9; day++) {
      const window = this.#windowOf(day);
      if (window === undefined) continue;
      const fire = window.first + Math.max(0, Math.ceil((from - window.first) / every)) * every;
      if (fire <= window.last) return fire <= end ? fire : undefined;
    }
    return undefined;
  }

  atOrBefore(instant: number): number | undefined {
    const { every, start = -Infinity, end = Infinity } = this.#rule;
    const to = Math.min(instant, end);
    const today = dayOf(to + this.#zone.offsetAt(to));
    let best: number | undefined;
    for (let day = today + 1; day >= today - 9 && best === undefined; day--) {
      const window = this.#windowOf(day);
      if (window === undefined || window.first > to) continue;
      best = window.first + Math.floor((Math.min(to, window.last) - window.first) / every) * every;
    }
    return best !== undefined && best >= start ? best : undefined;
  }

  describe(locale?: string): string {
    const { every, from, to, weekdays, countPerDay, timeZone } = this.#rule;
    const language = languageOf(locale);
    const { say } = language;
    const names = weekdays.map((day) => fill(say.weekday, language.weekday(day)));
    const parts = [
      fill(say.everyElapsed, formatDuration(every)),
      fill(say.window, language.timeOfDay(from), to === DAY ? "24:00" : language.timeOfDay(to)),
      weekdays.length === 7 ? say.everyDay : fill(say.on, language.list(names)),
    ];
    const most = countPerDay === undefined ? "" : `, ${fill(say.atMost, countPerDay)}`;
    return language.sentence(parts.join(" ") + most, timeZone);
  }

  toString(): string {
    const { every, from, to, weekdays, countPerDay, timeZone, start, end } = this.#rule;
    const days = weekdays.length === 7 ? "" : ` on ${weekdays.map((day) => WEEKDAYS[day]).join(",")}`;
    const most = countPerDay === undefined ? "" : ` at most ${countPerDay}`;
    const since = start === undefined ? "" : ` since ${isoOf(start)}`;
    const until = end === undefined ? "" : ` until ${isoOf(end)}`;
    const zone = timeZone === "UTC" ? "" : ` in ${timeZone}`;
    return `every ${every}ms from ${formatTimeOfDay(from)} to ${formatTimeOfDay(to)}${days}${most}${since}${until}${zone}`;
  }

  toJSON(): TriggerJSON {
    const { from, to, weekdays, start, end, ...rest } = this.#rule;
    const json = { from: formatTimeOfDay(from), to: formatTimeOfDay(to), start: isoOf(start), end: isoOf(end) };
    const days = weekdays.length === 7 ? undefined : weekdays.map((day) => WEEKDAYS[day]);
    return compact({ type: "daily-interval", ...rest, ...json, weekdays: days }) as TriggerJSON;
  }

  /** The window that opens on a day. It opens and closes by the clock on the wall; inside it, time elapses. */
  #windowOf(day: number): { readonly first: number; readonly last: number } | undefined {
    const { every, from, to, weekdays, countPerDay } = this.#rule;
    if (!weekdays.includes(weekdayOf(day))) return undefined;
    const opens = this.#zone.resolve(day * DAY + from);
    const closes = this.#zone.resolve(day * DAY + to + (to <= from ? DAY : 0));
    const first = opens.kind === "never" ? opens.end : opens.instant;
    const end = closes.kind === "never" ? closes.end : closes.kind === "twice" ? closes.second : closes.instant;
    const last = countPerDay === undefined ? end : Math.min(end, first + (countPerDay - 1) * every);
    return { first, last };
  }
}

/**
 * A trigger that fires every so often inside a daily window. The window opens and closes by the clock on the wall (an
 * opening that the clock jumps over happens when the jump ends); inside it, the time between two fires is elapsed time.
 *
 * @throws NS_DURATION_INVALID, NS_TRIGGER_INVALID, NS_TIME_INVALID, NS_TIME_ZONE_UNKNOWN, NS_OPTION_UNKNOWN
 * @example
 * ```ts
 * import { dailyInterval } from "nightshift/time";
 *
 * dailyInterval("10m", { from: "09:00", to: "17:00", weekdays: ["MON", "TUE", "WED", "THU", "FRI"], timeZone: "Europe/Oslo" });
 * ```
 */
export function dailyInterval(every: Duration, options: DailyIntervalOptions = {}): Trigger {
  checkOptions("dailyInterval()", options, ["from", "to", "weekdays", "countPerDay", "timeZone", "start", "end"]);
  const milliseconds = parseDuration(every, "dailyInterval()");
  if (!Number.isInteger(milliseconds) || milliseconds < 1 || milliseconds > 24 * HOUR) {
    throw new NightshiftError("NS_TRIGGER_INVALID", `dailyInterval() takes 1 ms to 24 hours, got ${show(every)}.`);
  }
  const { from = "00:00", to = "24:00", weekdays = WEEKDAYS, countPerDay, timeZone = "UTC", start, end } = options;
  const days = readWeekdays("dailyInterval()'s weekdays", weekdays, "NS_TRIGGER_INVALID");
  if (days.length === 0) throw new NightshiftError("NS_TRIGGER_INVALID", "dailyInterval() needs at least one weekday.");
  return new DailyIntervalTrigger({
    every: milliseconds,
    from: readTimeOfDay("dailyInterval()'s from", from),
    to: readTimeOfDay("dailyInterval()'s to", to),
    weekdays: days,
    countPerDay:
      countPerDay === undefined ? undefined : wholeNumber("dailyInterval()'s countPerDay", countPerDay, 1, DAY),
    timeZone: zoneOf(timeZone).name,
    start: start === undefined ? undefined : readInstant("dailyInterval()'s start", start),
    end: end === undefined ? undefined : readInstant("dailyInterval()'s end", end),
  });
}

/** A daily interval from its stored form. */
export function dailyIntervalFromJSON({ type: _, every, ...options }: TriggerJSON): Trigger {
  return dailyInterval(every as number, options as DailyIntervalOptions);
}
