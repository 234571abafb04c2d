/** Reads the options of `addJobs()` and `createJobs()`: defaults, units, and every mistake in them, collected. */
import { type Problems, show } from "../errors/index.ts";
import { textOf } from "../errors/option-checks.ts";
import type { FinalState, Keep, Retention, Store } from "../store/contract.ts";
import { FINAL_STATES } from "../store/contract.ts";
import { isTemporalDuration } from "../time/duration.ts";
import type { Duration } from "../time/index.ts";
import type { JobDefinition } from "./definition.ts";
import { isName, NAME_RULE, readCount, readTime } from "./definition-options.ts";
import { JobRegistry } from "./registry.ts";
import type { WorkerOptions } from "./worker/worker.ts";

/** What the client needs, whether or not jobs are run in this process. */
export interface ClientOptions {
  /** The store: `sqlite("app.db")`, `postgres(...)`, `memory()`. */
  readonly store: Store;
  /** The definitions that this process enqueues or runs. */
  readonly jobs: readonly JobDefinition[];
  /** The most bytes of JSON in an input, an output or meta. Default 1 MiB. */
  readonly maxPayload?: number;
}

/** What is kept of the finished jobs of one state. */
export type RetentionOption = Duration | "forever" | RetentionRule;

/** An age and a number; a job goes when the first of the two says so. */
export interface RetentionRule {
  /** How long after their end: `"7d"`, milliseconds, or `"forever"`. Default: `"forever"` beside a count. */
  readonly age?: Duration | "forever";
  /** The most that are kept, the newest of them; over all queues, and on each shard. Default: no limit. */
  readonly count?: number;
}

/** What is kept of finished jobs, by how they ended. */
export interface RetentionOptions extends Partial<Record<FinalState, RetentionOption>> {
  /** Of jobs that succeeded. Default 7 days. */
  readonly succeeded?: RetentionOption;
  /** Of jobs whose attempts are spent, or whose error no attempt would cure. Default 90 days. */
  readonly dead?: RetentionOption;
  /** Of jobs that somebody cancelled. Default 7 days. */
  readonly cancelled?: RetentionOption;
}

/** Options of `builder.addJobs()`. */
export interface JobsOptions extends ClientOptions {
  /** How many jobs this process runs at once, over all queues. Default 10, or the sum of `queues` when they name their own. */
  readonly concurrency?: number;
  /**
   * The queues this process takes jobs from: a list, or each with its own concurrency. An empty list makes a process
   * that only enqueues and keeps the store in order. Default: the queues of the definitions, and `default`.
   */
  readonly queues?: readonly string[] | Readonly<Record<string, number>>;
  /**
   * How long jobs stay with a process that gives no sign of life; then others run them. A sign is given at a third of
   * it. At least 1 second. Default 30 seconds.
   */
  readonly leaseTtl?: Duration;
  /**
   * What is kept of finished jobs, by how they ended: an age (`"7d"`), an age and a number (`{ age: "7d", count: 10_000 }`:
   * a job goes when the first of the two says so), or `"forever"`. Default: `succeeded` and `cancelled` 7 days, `dead`
   * 90 days; one that names a count alone has no age.
   */
  readonly retention?: RetentionOptions;
  /** How often an empty queue is asked without a hint from the store. Default 5 seconds: a store that cannot hear hints
   * (LISTEN is broken, or a pooler is all there is) says so every second, and this is for hints that got lost. */
  readonly pollInterval?: Duration;
  /**
   * How long running jobs may go on when the host stops, before their signals are aborted. They have 5 seconds more
   * then, and what is still not done is handed back, uncounted. Keep it below the host's stop timeout. Default 15 seconds.
   */
  readonly drainTimeout?: Duration;
  /** How this process is called in the store and on the dashboard. Default: the host's name and the machine's. */
  readonly instanceName?: string;
}

/** The options, complete; times in milliseconds. */
export interface EngineOptions extends WorkerOptions {
  readonly leaseTtl: number;
  readonly retention: Retention;
  readonly maxPayload: number;
  readonly instanceName: string | undefined;
}

export const CLIENT_OPTIONS: readonly string[] = ["store", "jobs", "maxPayload"];
const KNOWN: readonly string[] = [
  ...CLIENT_OPTIONS,
  ..."concurrency queues leaseTtl retention pollInterval drainTimeout instanceName".split(" "),
];
const DAY = 86_400_000;
const DEFAULT_RETENTION: Readonly<Record<FinalState, number>> = {
  succeeded: 7 * DAY,
  cancelled: 7 * DAY,
  dead: 90 * DAY,
};
const MEBIBYTE = 1_048_576;

/** Reads what client and engine share. */
export function readClientOptions(options: ClientOptions, what: string, problems: Problems) {
  const { store, jobs } = options;
  if (typeof (store as Partial<Store> | null | undefined)?.settleAndClaim !== "function") {
    problems.add("NS_OPTION_INVALID", `${what}: store is ${show(store)}. Give a store: sqlite("app.db") or memory().`);
  }
  if (!Array.isArray(jobs)) {
    problems.add("NS_OPTION_INVALID", `${what}: jobs is ${show(jobs)}. Give a list of values made by defineJob().`);
  }
  const { maxPayload = MEBIBYTE } = options;
  if (!Number.isInteger(maxPayload) || maxPayload < 2) {
    problems.add("NS_OPTION_INVALID", `${what}: maxPayload is ${show(maxPayload)}. Give a number of bytes.`);
  }
  return { registry: new JobRegistry(Array.isArray(jobs) ? jobs : [], problems), maxPayload };
}

/** Reads the options of `addJobs()`. */
export function readJobsOptions(options: JobsOptions, problems: Problems): EngineOptions & { registry: JobRegistry } {
  const what = "addJobs";
  problems.unknownOptions(what, options, KNOWN);
  const { registry, maxPayload } = readClientOptions(options, what, problems);
  const leaseTtl = readTime(options.leaseTtl ?? "30s", `${what}: leaseTtl`, problems) ?? 30_000;
  if (leaseTtl < 1_000) {
    problems.add("NS_OPTION_INVALID", `${what}: leaseTtl is ${show(options.leaseTtl)}. Give 1 second or more.`);
  }
  const pollInterval = readTime(options.pollInterval ?? "5s", `${what}: pollInterval`, problems) ?? 5_000;
  if (pollInterval < 10) {
    problems.add("NS_OPTION_INVALID", `${what}: pollInterval is ${show(options.pollInterval)}. Give 10 ms or more.`);
  }
  return {
    registry,
    maxPayload,
    leaseTtl,
    pollInterval,
    drainTimeout: readTime(options.drainTimeout ?? "15s", `${what}: drainTimeout`, problems) ?? 15_000,
    instanceName: nameFrom(options.instanceName, problems),
    retention: readRetention(options.retention ?? {}, what, problems),
    ...readQueues(options, registry, what, problems),
  };
}

function nameFrom(given: string | undefined, problems: Problems): string | undefined {
  return given === undefined ? undefined : textOf(given, "addJobs: instanceName", "", problems);
}

function readQueues(
  options: JobsOptions,
  registry: JobRegistry,
  what: string,
  problems: Problems,
): Pick<WorkerOptions, "concurrency" | "queues"> {
  const given = options.queues ?? [...new Set([...registry.queues, "default"])];
  const own = !Array.isArray(given);
  if (typeof given !== "object" || given === null) {
    const advice = 'Give a list of names, ["mail"], or each with its own concurrency, { mail: 5 }.';
    problems.add("NS_OPTION_INVALID", `${what}: queues is ${show(given)}. ${advice}`);
    return { concurrency: 1, queues: [] };
  }
  const limits: readonly (readonly [string, number | undefined])[] = Array.isArray(given)
    ? [...new Set(given as readonly string[])].map((queue) => [queue, undefined])
    : Object.entries(given);
  for (const [queue, limit] of limits) {
    if (!isName(queue)) problems.add("NS_OPTION_INVALID", `${what}: queues names ${show(queue)}. ${NAME_RULE}`);
    if (own) readCount(limit, `${what}: queues.${queue}`, problems);
  }
  const sum = limits.reduce((total, [, limit]) => total + (typeof limit === "number" ? limit : 0), 0);
  const concurrency = readCount(options.concurrency ?? (own ? Math.max(1, sum) : 10), `${what}: concurrency`, problems);
  return { concurrency, queues: limits.map(([queue, limit]) => ({ queue, limit: limit ?? concurrency })) };
}

function readRetention(given: NonNullable<JobsOptions["retention"]>, what: string, problems: Problems): Retention {
  problems.unknownOptions(`${what}: retention`, given, FINAL_STATES);
  const kept: Partial<Record<FinalState, Keep>> = {};
  for (const state of FINAL_STATES) {
    const keep = readKeep(given[state] ?? DEFAULT_RETENTION[state], `${what}: retention.${state}`, problems);
    if (keep.age !== undefined || keep.count !== undefined) kept[state] = keep;
  }
  return kept;
}

function readKeep(option: RetentionOption, what: string, problems: Problems): { age?: number; count?: number } {
  const given = typeof option === "object" && option !== null && !isTemporalDuration(option) ? option : { age: option };
  problems.unknownOptions(what, given, ["age", "count"]);
  const { age: ageOption = "forever", count } = given;
  const age = ageOption === "forever" ? undefined : readTime(ageOption, what, problems);
  if (count !== undefined && !(Number.isInteger(count) && count >= 0)) {
    problems.add("NS_OPTION_INVALID", `${what}: count is ${show(count)}. Give a whole number of jobs, 0 or more.`);
  }
  return { ...(age === undefined ? {} : { age }), ...(count === undefined ? {} : { count }) };
}
