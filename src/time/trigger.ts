/** What a schedule needs to know of time: a pure rule that names its fire times. It holds no state and no clock. */

/**
 * A point in time: a `Date`, or anything with `epochMilliseconds`, such as `Temporal.Instant` and
 * `Temporal.ZonedDateTime`. Answers come back in the same type.
 */
export type Moment = Date | { readonly epochMilliseconds: number };

/**
 * A reading of a clock on the wall, without a zone: `Temporal.PlainDateTime`, or `Temporal.PlainDate` for its midnight.
 * Whoever takes one says in which zone it is read.
 */
export interface PlainReading {
  readonly calendarId: string;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  toString(): string;
}

/** How a fire time is looked for. */
export interface SearchOptions {
  /** Whether the given time itself may be the answer. Default `false`. */
  readonly inclusive?: boolean;
}

/** A trigger as plain JSON. `type` says which kind it is; {@link triggerFromJSON} brings it back to life. */
export interface TriggerJSON {
  readonly type: string;
  readonly [key: string]: unknown;
}

/**
 * A rule that names fire times: immutable, pure, the same answer for the same question for ever (as long as the time
 * zone's rules stay the same).
 *
 * @example
 * ```ts
 * import { cron } from "nightshift/time";
 *
 * const everyNight = cron("0 3 * * *", { timeZone: "Europe/Oslo" });
 * everyNight.next(new Date("2026-03-01T12:00:00Z")); // 2026-03-02T02:00:00Z
 * ```
 */
export interface Trigger {
  /** The first fire time after `after`, or `null` when there is none before the year 10000. */
  next<T extends Moment = Date>(after: T, options?: SearchOptions): T | null;
  /** The last fire time before `before`, or `null` when there is none since the year 1. */
  previous<T extends Moment = Date>(before: T, options?: SearchOptions): T | null;
  /** The next `n` fire times after `from`; fewer when the rule ends. */
  upcoming<T extends Moment = Date>(n: number, from: T, options?: SearchOptions): T[];
  /**
   * The rule as a person reads it: in English, German, French, Spanish or Norwegian, as `locale` asks, with its way of
   * writing times and dates. Other languages are answered in English. Default `"en-GB"`.
   */
  describe(locale?: string): string;
  /** The canonical text of the rule: equal rules have equal text. */
  toString(): string;
  /** The rule as plain JSON, for a store. */
  toJSON(): TriggerJSON;
}
