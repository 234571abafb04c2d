/** The job that an occurrence makes. Pure. */
import type { JobDefinition } from "../jobs/index.ts";
import type { NewJob } from "../store/contract.ts";
import type { ScheduleSpec } from "./definition.ts";
import { defaultsOf } from "./read-options.ts";

/** What {@link occurrenceJob} is given. */
export interface Making {
  readonly schedule: string;
  readonly name: string;
  readonly spec: ScheduleSpec;
  /** The definition as this process knows it, if it does: its policies are newer than those kept with the schedule. */
  readonly definition: JobDefinition | undefined;
  readonly at: number;
  readonly now: number;
  /** Made by hand: with another input maybe, and at once. */
  readonly manual?: { readonly input: string };
}

/** Handlers find the schedule's id and the planned time in `job.meta`. */
export function occurrenceJob({ schedule, name, spec, definition, at, now, manual }: Making): NewJob {
  const defaults = definition === undefined ? spec.defaults : defaultsOf(definition);
  const due = manual ? now : at + delayOf(schedule, at, spec.jitter ?? 0);
  return {
    name,
    queue: spec.queue ?? defaults.queue,
    priority: spec.priority ?? defaults.priority,
    input: manual?.input ?? spec.input,
    maxAttempts: spec.attempts ?? defaults.attempts,
    maxCrashes: defaults.maxCrashes,
    meta: JSON.stringify({ schedule, occurrence: new Date(at).toISOString(), ...(manual ? { manual: true } : {}) }),
    ...(due > now ? { due: { at: due } } : {}),
  };
}

/** How much of its jitter an occurrence gets: the same answer wherever and whenever it is asked. */
export function delayOf(schedule: string, at: number, jitter: number): number {
  if (jitter <= 0) return 0;
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${schedule}\n${at}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * jitter);
}
