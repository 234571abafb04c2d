/** Schedules that people write on the dashboard: made, changed and removed through the application's own client. */
import { NightshiftError, show } from "../errors/index.ts";
import type { JobDefinition, JobRegistry } from "../jobs/index.ts";
import { type Misfire, readSchedule, type ScheduleSettingsInfo, type Schedules } from "../scheduling/index.ts";
import type { StoredSchedule } from "../store/contract.ts";
import { type Trigger, type TriggerJSON, triggerFromJSON } from "../time/index.ts";
import type { DialectChoice, MisfireChoice, ScheduleDraft, ScheduleFormFacts } from "./api.ts";
import type { ScheduleEditor } from "./server/parts.ts";
import { readTrigger } from "./server/written-trigger.ts";

/** An editor over a client. */
export function scheduleEditor(schedules: Schedules, registry: JobRegistry): ScheduleEditor {
  return {
    jobs: () =>
      registry.definitions
        .map(({ name, input }) => ({ name, takesInput: input !== undefined }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    facts,
    input: (stored) => JSON.stringify(settingsOf(stored).input),
    async create({ id, job, input, misfire, overlap, description, paused, ...when }) {
      await schedules.create({
        id,
        trigger: "trigger" in when ? readTrigger(when.trigger).trigger : triggerOf(when),
        job: definitionOf(registry, job),
        misfire: policyOf(misfire),
        overlap,
        paused,
        ...(description === "" ? {} : { description }),
        ...(input === undefined ? {} : { input: input.value }),
      });
    },
    async update({ id, revision, job, input, misfire, overlap, description, ...when }) {
      const known = await schedules.get(id);
      const before = known?.settings?.trigger;
      const changes = {
        ...newTrigger(when, before),
        ...(job === undefined ? {} : { job: definitionOf(registry, job) }),
        ...(input === undefined ? {} : { input: input.value }),
        ...(misfire === undefined ? {} : { misfire: policyOf(misfire) }),
        ...(overlap === undefined ? {} : { overlap }),
        ...(description === undefined ? {} : { description: description === "" ? null : description }),
      };
      await schedules.update(id, changes, { revision });
    },
    remove: async (id) => void (await schedules.remove(id)),
  };
}

function facts(stored: StoredSchedule): ScheduleFormFacts {
  const { trigger, times, misfire, overlap, description } = settingsOf(stored);
  const { expression, timeZone } = trigger;
  const isCron = trigger.type === "cron" && typeof expression === "string";
  return {
    id: stored.id,
    source: stored.source,
    revision: stored.revision,
    job: stored.job,
    trigger: JSON.stringify(trigger),
    expression: isCron ? expression : null,
    dialect: dialectOf(trigger),
    timeZone: typeof timeZone === "string" ? timeZone : "UTC",
    times,
    misfire: typeof misfire === "string" ? misfire : "catch-up",
    overlap,
    description: description ?? "",
  };
}

function settingsOf(stored: StoredSchedule): ScheduleSettingsInfo {
  const { settings } = readSchedule(stored);
  if (settings !== null) return settings;
  const message = `Schedule ${show(stored.id)} cannot be read by this version of the library, so it cannot be changed here.`;
  throw new NightshiftError("NS_SCHEDULE_INVALID", message);
}

type When = Partial<Pick<ScheduleDraft, "trigger" | "expression" | "dialect" | "timeZone">>;

function newTrigger({ trigger, expression, dialect, timeZone }: When, before?: TriggerJSON): { trigger?: Trigger } {
  if (trigger !== undefined) return { trigger: readTrigger(trigger).trigger };
  if (expression === undefined || dialect === undefined || timeZone === undefined) return {};
  return { trigger: triggerOf({ expression, dialect, timeZone }, before) };
}

/** What a change of the clock does to the times is no question of the form: it stays what it was. */
function triggerOf(
  { expression, dialect, timeZone }: Pick<ScheduleDraft, "expression" | "dialect" | "timeZone">,
  before?: TriggerJSON,
): Trigger {
  const gap = before?.type === "cron" && dialectOf(before) === dialect ? { gap: before["gap"] } : {};
  return triggerFromJSON({ type: "cron", expression, dialect, timeZone, ...gap });
}

function dialectOf({ dialect }: TriggerJSON): DialectChoice {
  return dialect === "quartz" || dialect === "cronos" ? dialect : "unix";
}

function policyOf(misfire: MisfireChoice): Misfire {
  return misfire === "catch-up" ? { policy: "catch-up" } : misfire;
}

function definitionOf(registry: JobRegistry, name: string): JobDefinition {
  const found = registry.get(name);
  if (found !== undefined) return found;
  const message = `No job ${show(name)} is registered in this process, so its schedules cannot be made here.`;
  throw new NightshiftError("NS_JOB_UNKNOWN", message);
}
