/** A schedule's definition as the store keeps it: JSON text that only this room reads. */
import { NightshiftError, show } from "../errors/index.ts";
import type { CalendarJSON, TriggerJSON } from "../time/index.ts";
import type { ScheduleState } from "./decide.ts";
import type { MisfirePolicy, Overlap } from "./policies.ts";

/** What a person decided about a schedule. Times and durations in milliseconds. */
export interface ScheduleSpec {
  readonly trigger: TriggerJSON;
  /** Exclusions, all of which hold: a name stands for a calendar in the store. */
  readonly calendars?: readonly (string | CalendarJSON)[];
  readonly start?: number;
  readonly end?: number;
  readonly maxCount?: number;
  /** JSON text, checked against the job's schema. */
  readonly input: string;
  readonly misfire: MisfirePolicy;
  readonly misfireThreshold: number;
  readonly startingDeadline?: number;
  readonly overlap: Overlap;
  readonly jitter?: number;
  readonly description?: string;
  readonly queue?: string;
  readonly priority?: number;
  readonly attempts?: number;
  /** The job definition's policies when the schedule was written, for processes that fire it without knowing the job. */
  readonly defaults: JobDefaults;
}

export interface JobDefaults {
  readonly queue: string;
  readonly priority: number;
  readonly attempts: number;
  readonly maxCrashes: number;
}

/** The queue that its jobs go to, as far as the schedule itself knows. */
export function queueOf({ queue, defaults }: ScheduleSpec): string {
  return queue ?? defaults.queue;
}

/** Who declares a schedule in code. */
export interface Owner {
  /** The application: the host's name. */
  readonly app: string;
  /** The fingerprint of everything that its version declares. */
  readonly version: string;
  /** Versions that owned it before, the latest first: they are older, and give way while this one lives. */
  readonly before: readonly string[];
}

/** All of it. */
export interface StoredDefinition {
  readonly spec: ScheduleSpec;
  readonly state: ScheduleState;
  readonly owner?: Owner;
}

const FORMAT = 1;

export function writeDefinition({ spec, state, owner }: StoredDefinition): string {
  return JSON.stringify({ v: FORMAT, spec, state, ...(owner === undefined ? {} : { owner }) });
}

/** @throws NS_SCHEDULE_INVALID when this version of the library cannot read it */
export function readDefinition(id: string, text: string): StoredDefinition {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new NightshiftError("NS_SCHEDULE_INVALID", `The stored schedule ${show(id)} is not JSON.`, { cause });
  }
  const { v, spec, state, owner } = (value ?? {}) as { v?: unknown } & Partial<StoredDefinition>;
  if (v !== FORMAT || spec === undefined || state === undefined) {
    const message = `The stored schedule ${show(id)} has format ${show(v)}; this version of the library reads ${FORMAT}.`;
    throw new NightshiftError("NS_SCHEDULE_INVALID", `${message} A newer version will.`);
  }
  return { spec, state, ...(owner === undefined ? {} : { owner }) };
}

/** Whether two specs say the same. Both come from one writer, so their text decides. */
export function sameSpec(a: ScheduleSpec, b: ScheduleSpec): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

/** Whether two specs name the same times, as many of them. */
export function sameTimes(a: ScheduleSpec, b: ScheduleSpec): boolean {
  const times = ({ trigger, calendars, start, end, maxCount }: ScheduleSpec) => ({
    trigger,
    calendars,
    start,
    end,
    maxCount,
  });
  return JSON.stringify(canonical(times(a))) === JSON.stringify(canonical(times(b)));
}

/** With its keys in order, so that equal things have equal text. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
}
