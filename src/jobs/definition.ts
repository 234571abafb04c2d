/** A job definition: a name, an input, policies and a handler, as one exported value. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { NightshiftError } from "../errors/index.ts";
import type { Dependency, Resolved } from "../services/index.ts";
import type { Duration } from "../time/index.ts";
import { readOptions } from "./definition-options.ts";
import type { JobContext } from "./job-context.ts";
import type { RetryOptions, RetryPolicy } from "./retry.ts";

/** The schema of a definition that names none: no input. */
export type NoInput = StandardSchemaV1<void, undefined>;
/** The schema of a definition that names no output: whatever the handler returns is not kept. */
export type NoOutput = StandardSchemaV1<unknown, undefined>;

/** What {@link defineJob} is given. */
export interface JobOptions<
  In extends StandardSchemaV1,
  Out extends StandardSchemaV1,
  Inject extends readonly Dependency[],
> {
  /**
   * The name under which jobs are stored: letters, digits and `_ . : -`, at most 200. It outlives code: a class or a
   * file may be renamed, this may not while jobs of it are stored.
   */
  readonly name: string;
  /**
   * The input's schema: any Standard Schema, or `unchecked<T>()`. Inputs travel as JSON and are checked as they will
   * arrive, both when enqueued and when run: a `Date` arrives as text. Default: no input.
   */
  readonly input?: In;
  /** The output's schema. Only with it is what `run` returns kept, and awaited by `handle.result()`. Default: nothing is kept. */
  readonly output?: Out;
  /** The queue. Default `"default"`. */
  readonly queue?: string;
  /** A whole number from -100 to 100; a higher one is claimed first. Default 0. */
  readonly priority?: number;
  /** How often and when it is tried again. Default: 10 attempts, exponential from 5 seconds. */
  readonly retry?: RetryOptions;
  /**
   * How long one attempt may run. Its signal is aborted then, with `NS_JOB_TIMEOUT` as the reason, and the attempt has
   * failed unless the handler still completes. Default: no limit.
   */
  readonly timeout?: Duration;
  /** How often it may lose its worker (crash, kill, power) before it is given up as `dead`. Default 3. */
  readonly maxCrashes?: number;
  /** Services for `run`, resolved in the scope of this one attempt. */
  readonly inject?: Inject;
  /** The handler. Throwing fails the attempt; returning completes the job. */
  run(
    input: StandardSchemaV1.InferOutput<In>,
    job: JobContext,
    ...services: Resolved<Inject>
  ): StandardSchemaV1.InferInput<Out> | Promise<StandardSchemaV1.InferInput<Out>>;
}

declare const types: unique symbol;
/** Problems found when the definition was made; told by `build()`, together with all others. */
export const definitionProblems: unique symbol = Symbol("nightshift.problems");

/**
 * A job definition. Give it to `addJobs({ jobs })`, and to `enqueue()` to make jobs of it.
 *
 * In a unit test, `definition.run(input, job, ...services)` is just the function.
 */
export interface JobDefinition<
  Input = unknown,
  Output = unknown,
  Parsed = unknown,
  Inject extends readonly Dependency[] = readonly Dependency[],
> {
  readonly name: string;
  /** Where its jobs go unless `enqueue` says otherwise. */
  readonly queue: string;
  readonly priority: number;
  /** With every default decided; waits in milliseconds. */
  readonly retry: RetryPolicy;
  /** In milliseconds; undefined for no limit. */
  readonly timeout: number | undefined;
  readonly maxCrashes: number;
  readonly inject: Inject;
  /** Undefined when it takes no input. */
  readonly input: StandardSchemaV1 | undefined;
  /** Undefined when what it returns is not kept. */
  readonly output: StandardSchemaV1 | undefined;
  /** The handler as it was given. */
  run(input: Parsed, job: JobContext, ...services: Resolved<Inject>): unknown;
  /** Carries the types; never present. */
  readonly [types]?: { readonly input: Input; readonly output: Output };
  /** @internal */
  readonly [definitionProblems]: readonly NightshiftError[];
}

/** What `enqueue` takes for a definition: its schema's input type. */
export type InputOf<D> = D extends { readonly [types]?: { readonly input: infer Input } } ? Input : never;
/** What `handle.result()` gives for a definition: its output schema's output type. */
export type OutputOf<D> = D extends { readonly [types]?: { readonly output: infer Output } } ? Output : never;

/**
 * Defines a job. The value is immutable, and made without a host: modules may export it.
 *
 * A mistake in the options is not thrown here but by `build()` (or `createJobs()`), which lists all mistakes of an
 * application together.
 *
 * @example
 * ```ts
 * import { defineJob } from "nightshift";
 * import { z } from "zod";
 *
 * export const sendWelcome = defineJob({
 *   name: "email.welcome",
 *   input: z.object({ to: z.email() }),
 *   retry: { attempts: 5 },
 *   timeout: "30s",
 *   async run({ to }, job) {
 *     job.logger.info(`sending to ${to}`);
 *   },
 * });
 * ```
 */
export function defineJob<
  In extends StandardSchemaV1 = NoInput,
  Out extends StandardSchemaV1 = NoOutput,
  const Inject extends readonly Dependency[] = readonly [],
>(
  options: JobOptions<In, Out, Inject>,
): JobDefinition<
  StandardSchemaV1.InferInput<In>,
  StandardSchemaV1.InferOutput<Out>,
  StandardSchemaV1.InferOutput<In>,
  Inject
> {
  const { policies, problems } = readOptions(options);
  if (typeof options !== "object" || options === null) throw problems[0];
  return Object.freeze({
    ...policies,
    inject: (Array.isArray(options.inject) ? Object.freeze([...options.inject]) : []) as unknown as Inject,
    input: options.input,
    output: options.output,
    run: options.run,
    [definitionProblems]: problems,
  });
}

/** What to do about a value that is no definition, for messages. A second copy of the library has its own symbol, of the same name. */
export function adviceOnDefinition(value: unknown): string {
  const symbols = typeof value === "object" && value !== null ? Object.getOwnPropertySymbols(value) : [];
  return symbols.some(({ description }) => description === definitionProblems.description)
    ? "It was made by another copy of nightshift in this process: see to it that there is one (npm ls nightshift)."
    : "Give a value made by defineJob().";
}

/** Whether a value came from {@link defineJob}: programs without types get a message instead of a crash. */
export function isJobDefinition(value: unknown): value is JobDefinition {
  return typeof value === "object" && value !== null && definitionProblems in value;
}
