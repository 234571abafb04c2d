/** Reads the options of a definition: defaults, units, and every mistake in them, collected. */
import { didYouMean, NightshiftError, Problems, show } from "../errors/index.ts";
import { isDependency } from "../services/index.ts";
import { PRIORITY_RANGE } from "../store/contract.ts";
import { type Duration, parseDuration } from "../time/index.ts";
import { type Backoff, DEFAULT_RETRY, type Jitter, type RetryOptions, type RetryPolicy } from "./retry.ts";
import { isSchema } from "./schema.ts";

/** The policies of a definition, complete and in milliseconds. */
export interface Policies {
  readonly name: string;
  readonly queue: string;
  readonly priority: number;
  readonly retry: RetryPolicy;
  readonly timeout: number | undefined;
  readonly maxCrashes: number;
}

interface AnyOptions {
  readonly name?: unknown;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly queue?: unknown;
  readonly priority?: unknown;
  readonly retry?: unknown;
  readonly timeout?: unknown;
  readonly maxCrashes?: unknown;
  readonly inject?: unknown;
  readonly run?: unknown;
}

const KNOWN = "name input output queue priority retry timeout maxCrashes inject run".split(" ");
const KNOWN_RETRY = "attempts backoff delay maxDelay jitter retryOn".split(" ");
const BACKOFFS: readonly Backoff[] = ["exponential", "linear", "fixed"];
const JITTERS: readonly Jitter[] = ["none", "equal", "full"];
const NAME = /^[A-Za-z0-9_.:-]{1,200}$/;
/** Above this a count is taken for a mistake; stores keep it in 32 bits. */
const MOST = 1_000_000;

/** Reads options that may be anything, as programs without types hand them over. */
export function readOptions(given: unknown): { readonly policies: Policies; readonly problems: NightshiftError[] } {
  const problems = new Problems();
  const isObject = typeof given === "object" && given !== null;
  const options: AnyOptions = isObject ? given : {};
  const what = typeof options.name === "string" ? `Job ${show(options.name)}` : "A job definition";
  problems.unknownOptions(what, options, KNOWN);
  if (!isObject) {
    problems.add("NS_JOB_DEFINITION", `defineJob() got ${show(given)}. Give one object: { name, run, ... }.`);
  } else if (!isName(options.name)) {
    problems.add("NS_JOB_DEFINITION", `A job's name is ${show(options.name)}. ${NAME_RULE}`);
  }
  if (isObject && typeof options.run !== "function") {
    problems.add("NS_JOB_DEFINITION", `${what} has no handler: run is ${show(options.run)}, give a function.`);
  }
  for (const key of ["input", "output"] as const) {
    if (options[key] === undefined || isSchema(options[key])) continue;
    const advice = "Give a Standard Schema (zod, valibot, arktype, ...) or unchecked<T>().";
    problems.add("NS_JOB_DEFINITION", `${what}: ${key} is ${show(options[key])}. ${advice}`);
  }
  readInject(options.inject, what, problems);
  const policies: Policies = {
    name: String(options.name),
    queue: readQueue(options.queue ?? "default", what, problems),
    priority: problems.attempt(() => readPriority(options.priority ?? 0, what)) ?? 0,
    retry: readRetry(options.retry, what, problems),
    timeout: readTime(options.timeout, `${what}: timeout`, problems),
    maxCrashes: readCount(options.maxCrashes ?? 3, `${what}: maxCrashes`, problems),
  };
  if (policies.timeout === 0) problems.add("NS_OPTION_INVALID", `${what}: timeout is 0. Leave it out for no limit.`);
  return { policies, problems: [...problems.found] };
}

/** The rule for the names of jobs and queues, as a sentence. */
export const NAME_RULE = "Use letters, digits and _ . : - (1 to 200 of them).";

/** Whether a value can name a job or a queue. */
export function isName(value: unknown): value is string {
  return typeof value === "string" && NAME.test(value);
}

/** A priority, or NS_OPTION_INVALID. */
export function readPriority(value: unknown, what: string): number {
  const { min, max } = PRIORITY_RANGE;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  const message = `${what}: priority is ${show(value)}. Give a whole number from ${min} to ${max}.`;
  throw new NightshiftError("NS_OPTION_INVALID", message);
}

/** A count of at least 1; a problem and 1 when it is not. */
export function readCount(value: unknown, what: string, problems: Problems): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST) return value as number;
  problems.add("NS_OPTION_INVALID", `${what} is ${show(value)}. Give a whole number from 1 to ${MOST}.`);
  return 1;
}

/** An optional duration in milliseconds; a problem and undefined when it is not one. */
export function readTime(value: unknown, what: string, problems: Problems): number | undefined {
  if (value === undefined) return undefined;
  return problems.attempt(() => parseDuration(value as Duration, what));
}

/** A queue's name; a problem and `default` when it is not one. */
export function readQueue(value: unknown, what: string, problems: Problems): string {
  if (isName(value)) return value;
  problems.add("NS_OPTION_INVALID", `${what}: queue is ${show(value)}. ${NAME_RULE}`);
  return "default";
}

function readInject(value: unknown, what: string, problems: Problems): void {
  if (value === undefined) return;
  const list: readonly unknown[] = Array.isArray(value) ? value : [undefined];
  const wrong = list.findIndex((dependency) => !isDependency(dependency));
  if (wrong < 0) return;
  const which = Array.isArray(value) ? `inject[${wrong}] is ${show(list[wrong])}` : `inject is ${show(value)}`;
  const why = "A class used before its declaration is undefined: check the order and import cycles.";
  problems.add("NS_JOB_DEFINITION", `${what}: ${which}; give a list of classes or tokens. ${why}`);
}

function readRetry(value: unknown, what: string, problems: Problems): RetryPolicy {
  if (value !== undefined && (typeof value !== "object" || value === null)) {
    problems.add("NS_OPTION_INVALID", `${what}: retry is ${show(value)}. Give { attempts, backoff, delay, ... }.`);
  }
  const options: RetryOptions = typeof value === "object" && value !== null ? value : {};
  problems.unknownOptions(`${what}: retry`, options, KNOWN_RETRY);
  const { backoff = DEFAULT_RETRY.backoff, retryOn } = options;
  if (typeof backoff !== "function" && !BACKOFFS.includes(backoff)) {
    problems.add("NS_OPTION_INVALID", `${what}: retry.backoff ${oneOf(backoff, BACKOFFS)} A function will do as well.`);
  }
  const spreadsByDefault = backoff === "exponential" || backoff === "linear";
  const { jitter = spreadsByDefault ? "equal" : "none" } = options;
  if (!JITTERS.includes(jitter)) problems.add("NS_OPTION_INVALID", `${what}: retry.jitter ${oneOf(jitter, JITTERS)}`);
  if (retryOn !== undefined && typeof retryOn !== "function") {
    problems.add("NS_OPTION_INVALID", `${what}: retry.retryOn is ${show(retryOn)}. Give a function of the error.`);
  }
  const delay = readTime(options.delay, `${what}: retry.delay`, problems) ?? DEFAULT_RETRY.delay;
  const maxDelay = readTime(options.maxDelay, `${what}: retry.maxDelay`, problems) ?? DEFAULT_RETRY.maxDelay;
  return Object.freeze({
    attempts: readCount(options.attempts ?? DEFAULT_RETRY.attempts, `${what}: retry.attempts`, problems),
    backoff,
    delay,
    maxDelay: Math.max(delay, maxDelay),
    jitter,
    retryOn,
  });
}

function oneOf(value: unknown, allowed: readonly unknown[]): string {
  const names = allowed.filter((each) => typeof each === "string");
  return `is ${show(value)}. Give one of ${names.join(", ")}.${didYouMean(String(value), names)}`;
}
