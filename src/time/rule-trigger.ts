/**
 * The shared half of every trigger: dates in and out, inclusive or not. A kind of trigger only has to find the first
 * fire time at or after a millisecond, and the last at or before it.
 */
import { NightshiftError, show } from "../errors/index.ts";
import { instantOf, isWhole, likeMoment } from "./moments.ts";
import type { Moment, SearchOptions, Trigger, TriggerJSON } from "./trigger.ts";

/** The earliest and the latest instant that a trigger looks at: the years 1 to 9999, as ISO 8601 writes them. */
export const EARLIEST = -62_135_596_800_000;
export const LATEST = 253_402_300_799_999;

/** Base of the built-in triggers. */
export abstract class RuleTrigger implements Trigger {
  /** The first fire time at or after `instant`, in milliseconds; `undefined` when there is none. */
  abstract atOrAfter(instant: number): number | undefined;
  /** The last fire time at or before `instant`, in milliseconds; `undefined` when there is none. */
  abstract atOrBefore(instant: number): number | undefined;
  abstract describe(locale?: string): string;
  abstract toString(): string;
  abstract toJSON(): TriggerJSON;

  /** The same rule with every `H` of a cron expression in it decided by `key`; itself when there is none. */
  withHashKey(_key: string): Trigger {
    return this;
  }

  next<T extends Moment = Date>(after: T, options?: SearchOptions): T | null {
    const instant = instantOf(after);
    const found = this.atOrAfter(
      Math.max(EARLIEST, options?.inclusive === true && isWhole(after) ? instant : instant + 1),
    );
    return found === undefined || found > LATEST ? null : likeMoment(after, found);
  }

  previous<T extends Moment = Date>(before: T, options?: SearchOptions): T | null {
    const instant = instantOf(before);
    const found = this.atOrBefore(
      Math.min(LATEST, options?.inclusive === true || !isWhole(before) ? instant : instant - 1),
    );
    return found === undefined || found < EARLIEST ? null : likeMoment(before, found);
  }

  upcoming<T extends Moment = Date>(n: number, from: T, options?: SearchOptions): T[] {
    if (!Number.isInteger(n) || n < 0) {
      throw new NightshiftError("NS_TRIGGER_INVALID", `upcoming() takes a whole number of fire times, got ${show(n)}.`);
    }
    const found: T[] = [];
    let last = from;
    for (let inclusive = options?.inclusive ?? false; found.length < n; inclusive = false) {
      const next = this.next(last, { inclusive });
      if (next === null) break;
      found.push(next);
      last = next;
    }
    return found;
  }
}

/**
 * The trigger with every open `H` of its cron expressions decided by `key`: what a schedule does with its id. Triggers
 * that were given a `hashKey`, or have no `H`, come back as they are.
 *
 * @example
 * ```ts
 * import { cron, withHashKey } from "nightshift/time";
 *
 * withHashKey(cron("H 3 * * *"), "clean-up").toString(); // some minute after three, always the same
 * ```
 */
export function withHashKey(trigger: Trigger, key: string): Trigger {
  return trigger instanceof RuleTrigger ? trigger.withHashKey(key) : trigger;
}

/** The first fire time of any trigger at or after an instant. */
export function firstAtOrAfter(trigger: Trigger, instant: number): number | undefined {
  if (trigger instanceof RuleTrigger) return trigger.atOrAfter(instant);
  return trigger.next(new Date(instant), { inclusive: true })?.getTime();
}

/** The last fire time of any trigger at or before an instant. */
export function lastAtOrBefore(trigger: Trigger, instant: number): number | undefined {
  if (trigger instanceof RuleTrigger) return trigger.atOrBefore(instant);
  return trigger.previous(new Date(instant), { inclusive: true })?.getTime();
}
