/** From a definition, an input and options to the job that a store takes: checked, encoded, limited. Pure but for the schema. */
import { NightshiftError, nearestOrAll, show } from "../../errors/index.ts";
import type { NewJob } from "../../store/contract.ts";
import { type Duration, parseDuration } from "../../time/index.ts";
import type { JobDefinition } from "../definition.ts";
import { isName, NAME_RULE, readPriority } from "../definition-options.ts";
import { refuseLongerThan, toJson } from "../json.ts";
import { ANYTHING, type Checked, check, type InputIssue, issuesText } from "../schema.ts";

/** How a job is enqueued. Everything is optional; policies left out are the definition's. */
export interface EnqueueJobOptions {
  /** Run it no sooner than after this wait. Not together with `at`. */
  readonly delay?: Duration;
  /** Run it no sooner than at this time: a Date, or milliseconds since 1970. A time that has passed means at once. */
  readonly at?: Date | number;
  /** A whole number from -100 to 100; a higher one is claimed first. Default: the job definition's. */
  readonly priority?: number;
  /** The queue. Default: the job definition's. */
  readonly queue?: string;
  /** Attempts in all, 1 or more. Default: those of the job definition's `retry`. */
  readonly attempts?: number;
  /** What travels with the job beside its input; handlers find it as `job.meta`. Plain JSON data. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /**
   * Your own open transaction: the job is written inside it and exists when it commits. What it must be is the store's
   * to say: a `node:sqlite` handle on the same file, a `pg` client. With a schema that checks synchronously the row is
   * written before `enqueue()` returns its promise (on stores with a synchronous driver).
   */
  readonly tx?: unknown;
  /** Gives up with `NS_ABORTED` before anything is written. Once the write has begun it is not undone. */
  readonly signal?: AbortSignal;
}

const KNOWN = "delay at priority queue attempts meta tx signal".split(" ");
/** What a Date can hold. */
const LATEST = 8_640_000_000_000_000;

/** The part of a new job that its options decide: the same for every input of an `enqueueMany`. */
export type JobFrame = Omit<NewJob, "input">;

/** Reads options. @throws NS_OPTION_UNKNOWN, NS_OPTION_INVALID, NS_DURATION_INVALID, NS_JOB_TOO_LARGE */
export function jobFrame(definition: JobDefinition, options: EnqueueJobOptions, maxPayload: number): JobFrame {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw invalid(`the options are ${show(options)}. Give an object, { delay: "5m" } say.`);
  }
  for (const key of Object.keys(options)) {
    if (!KNOWN.includes(key)) {
      throw new NightshiftError("NS_OPTION_UNKNOWN", `enqueue has no option ${show(key)}.${nearestOrAll(key, KNOWN)}`);
    }
  }
  const { queue = definition.queue, priority = definition.priority, attempts = definition.retry.attempts } = options;
  if (!isName(queue)) throw invalid(`queue is ${show(queue)}. ${NAME_RULE}`);
  if (!Number.isInteger(attempts) || attempts < 1) {
    throw invalid(`attempts is ${show(attempts)}. Give a whole number of at least 1.`);
  }
  const due = dueOf(options);
  const meta = metaOf(options, maxPayload);
  return {
    name: definition.name,
    queue,
    priority: readPriority(priority, "enqueue"),
    maxAttempts: attempts,
    maxCrashes: definition.maxCrashes,
    ...(due === undefined ? {} : { due }),
    ...(meta === undefined ? {} : { meta }),
  };
}

/**
 * The input as JSON text, checked against the schema *as it will arrive*: what is accepted here is accepted by the
 * worker. Synchronous when the schema is.
 *
 * @throws NS_JOB_INPUT (rejects, for an asynchronous schema), NS_JOB_TOO_LARGE
 */
export function encodeInput(definition: JobDefinition, input: unknown, maxPayload: number): string | Promise<string> {
  const json = toJson(input);
  if ("flaw" in json) throw refusal(definition, [json.flaw]);
  refuseLongerThan(json.text, maxPayload, () => `The input of job ${show(definition.name)}`);
  const { input: schema } = definition;
  if (schema === undefined) {
    if (input === undefined || input === null) return "null";
    const message = `the definition takes no input, got ${show(input)}. Give it a schema: defineJob({ input, ... })`;
    throw refusal(definition, [{ path: "", message }]);
  }
  if (schema === ANYTHING) return json.text;
  const conclude = (checked: Checked): string => {
    if (checked.issues === undefined) return json.text;
    throw refusal(definition, checked.issues, hintAt(input));
  };
  const checked = guarded(definition, () => check(schema, JSON.parse(json.text)));
  return checked instanceof Promise
    ? checked.then(conclude, (error) => throwBroken(definition, error))
    : conclude(checked);
}

function guarded<T>(definition: JobDefinition, run: () => T): T {
  try {
    return run();
  } catch (error) {
    return throwBroken(definition, error);
  }
}

function throwBroken(definition: JobDefinition, cause: unknown): never {
  const message = `The schema of job ${show(definition.name)} threw instead of answering; nothing was enqueued.`;
  throw new NightshiftError("NS_JOB_INPUT", message, { cause });
}

function refusal(definition: JobDefinition, issues: readonly InputIssue[], hint = ""): NightshiftError {
  const message = `The input of job ${show(definition.name)} is not valid: ${issuesText(issues)}.${hint}`;
  return new NightshiftError("NS_JOB_INPUT", message, { details: { job: definition.name, issues } });
}

/** What a schema cannot know: it sees the input as it will arrive. */
function hintAt(input: unknown): string {
  if (input === undefined) return " No input was given; it travels as null.";
  return containsDate(input) ? " A Date travels as ISO text: let the schema take text." : "";
}

/** Looks one level deep: enough to say the likely reason, cheap enough for a message. */
function containsDate(input: unknown): boolean {
  if (input instanceof Date) return true;
  return typeof input === "object" && input !== null && Object.values(input).some((value) => value instanceof Date);
}

function dueOf({ delay, at }: EnqueueJobOptions): NewJob["due"] {
  if (delay !== undefined && at !== undefined) throw invalid("delay and at were both given. Give one of them.");
  if (delay !== undefined) {
    const wait = parseDuration(delay, "delay");
    return wait === 0 ? undefined : { in: wait };
  }
  if (at === undefined) return undefined;
  const time = at instanceof Date ? at.getTime() : at;
  if (typeof time !== "number" || !(Math.abs(time) <= LATEST)) {
    throw invalid(`at is ${show(at)}. Give a valid Date, or milliseconds since 1970.`);
  }
  return { at: time };
}

function metaOf({ meta }: EnqueueJobOptions, maxPayload: number): string | undefined {
  if (meta === undefined) return undefined;
  if (typeof meta !== "object" || meta === null || Array.isArray(meta)) {
    throw invalid(`meta is ${show(meta)}. Give an object of JSON data.`);
  }
  const json = toJson(meta);
  if ("flaw" in json) throw invalid(`meta.${json.flaw.path} ${json.flaw.message}.`);
  refuseLongerThan(json.text, maxPayload, () => "meta");
  return json.text;
}

function invalid(what: string): NightshiftError {
  return new NightshiftError("NS_OPTION_INVALID", `enqueue: ${what}`);
}
