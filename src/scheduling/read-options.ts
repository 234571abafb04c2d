/** Reads what schedules are given: defaults, units, and every mistake, collected. Programs without types get messages, not crashes. */
import { didYouMean, NightshiftError, type Problems, show } from "../errors/index.ts";
import { isName, NAME_RULE, readCount, readPriority, readTime } from "../jobs/definition-options.ts";
import { adviceOnDefinition, isJobDefinition, type JobDefinition } from "../jobs/index.ts";
import {
  type Calendar,
  calendarFromJSON,
  type Duration,
  parseDuration,
  type Trigger,
  type TriggerJSON,
  triggerFromJSON,
  withHashKey,
} from "../time/index.ts";
import type { JobDefaults, ScheduleSpec } from "./definition.ts";
import { inContext } from "./in-context.ts";
import {
  DEFAULT_MISFIRE_THRESHOLD,
  type MisfirePolicy,
  MOST_JOBS_A_MOVE,
  OVERLAPS,
  type Overlap,
  SHORTEST_MISFIRE_THRESHOLD,
  SHORTEST_STARTING_DEADLINE,
} from "./policies.ts";

const SETTINGS = [
  ..."trigger calendar start end maxCount misfire misfireThreshold startingDeadline overlap".split(" "),
  ..."jitter group description queue priority attempts".split(" "),
];
const KNOWN = [...SETTINGS, "id", "job", "input", "paused"];
const KNOWN_CHANGES = [...SETTINGS, "job", "input"];
const SIMPLE = ["run-once", "skip", "run-all"] as const;
const LONGEST_ID = 200;
const LONGEST_TEXT = 2_000;

/** A schedule's parts that were given; those taken away are present and undefined. */
export type SpecParts = {
  -readonly [K in Exclude<keyof ScheduleSpec, "input" | "defaults">]?: ScheduleSpec[K] | undefined;
};

/** A schedule that was read; its input is not checked yet. */
export interface ReadSchedule {
  readonly id: string;
  readonly group: string;
  readonly job: JobDefinition;
  readonly input: unknown;
  readonly paused: boolean;
  readonly spec: Omit<ScheduleSpec, "input">;
}

/** A whole schedule; undefined when its problems leave nothing to go on with. */
export function readSchedule(given: unknown, problems: Problems): ReadSchedule | undefined {
  const before = problems.found.length;
  const options = objectOf(given);
  const { id, job, paused = false } = options;
  const what = isId(id) ? `Schedule ${show(id)}` : "A schedule";
  problems.unknownOptions(what, options, KNOWN);
  if (!isId(id)) {
    problems.add("NS_SCHEDULE_INVALID", `A schedule's id is ${show(id)}. Give text of 1 to ${LONGEST_ID} characters.`);
  }
  if (!isJobDefinition(job)) {
    problems.add("NS_SCHEDULE_INVALID", `${what}: job is ${show(job)}. ${adviceOnDefinition(job)}`);
  }
  if (typeof paused !== "boolean") {
    problems.add("NS_OPTION_INVALID", `${what}: paused is ${show(paused)}. Give true or false.`);
  }
  if (options["trigger"] === undefined) {
    problems.add("NS_SCHEDULE_INVALID", `${what} has no trigger. Give cron(...), interval(...) or another one.`);
  }
  const parts = readParts(options, typeof id === "string" ? id : "", what, problems);
  const { trigger } = parts;
  if (problems.found.length > before || !isId(id) || !isJobDefinition(job) || trigger === undefined) return undefined;
  return {
    id,
    group: readGroup(options["group"], what, problems) ?? "",
    job,
    input: options["input"],
    paused: paused === true,
    spec: completeSpec({ ...parts, trigger }, defaultsOf(job)),
  };
}

/** Changes to a schedule that were read; the input is not checked yet. */
export interface ReadChanges {
  readonly parts: SpecParts;
  readonly group: string | undefined;
  readonly job: JobDefinition | undefined;
  readonly input: { readonly value: unknown } | undefined;
}

/** Changes to a schedule. */
export function readChanges(given: unknown, id: string, problems: Problems): ReadChanges {
  const options = objectOf(given);
  const what = `Schedule ${show(id)}`;
  if (typeof given !== "object" || given === null) {
    problems.add(
      "NS_OPTION_INVALID",
      `${what}: the changes are ${show(given)}. Give an object with what is to be changed.`,
    );
  }
  problems.unknownOptions(what, options, KNOWN_CHANGES);
  const { job, trigger } = options;
  if (trigger === null) problems.add("NS_SCHEDULE_INVALID", `${what}: a schedule cannot be without a trigger.`);
  if (job !== undefined && !isJobDefinition(job)) {
    problems.add("NS_SCHEDULE_INVALID", `${what}: job is ${show(job)}. ${adviceOnDefinition(job)}`);
  }
  return {
    parts: readParts(options, id, what, problems),
    group: "group" in options ? (readGroup(options["group"] ?? "", what, problems) ?? "") : undefined,
    job: isJobDefinition(job) ? job : undefined,
    input: "input" in options ? { value: options["input"] } : undefined,
  };
}

/** A spec without its input: what was given, and the defaults. Absent parts are left out, so that equal specs have equal text. */
export function completeSpec(
  parts: SpecParts & { trigger: TriggerJSON },
  defaults: JobDefaults,
): Omit<ScheduleSpec, "input"> {
  const spec = {
    ...parts,
    misfire: parts.misfire ?? { policy: "run-once" as const },
    misfireThreshold: parts.misfireThreshold ?? DEFAULT_MISFIRE_THRESHOLD,
    overlap: parts.overlap ?? "allow",
    defaults,
  };
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as typeof spec as Omit<
    ScheduleSpec,
    "input"
  >;
}

/** The policies that a schedule's jobs have when it says nothing of its own. */
export function defaultsOf(job: JobDefinition): JobDefaults {
  return { queue: job.queue, priority: job.priority, attempts: job.retry.attempts, maxCrashes: job.maxCrashes };
}

/** Whether a value can be a schedule's id. A NUL is text that not every database can keep. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= LONGEST_ID && !value.includes("\0");
}

type Given = Readonly<Record<string, unknown>>;

function readParts(options: Given, id: string, what: string, problems: Problems): SpecParts {
  const parts: SpecParts = {};
  const read = <K extends keyof SpecParts>(key: K, option: string, reader: (value: unknown) => SpecParts[K]) => {
    const value = options[option];
    if (value === null) parts[key] = undefined;
    else if (value !== undefined) problems.attempt(() => (parts[key] = reader(value)));
  };
  const duration = (option: string) => (value: unknown) => parseDuration(value as Duration, `${what}: ${option}`);
  read("trigger", "trigger", (value) => triggerJson(value, id, what));
  read("calendars", "calendar", (value) => calendarList(value, what));
  read("start", "start", (value) => instant(value, `${what}: start`));
  read("end", "end", (value) => instant(value, `${what}: end`));
  read("maxCount", "maxCount", (value) => readCount(value, `${what}: maxCount`, problems));
  read("misfire", "misfire", (value) => readMisfire(value, what, problems));
  read("misfireThreshold", "misfireThreshold", duration("misfireThreshold"));
  read("startingDeadline", "startingDeadline", duration("startingDeadline"));
  read("overlap", "overlap", (value) => readOverlap(value, what));
  read("jitter", "jitter", duration("jitter"));
  read("description", "description", (value) => readText(value, `${what}: description`));
  read("queue", "queue", (value) => {
    if (isName(value)) return value;
    throw new NightshiftError("NS_OPTION_INVALID", `${what}: queue is ${show(value)}. ${NAME_RULE}`);
  });
  read("priority", "priority", (value) => readPriority(value, what));
  read("attempts", "attempts", (value) => readCount(value, `${what}: attempts`, problems));
  if (parts.misfireThreshold !== undefined && parts.misfireThreshold < SHORTEST_MISFIRE_THRESHOLD) {
    const least = `Give at least ${SHORTEST_MISFIRE_THRESHOLD} ms: ordinary delays are no misfires.`;
    problems.add("NS_OPTION_INVALID", `${what}: misfireThreshold is ${parts.misfireThreshold} ms. ${least}`);
  }
  if (parts.startingDeadline !== undefined && parts.startingDeadline < SHORTEST_STARTING_DEADLINE) {
    const least = `Give at least ${SHORTEST_STARTING_DEADLINE} ms: ordinary delays would leave out every occurrence.`;
    problems.add("NS_OPTION_INVALID", `${what}: startingDeadline is ${parts.startingDeadline} ms. ${least}`);
  }
  if (parts.start !== undefined && parts.end !== undefined && parts.start > parts.end) {
    problems.add("NS_OPTION_INVALID", `${what}: start is after end.`);
  }
  return parts;
}

/** `H` in a cron expression means "some time that is this schedule's own", so the id decides which. */
function triggerJson(value: unknown, id: string, what: string): TriggerJSON {
  const trigger = value as Partial<Trigger> | null;
  if (typeof trigger !== "object" || typeof trigger?.next !== "function" || typeof trigger.toJSON !== "function") {
    const advice =
      typeof value === "string" ? `Give cron(${show(value)}).` : "Give cron(...), interval(...) or another one.";
    throw new NightshiftError("NS_SCHEDULE_INVALID", `${what}: trigger is ${show(value)}. ${advice}`);
  }
  // Through its stored form and back: what cannot be read again would be found out when it is due.
  return inContext(`${what}: trigger`, () => triggerFromJSON(withHashKey(value as Trigger, id).toJSON()).toJSON());
}

function calendarList(value: unknown, what: string): SpecParts["calendars"] {
  const list = (Array.isArray(value) ? value : [value]).map((each: unknown) => {
    if (isId(each)) return each;
    const { excludes, toJSON } = (typeof each === "object" && each !== null ? each : {}) as Partial<Calendar>;
    if (typeof excludes === "function" && typeof toJSON === "function") {
      return calendarFromJSON(toJSON.call(each)).toJSON();
    }
    const advice = "Give a calendar such as weeklyCalendar(...), or the name of one in the store.";
    throw new NightshiftError("NS_CALENDAR_INVALID", `${what}: calendar is ${show(each)}. ${advice}`);
  });
  return list.length === 0 ? undefined : list;
}

/** Text without an offset would mean something else on each machine. */
const WITH_OFFSET = /(?:Z|[+-]\d\d:?\d\d)$/i;

function instant(value: unknown, what: string): number {
  const from = value as Date | { epochMilliseconds?: unknown } | string;
  const found =
    from instanceof Date
      ? from.getTime()
      : typeof from === "string"
        ? WITH_OFFSET.test(from)
          ? Date.parse(from)
          : Number.NaN
        : from?.epochMilliseconds;
  if (typeof found === "number" && Number.isFinite(found)) return found;
  const advice = 'Give a valid Date, a Temporal value, or ISO text with an offset ("2026-03-01T09:00:00Z").';
  throw new NightshiftError("NS_TIME_INVALID", `${what} is ${show(value)}. ${advice}`);
}

function readMisfire(value: unknown, what: string, problems: Problems): MisfirePolicy {
  for (const policy of SIMPLE) if (value === policy) return { policy };
  const given = objectOf(value === "catch-up" ? { policy: "catch-up" } : value);
  if (given["policy"] !== "catch-up") {
    const ways = `Give ${SIMPLE.map(show).join(", ")} or { policy: "catch-up", max, maxAge }.`;
    const hint = typeof value === "string" ? didYouMean(value, [...SIMPLE, "catch-up"]) : "";
    throw new NightshiftError("NS_OPTION_INVALID", `${what}: misfire is ${show(value)}. ${ways}${hint}`);
  }
  problems.unknownOptions(`${what}: misfire`, given, ["policy", "max", "maxAge"]);
  const max = readCount(given["max"] ?? 100, `${what}: misfire.max`, problems);
  if (max > MOST_JOBS_A_MOVE) {
    const message = `${what}: misfire.max is ${max}. Give at most ${MOST_JOBS_A_MOVE}, or "run-all" for no limit.`;
    throw new NightshiftError("NS_OPTION_INVALID", message);
  }
  const maxAge = readTime(given["maxAge"], `${what}: misfire.maxAge`, problems);
  return { policy: "catch-up", max, ...(maxAge === undefined ? {} : { maxAge }) };
}

function readOverlap(value: unknown, what: string): Overlap {
  const found = OVERLAPS.find((overlap) => overlap === value);
  if (found !== undefined) return found;
  const hint = typeof value === "string" ? didYouMean(value, OVERLAPS) : "";
  const message = `${what}: overlap is ${show(value)}. Give one of ${OVERLAPS.map(show).join(", ")}.${hint}`;
  throw new NightshiftError("NS_OPTION_INVALID", message);
}

function readGroup(value: unknown, what: string, problems: Problems): string | undefined {
  if (value === undefined || value === null) return undefined;
  return problems.attempt(() => readText(value, `${what}: group`, LONGEST_ID));
}

function readText(value: unknown, what: string, longest = LONGEST_TEXT): string {
  if (typeof value === "string" && value.length <= longest && !value.includes("\0")) return value;
  throw new NightshiftError(
    "NS_OPTION_INVALID",
    `${what} is ${show(value)}. Give text of at most ${longest} characters.`,
  );
}

function objectOf(value: unknown): Given {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
