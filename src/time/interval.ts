/** Every so many milliseconds from a start: elapsed time, which knows nothing of days and zones. */
import { NightshiftError, show } from "../errors/index.ts";
import { type Duration, formatDuration, parseDuration } from "./duration.ts";
import { languageOf } from "./language/language.ts";
import { fill } from "./language/phrases.ts";
import { checkOptions, compact, isoOf, readInstant, wholeNumber } from "./limits.ts";
import { RuleTrigger } from "./rule-trigger.ts";
import type { Moment, Trigger, TriggerJSON } from "./trigger.ts";

/** When an `interval()` begins and ends. */
export interface IntervalOptions {
  /** The first fire time; a Date or ISO text with an offset. Default: fires at the multiples since 1970-01-01 UTC. */
  readonly start?: Moment | string;
  /** No fire time after this. Default: never ends. */
  readonly end?: Moment | string;
  /** How many fire times there are in all; needs `start`. Default: no limit. */
  readonly count?: number;
}

interface Rule {
  readonly every: number;
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly count: number | undefined;
}

class IntervalTrigger extends RuleTrigger {
  readonly #rule: Rule;
  readonly #first: number;
  readonly #last: number;

  constructor(rule: Rule) {
    super();
    this.#rule = rule;
    this.#first = rule.start ?? 0;
    const lastByCount = rule.count === undefined ? Infinity : this.#first + (rule.count - 1) * rule.every;
    this.#last = Math.min(lastByCount, rule.end ?? Infinity);
  }

  atOrAfter(instant: number): number | undefined {
    const { every, start } = this.#rule;
    const steps = Math.ceil((instant - this.#first) / every);
    const found = this.#first + (start === undefined ? steps : Math.max(0, steps)) * every;
    return found <= this.#last ? found : undefined;
  }

  atOrBefore(instant: number): number | undefined {
    const { every, start } = this.#rule;
    const steps = Math.floor((Math.min(instant, this.#last) - this.#first) / every);
    return start !== undefined && steps < 0 ? undefined : this.#first + steps * every;
  }

  describe(locale?: string): string {
    const { every, start, end, count } = this.#rule;
    const language = languageOf(locale);
    const { say } = language;
    const parts = [fill(say.everyElapsed, formatDuration(every))];
    if (start !== undefined) parts.push(fill(say.from, language.instant(start, "UTC")));
    if (end !== undefined) parts.push(fill(say.until, language.instant(end, "UTC")));
    if (count !== undefined) parts.push(count === 1 ? say.once : fill(say.times, count));
    return language.sentence(parts.join(" "), start === undefined && end === undefined ? undefined : "UTC");
  }

  toString(): string {
    const { every, start, end, count } = this.#rule;
    const from = start === undefined ? "" : ` from ${isoOf(start)}`;
    const until = end === undefined ? "" : ` until ${isoOf(end)}`;
    return `every ${every}ms${from}${until}${count === undefined ? "" : ` count ${count}`}`;
  }

  toJSON(): TriggerJSON {
    const { every, start, end, count } = this.#rule;
    return compact({ type: "interval", every, start: isoOf(start), end: isoOf(end), count }) as TriggerJSON;
  }
}

/**
 * A trigger that fires every so much elapsed time, whatever clocks on walls do.
 *
 * @throws NS_DURATION_INVALID, NS_TRIGGER_INVALID, NS_TIME_INVALID, NS_OPTION_UNKNOWN
 * @example
 * ```ts
 * import { interval } from "nightshift/time";
 *
 * interval("90m", { start: "2026-03-01T09:00:00Z", count: 10 });
 * ```
 */
export function interval(every: Duration, options: IntervalOptions = {}): Trigger {
  checkOptions("interval()", options, ["start", "end", "count"]);
  const milliseconds = parseDuration(every, "interval()");
  if (!Number.isInteger(milliseconds) || milliseconds < 1) {
    throw new NightshiftError(
      "NS_TRIGGER_INVALID",
      `interval() needs whole milliseconds, 1 or more, got ${show(every)}.`,
    );
  }
  const { start, end, count } = options;
  if (count !== undefined && start === undefined) {
    throw new NightshiftError("NS_TRIGGER_INVALID", "interval() with a count needs a start to count from.");
  }
  return new IntervalTrigger({
    every: milliseconds,
    start: start === undefined ? undefined : readInstant("interval()'s start", start),
    end: end === undefined ? undefined : readInstant("interval()'s end", end),
    count: count === undefined ? undefined : wholeNumber("interval()'s count", count, 1, Number.MAX_SAFE_INTEGER),
  });
}

/** An interval from its stored form. */
export function intervalFromJSON({ type: _, every, ...options }: TriggerJSON): Trigger {
  return interval(every as number, options as IntervalOptions);
}
