/** A trigger as a person writes it in a form: its stored form, with readings of a clock where that has instants. */
import { NightshiftError, show } from "../../errors/index.ts";
import { recurrence, type Trigger, type TriggerJSON, triggerFromJSON } from "../../time/index.ts";

/** Kinds whose times are instants, and those of them that know no zone: it is there for the readings only. */
const INSTANTS: Readonly<Record<string, readonly string[]>> = {
  interval: ["start", "end"],
  once: ["at"],
  "daily-interval": ["start", "end"],
  "calendar-interval": ["end"],
};
const WITHOUT_ZONE = ["interval", "once"];
const READING = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/;

/** A trigger that was written. `timeZone` is the zone that its readings are of. */
export interface Written {
  readonly trigger: Trigger;
  readonly timeZone: string;
}

/** @throws NS_TRIGGER_INVALID when it is not JSON of a trigger, and what making it throws */
export function readTrigger(text: string): Written {
  const { timeZone = "UTC", ...rest } = parse(text);
  const zone = String(timeZone);
  const fields: Record<string, unknown> = { ...rest };
  for (const name of INSTANTS[rest.type] ?? []) {
    const value = fields[name];
    if (typeof value === "string" && READING.test(value)) fields[name] = instantOf(value, zone);
  }
  const json = WITHOUT_ZONE.includes(rest.type) || rest.type in COMBINED ? fields : { ...fields, timeZone: zone };
  return { trigger: triggerFromJSON(json as TriggerJSON), timeZone: zone };
}

/** Made of other triggers, each with a zone of its own. */
const COMBINED = { "any-of": true, except: true, jitter: true };

function parse(text: string): TriggerJSON {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "type" in value) return value as TriggerJSON;
    throw new NightshiftError("NS_TRIGGER_INVALID", `${show(value)} is not a trigger: it has no type.`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new NightshiftError("NS_TRIGGER_INVALID", `The trigger is not JSON: ${error.message}.`, { cause: error });
  }
}

/** A reading that the clock jumps over is moved by the jump's length, as everywhere. */
function instantOf(reading: string, timeZone: string): string | undefined {
  const first = recurrence("FREQ=DAILY;COUNT=1", { start: reading, timeZone });
  return first.next(new Date(0), { inclusive: true })?.toISOString() ?? `${reading}Z`;
}
