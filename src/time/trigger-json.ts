/** Brings a stored trigger back to life. */
import { didYouMean, NightshiftError, show } from "../errors/index.ts";
import { calendarIntervalFromJSON } from "./calendar-interval.ts";
import { combinatorsFromJSON } from "./combinators.ts";
import { cronFromJSON } from "./cron/cron.ts";
import { dailyIntervalFromJSON } from "./daily-interval.ts";
import { intervalFromJSON } from "./interval.ts";
import { onceFromJSON } from "./once.ts";
import { recurrenceFromJSON } from "./recurrence/recurrence.ts";
import type { Trigger, TriggerJSON } from "./trigger.ts";

type Reviver = (json: TriggerJSON, revive: (inner: TriggerJSON) => Trigger) => Trigger;

const REVIVERS: Readonly<Record<string, Reviver>> = {
  cron: cronFromJSON,
  interval: intervalFromJSON,
  "calendar-interval": calendarIntervalFromJSON,
  "daily-interval": dailyIntervalFromJSON,
  recurrence: recurrenceFromJSON,
  once: onceFromJSON,
  ...combinatorsFromJSON,
};

/**
 * The trigger that `toJSON()` wrote. Takes the object, not its text.
 *
 * @throws NS_TRIGGER_INVALID when it is not a trigger's stored form, and what making the trigger would throw
 * @example
 * ```ts
 * import { cron, triggerFromJSON } from "nightshift/time";
 *
 * const stored = JSON.stringify(cron("0 3 * * *"));
 * triggerFromJSON(JSON.parse(stored)).describe(); // "At 03:00 (UTC)"
 * ```
 */
export function triggerFromJSON(json: TriggerJSON): Trigger {
  const type = typeof json === "object" && json !== null ? json.type : undefined;
  const revive = typeof type === "string" && Object.hasOwn(REVIVERS, type) ? REVIVERS[type] : undefined;
  if (revive) return revive(json, triggerFromJSON);
  const kinds = Object.keys(REVIVERS);
  const hint = typeof type === "string" ? didYouMean(type, kinds) : "";
  throw new NightshiftError(
    "NS_TRIGGER_INVALID",
    `${show(json)} is not a stored trigger (${kinds.join(", ")}).${hint}`,
  );
}
