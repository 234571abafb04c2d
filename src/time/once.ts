/** One fire time, and no other. */

import { languageOf } from "./language/language.ts";
import { fill } from "./language/phrases.ts";
import { isoOf, readInstant } from "./limits.ts";
import { RuleTrigger } from "./rule-trigger.ts";
import type { Moment, Trigger, TriggerJSON } from "./trigger.ts";

class OnceTrigger extends RuleTrigger {
  readonly #at: number;

  constructor(at: number) {
    super();
    this.#at = at;
  }

  atOrAfter(instant: number): number | undefined {
    return instant <= this.#at ? this.#at : undefined;
  }

  atOrBefore(instant: number): number | undefined {
    return instant >= this.#at ? this.#at : undefined;
  }

  describe(locale?: string): string {
    const language = languageOf(locale);
    return language.sentence(fill(language.say.onceAt, language.instant(this.#at, "UTC")), "UTC");
  }

  toString(): string {
    return `once at ${isoOf(this.#at)}`;
  }

  toJSON(): TriggerJSON {
    return { type: "once", at: isoOf(this.#at) };
  }
}

/**
 * A trigger that fires once.
 *
 * @param at a Date, a Temporal instant, or ISO text with an offset
 * @throws NS_TIME_INVALID
 * @example
 * ```ts
 * import { once } from "nightshift/time";
 *
 * once("2026-12-24T17:00:00+01:00");
 * ```
 */
export function once(at: Moment | string): Trigger {
  return new OnceTrigger(readInstant("once()", at));
}

/** A single fire from its stored form. */
export function onceFromJSON(json: TriggerJSON): Trigger {
  return once(json["at"] as string);
}
