/** Triggers made of triggers: any of several, all but what a calendar leaves out, a little later than another says. */
import { NightshiftError, show } from "../errors/index.ts";
import { type Calendar, calendarFromJSON, includedFrom, includedUntil } from "./calendars/index.ts";
import { type Duration, formatDuration, parseDuration } from "./duration.ts";
import { languageOf } from "./language/language.ts";
import { fill } from "./language/phrases.ts";
import { checkOptions, compact } from "./limits.ts";
import { firstAtOrAfter, lastAtOrBefore, RuleTrigger, withHashKey } from "./rule-trigger.ts";
import { stableHash } from "./stable-hash.ts";
import type { Trigger, TriggerJSON } from "./trigger.ts";

class AnyOfTrigger extends RuleTrigger {
  readonly #triggers: readonly Trigger[];

  constructor(triggers: readonly Trigger[]) {
    super();
    this.#triggers = triggers;
  }

  override withHashKey(key: string): Trigger {
    return new AnyOfTrigger(this.#triggers.map((trigger) => withHashKey(trigger, key)));
  }

  atOrAfter(instant: number): number | undefined {
    const found = Math.min(...this.#triggers.map((trigger) => firstAtOrAfter(trigger, instant) ?? Infinity));
    return found === Infinity ? undefined : found;
  }

  atOrBefore(instant: number): number | undefined {
    const found = Math.max(...this.#triggers.map((trigger) => lastAtOrBefore(trigger, instant) ?? -Infinity));
    return found === -Infinity ? undefined : found;
  }

  describe(locale?: string): string {
    return this.#triggers.map((trigger) => trigger.describe(locale)).join(languageOf(locale).say.orElse);
  }

  toString(): string {
    return `any of [${this.#triggers.join("; ")}]`;
  }

  toJSON(): TriggerJSON {
    return { type: "any-of", triggers: this.#triggers.map((trigger) => trigger.toJSON()) };
  }
}

/**
 * A trigger that fires when any of the given ones does; when several do at the same instant, once.
 *
 * @throws NS_TRIGGER_INVALID when none is given
 * @example
 * ```ts
 * import { anyOf, cron } from "nightshift/time";
 *
 * anyOf(cron("0 9 * * MON-FRI"), cron("0 11 * * SAT,SUN"));
 * ```
 */
export function anyOf(...triggers: readonly Trigger[]): Trigger {
  if (triggers.length === 0) throw new NightshiftError("NS_TRIGGER_INVALID", "anyOf() needs at least one trigger.");
  return new AnyOfTrigger(triggers.map((trigger) => checkTrigger("anyOf()", trigger)));
}

/** A calendar may leave out so many fires in a row before the search is given up: 190 years of weekly ones. */
const MOST_LEFT_OUT = 10_000;

class ExceptTrigger extends RuleTrigger {
  readonly #trigger: Trigger;
  readonly #calendar: Calendar;

  constructor(trigger: Trigger, calendar: Calendar) {
    super();
    this.#trigger = trigger;
    this.#calendar = calendar;
  }

  override withHashKey(key: string): Trigger {
    return new ExceptTrigger(withHashKey(this.#trigger, key), this.#calendar);
  }

  atOrAfter(instant: number): number | undefined {
    let from: number | undefined = instant;
    for (let tries = 0; from !== undefined && tries < MOST_LEFT_OUT; tries++) {
      const found = firstAtOrAfter(this.#trigger, from);
      if (found === undefined) return undefined;
      from = includedFrom(this.#calendar, found);
      if (from === found) return found;
    }
    return undefined;
  }

  atOrBefore(instant: number): number | undefined {
    let from: number | undefined = instant;
    for (let tries = 0; from !== undefined && tries < MOST_LEFT_OUT; tries++) {
      const found = lastAtOrBefore(this.#trigger, from);
      if (found === undefined) return undefined;
      from = includedUntil(this.#calendar, found);
      if (from === found) return found;
    }
    return undefined;
  }

  describe(locale?: string): string {
    return fill(languageOf(locale).say.except, this.#trigger.describe(locale), this.#calendar.describe(locale));
  }

  toString(): string {
    return `${this.#trigger} except [${this.#calendar}]`;
  }

  toJSON(): TriggerJSON {
    return { type: "except", trigger: this.#trigger.toJSON(), calendar: this.#calendar.toJSON() };
  }
}

/**
 * A trigger without the fire times that a calendar leaves out.
 *
 * @throws NS_TRIGGER_INVALID, NS_CALENDAR_INVALID
 * @example
 * ```ts
 * import { cron, except, weeklyCalendar } from "nightshift/time";
 *
 * except(cron("0 9 * * *"), weeklyCalendar(["SAT", "SUN"]));
 * ```
 */
export function except(trigger: Trigger, calendar: Calendar): Trigger {
  checkTrigger("except()", trigger);
  if (typeof calendar?.excludes !== "function") {
    throw new NightshiftError("NS_CALENDAR_INVALID", `except() takes a calendar, got ${show(calendar)}.`);
  }
  return new ExceptTrigger(trigger, calendar);
}

class JitterTrigger extends RuleTrigger {
  readonly #trigger: Trigger;
  readonly #max: number;
  readonly #key: string | undefined;

  constructor(trigger: Trigger, max: number, key: string | undefined) {
    super();
    this.#trigger = trigger;
    this.#max = max;
    this.#key = key;
  }

  override withHashKey(key: string): Trigger {
    return new JitterTrigger(withHashKey(this.#trigger, key), this.#max, this.#key ?? key);
  }

  atOrAfter(instant: number): number | undefined {
    const current = lastAtOrBefore(this.#trigger, instant);
    const late = current === undefined ? -Infinity : this.#delayed(current);
    if (late >= instant) return late;
    const next = firstAtOrAfter(this.#trigger, instant + 1);
    return next === undefined ? undefined : this.#delayed(next);
  }

  atOrBefore(instant: number): number | undefined {
    const current = lastAtOrBefore(this.#trigger, instant);
    if (current === undefined) return undefined;
    const late = this.#delayed(current);
    if (late <= instant) return late;
    const earlier = lastAtOrBefore(this.#trigger, current - 1);
    return earlier === undefined ? undefined : this.#delayed(earlier);
  }

  describe(locale?: string): string {
    return fill(languageOf(locale).say.later, this.#trigger.describe(locale), formatDuration(this.#max));
  }

  toString(): string {
    return `${this.#trigger} jitter ${this.#max}ms${this.#key === undefined ? "" : ` key ${JSON.stringify(this.#key)}`}`;
  }

  toJSON(): TriggerJSON {
    const json = { type: "jitter", trigger: this.#trigger.toJSON(), max: this.#max, key: this.#key };
    return compact(json) as TriggerJSON;
  }

  /** Never as late as the next fire, so that the order stays and no fire is lost. */
  #delayed(fire: number): number {
    const next = firstAtOrAfter(this.#trigger, fire + 1) ?? Infinity;
    const room = Math.min(this.#max + 1, next - fire);
    return fire + (stableHash(`${this.#key ?? ""}\n${fire}`) % room);
  }
}

/**
 * A trigger that fires a little later than the given one: up to `max`, never as late as its next fire. How much is worked
 * out from the fire time and a key (a schedule gives its id), so it is the same on every machine.
 *
 * @throws NS_TRIGGER_INVALID, NS_DURATION_INVALID
 * @example
 * ```ts
 * import { cron, jitter } from "nightshift/time";
 *
 * jitter(cron("0 * * * *"), "5m");
 * ```
 */
export function jitter(trigger: Trigger, max: Duration, options: { readonly key?: string } = {}): Trigger {
  checkTrigger("jitter()", trigger);
  checkOptions("jitter()", options, ["key"]);
  return new JitterTrigger(trigger, Math.floor(parseDuration(max, "jitter()'s max")), options.key);
}

/** How `triggerFromJSON()` brings back the triggers inside. */
type Revive = (json: TriggerJSON) => Trigger;

/** The stored forms of this file. */
export const combinatorsFromJSON = {
  "any-of": (json: TriggerJSON, revive: Revive) => {
    const { triggers } = json as { triggers?: unknown };
    if (Array.isArray(triggers)) return anyOf(...triggers.map(revive));
    throw new NightshiftError("NS_TRIGGER_INVALID", `A stored any-of has a list of triggers, got ${show(triggers)}.`);
  },
  except: (json: TriggerJSON, revive: Revive) =>
    except(revive(json["trigger"] as TriggerJSON), calendarFromJSON(json["calendar"] as TriggerJSON)),
  jitter: (json: TriggerJSON, revive: Revive) => {
    const key = json["key"] as string | undefined;
    return jitter(revive(json["trigger"] as TriggerJSON), json["max"] as number, key === undefined ? {} : { key });
  },
};

function checkTrigger(what: string, trigger: Trigger): Trigger {
  if (typeof trigger?.next === "function" && typeof trigger.previous === "function") return trigger;
  throw new NightshiftError("NS_TRIGGER_INVALID", `${what} takes a trigger, got ${show(trigger)}.`);
}
