/** What a change makes of a schedule that was created at run time. */
import { NightshiftError, show } from "../errors/index.ts";
import { encodeInput, type JobRegistry } from "../jobs/index.ts";
import type { NewSchedule } from "../store/contract.ts";
import { isSpent } from "./decide.ts";
import { queueOf, type ScheduleSpec, sameTimes, writeDefinition } from "./definition.ts";
import { underNewRule } from "./new-rule.ts";
import { completeSpec, defaultsOf, type ReadChanges } from "./read-options.ts";
import type { Readable } from "./readable.ts";
import { type NamedCalendars, nextTime, timelineFor } from "./timing.ts";

interface Surroundings {
  readonly registry: JobRegistry;
  readonly maxPayload: number;
  readonly calendars: NamedCalendars;
  /** The groups that are paused as a whole. */
  readonly pausedGroups: ReadonlySet<string>;
  readonly now: number;
}

/** @throws NS_SCHEDULE_INVALID when code declares it or it would never fire, NS_JOB_UNKNOWN, NS_JOB_INPUT */
export async function changed(readable: Readable, changes: ReadChanges, around: Surroundings): Promise<NewSchedule> {
  const { stored, spec: old } = readable;
  const { id } = stored;
  if (stored.source === "code") {
    const why = "It would be undone by the next start. Change the code; pause, resume and trigger work here.";
    throw new NightshiftError("NS_SCHEDULE_INVALID", `Schedule ${show(id)} is declared in code. ${why}`);
  }
  const job = changes.job ?? around.registry.get(stored.job);
  const { input: _, defaults, ...kept } = old;
  const parts = { ...kept, ...changes.parts, trigger: changes.parts.trigger ?? old.trigger };
  const input = await inputOf(readable, changes, around);
  const spec: ScheduleSpec = { ...completeSpec(parts, job ? defaultsOf(job) : defaults), input };
  const timeline = sameTimes(old, spec) ? null : timelineFor(spec, around.calendars);
  const over = timeline !== null && nextTime(timeline, stored, around.now) === null;
  // One that was over before may still be changed.
  if (over || (stored.nextAt !== null && isSpent(spec, readable.state))) {
    throw new NightshiftError("NS_SCHEDULE_INVALID", `Schedule ${show(id)} would never fire again with this change.`);
  }
  const { nextAt, state } = underNewRule(stored, readable, spec, timeline, around);
  const group = changes.group ?? stored.group;
  return {
    id,
    group,
    source: stored.source,
    job: job?.name ?? stored.job,
    definition: writeDefinition({ spec, state }),
    nextAt,
    paused: stored.paused || (group !== stored.group && around.pausedGroups.has(group)),
    queue: queueOf(spec),
  };
}

/** Checked anew when the input or the job changes. */
async function inputOf({ stored, spec }: Readable, changes: ReadChanges, around: Surroundings): Promise<string> {
  if (changes.input === undefined && changes.job === undefined) return spec.input;
  const job = changes.job ?? around.registry.get(stored.job);
  if (job !== undefined) {
    return encodeInput(job, changes.input ? changes.input.value : JSON.parse(spec.input), around.maxPayload);
  }
  const message = `Job ${show(stored.job)} is not registered in this process, so its input cannot be checked here.`;
  throw new NightshiftError("NS_JOB_UNKNOWN", message);
}
