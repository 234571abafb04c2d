/** The client: what an application does with jobs, other than running them. */
import { messageOf, NightshiftError, show } from "../../errors/index.ts";
import {
  type CancelResult,
  type Counts,
  type EnqueueOptions,
  type JobCount,
  type JobFilter,
  type JobId,
  type JobQuery,
  type JobState,
  type JobSummary,
  MOST_COUNTED,
  type NewJob,
  type Page,
  type Store,
} from "../../store/contract.ts";
import type { Clock } from "../../time/index.ts";
import type { JobDefinition } from "../definition.ts";
import type { JobRegistry } from "../registry.ts";
import { type JobDetails, readDetail } from "./details.ts";
import { explanation } from "./explain.ts";
import type { JobHandle } from "./handle.ts";
import { LiveHandle } from "./live-handle.ts";
import { type EnqueueJobOptions, encodeInput, type JobFrame, jobFrame } from "./new-job.ts";
import { Results } from "./results.ts";
import type { StoreAccess } from "./store-access.ts";

/** The arguments after the definition: the input may be left out when there is none. */
export type EnqueueArguments<Input> = undefined extends Input
  ? [input?: Input, options?: EnqueueJobOptions]
  : [input: Input, options?: EnqueueJobOptions];

const NO_OPTIONS: EnqueueJobOptions & EnqueueOptions = Object.freeze({});

/** What a {@link Jobs} is made of. */
export interface JobsParts {
  readonly access: StoreAccess;
  readonly registry: JobRegistry;
  readonly clock: Clock;
  /** The most bytes of JSON in an input. */
  readonly maxPayload: number;
  /** A worker in this process, which may claim what it stores; undefined when that is not worth it now. */
  readonly enqueueDirectly?: (jobs: readonly NewJob[]) => Promise<readonly JobId[]> | undefined;
}

/**
 * Enqueues jobs and asks about them. `host.jobs` is one; services get it by naming the class in `inject`; a process that
 * only enqueues makes one with `createJobs()`.
 *
 * @example
 * ```ts
 * import { Jobs, defineJob, unchecked } from "nightshift";
 *
 * const greet = defineJob({ name: "greet", input: unchecked<{ name: string }>(), run: () => undefined });
 *
 * class Signup {
 *   static readonly inject = [Jobs] as const;
 *   readonly jobs: Jobs;
 *   constructor(jobs: Jobs) {
 *     this.jobs = jobs;
 *   }
 *   async complete(name: string) {
 *     const handle = await this.jobs.enqueue(greet, { name }, { delay: "5m" });
 *     return handle.id;
 *   }
 * }
 * ```
 */
export class Jobs implements AsyncDisposable {
  readonly #access: StoreAccess;
  readonly #registry: JobRegistry;
  readonly #maxPayload: number;
  readonly #results: Results;
  /** What jobs of a definition share that are enqueued without options. Definitions never change. */
  readonly #frames = new WeakMap<JobDefinition, JobFrame>();
  readonly #enqueueDirectly: NonNullable<JobsParts["enqueueDirectly"]>;

  /** Made by `addJobs()` and `createJobs()`. */
  constructor(parts: JobsParts) {
    this.#access = parts.access;
    this.#registry = parts.registry;
    this.#maxPayload = parts.maxPayload;
    this.#enqueueDirectly = parts.enqueueDirectly ?? (() => undefined);
    this.#results = new Results(parts.access, parts.clock);
  }

  /**
   * Opens the store, which otherwise happens with the first call. Needed before an `enqueue` with `tx`, which cannot
   * wait for it.
   */
  async open(): Promise<void> {
    await this.#access.open();
  }

  /**
   * Enqueues one job. When the promise resolves, the job is stored and will not be lost.
   *
   * @throws NS_JOB_INPUT with the schema's issues, NS_JOB_TOO_LARGE, NS_JOB_UNKNOWN, NS_OPTION_INVALID, NS_ABORTED, and
   * what the store says (NS_STORE_FULL, NS_STORE_BUSY, NS_STORE_UNAVAILABLE, NS_STORE_TX, NS_STORE_CLOSED). Nothing is
   * written then.
   */
  enqueue<Input, Output>(
    definition: JobDefinition<Input, Output>,
    ...given: EnqueueArguments<Input>
  ): Promise<JobHandle<Output>> {
    // Not an async function: with a synchronous schema, the row is written before this returns.
    try {
      const { 0: input, 1: options = NO_OPTIONS } = given;
      const frame = this.#begin(definition, options);
      const text = encodeInput(definition, input, this.#maxPayload);
      const made = (ids: readonly JobId[]) => this.handle(first(ids), definition);
      return typeof text === "string"
        ? this.#write([{ ...frame, input: text }], options).then(made)
        : text.then((encoded) => this.#write([{ ...frame, input: encoded }], options)).then(made);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Enqueues many jobs of one definition in one statement: all of them, or none. A wrong input is named by its index
   * (`details.index`).
   *
   * @throws as {@link enqueue}
   */
  enqueueMany<Input, Output>(
    definition: JobDefinition<Input, Output>,
    inputs: readonly Input[],
    options: EnqueueJobOptions = NO_OPTIONS,
  ): Promise<readonly JobHandle<Output>[]> {
    try {
      const made = (ids: readonly JobId[]) => ids.map((id) => this.handle(id, definition));
      const frame = this.#begin(definition, options);
      if (!Array.isArray(inputs)) {
        throw new NightshiftError(
          "NS_OPTION_INVALID",
          `enqueueMany: inputs is ${show(inputs)}. Give a list of inputs.`,
        );
      }
      if (inputs.length === 0) return Promise.resolve([]);
      const texts = inputs.map((input, index) => {
        try {
          const text = encodeInput(definition, input, this.#maxPayload);
          return typeof text === "string" ? text : text.catch((error: unknown) => throwIndexed(error, index));
        } catch (error) {
          return throwIndexed(error, index);
        }
      });
      if (texts.every((text) => typeof text === "string")) return this.#write(framed(frame, texts), options).then(made);
      return Promise.all(texts)
        .then((encoded) => this.#write(framed(frame, encoded), options))
        .then(made);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A handle of a job that was enqueued earlier or elsewhere; the definition gives it the type of the result. */
  handle<Output = unknown>(id: JobId, definition?: JobDefinition<unknown, Output>): JobHandle<Output> {
    return new LiveHandle<Output>(this, this.#results, id, definition);
  }

  /** Everything about a job; null when it does not exist (any more). */
  async get(id: JobId): Promise<JobDetails | null> {
    const detail = await (await this.#access.open()).getJob(id);
    return detail === null ? null : readDetail(detail);
  }

  /** Where a job stands; null when it does not exist (any more). */
  async state(id: JobId): Promise<JobState | null> {
    return (await (await this.#access.open()).statesOf([id])).get(id) ?? null;
  }

  /**
   * Jobs of one state, newest first, a page at a time: pass the `next` of a page as the `cursor` for the one after it. A
   * page of a filter that few match may have fewer than `limit`; the last one has `next: null`.
   *
   * @throws NS_OPTION_INVALID for a limit outside 1 to 500, a state or a cursor that there is not
   */
  async list(query: JobQuery): Promise<Page<JobSummary>> {
    if (typeof query !== "object" || query === null) {
      const advice = 'Give what to list, { state: "dead", limit: 50 }.';
      throw new NightshiftError("NS_OPTION_INVALID", `list: query is ${show(query)}. ${advice}`);
    }
    return (await this.#access.open()).listJobs(query);
  }

  /**
   * How many jobs are of one state and, if given, of a queue or a name: exact, or `exact: false` for "at least so many".
   *
   * @param filter `upTo` is where counting ends, 1 to 1,000,000. Default: 1,000,000. It also ends after two seconds, and
   * when 100 times `upTo` rows were looked at: a long history does no harm.
   * @throws NS_OPTION_INVALID, and what the store says
   * @example
   * ```ts
   * import { Jobs } from "nightshift";
   *
   * class Alarm {
   *   static readonly inject = [Jobs] as const;
   *   readonly jobs: Jobs;
   *   constructor(jobs: Jobs) {
   *     this.jobs = jobs;
   *   }
   *   async tooManyDead() {
   *     const { count } = await this.jobs.count({ state: "dead", name: "email.welcome", upTo: 100 });
   *     return count === 100;
   *   }
   * }
   * ```
   */
  async count({ upTo = MOST_COUNTED, ...filter }: JobFilter & { readonly upTo?: number }): Promise<JobCount> {
    return (await this.#access.open()).countJobs({ ...filter, upTo });
  }

  /** How many jobs there are, per queue and state. Cheap, whatever the history's length. */
  async counts(): Promise<Counts> {
    return (await this.#access.open()).counts();
  }

  /**
   * Cancels a job: at once while it waits; while it runs, in any process, through its signal.
   *
   * @param reason kept with the job. Default `"cancelled"`.
   * @returns `"cancelled"`; `"requested"` while it runs; `"final"` when it was over; `"missing"`
   */
  cancel(job: JobId, reason?: string): Promise<CancelResult>;
  /** The same for many; gives the results in their order. */
  cancel(jobs: readonly JobId[], reason?: string): Promise<readonly CancelResult[]>;
  async cancel(job: JobId | readonly JobId[], reason = "cancelled"): Promise<CancelResult | readonly CancelResult[]> {
    const store = await this.#access.open();
    if (typeof job !== "string") return store.cancel(job, reason);
    return (await store.cancel([job], reason))[0] ?? "missing";
  }

  /** Makes a job that is over ready again, with one attempt more; false when it is not over or does not exist. */
  retry(job: JobId): Promise<boolean>;
  /** The same for many; gives those it did it to. */
  retry(jobs: readonly JobId[]): Promise<readonly JobId[]>;
  async retry(job: JobId | readonly JobId[]): Promise<boolean | readonly JobId[]> {
    const store = await this.#access.open();
    return typeof job === "string" ? (await store.retry([job])).length > 0 : store.retry(job);
  }

  /** Makes a scheduled job ready now; false when it is not scheduled. */
  runNow(job: JobId): Promise<boolean>;
  /** The same for many; gives those it did it to. */
  runNow(jobs: readonly JobId[]): Promise<readonly JobId[]>;
  async runNow(job: JobId | readonly JobId[]): Promise<boolean | readonly JobId[]> {
    const store = await this.#access.open();
    return typeof job === "string" ? (await store.runNow([job])).length > 0 : store.runNow(job);
  }

  /** Nobody claims from the queue any more, in any process, until it is resumed; running jobs go on. The reason is shown to people. */
  async pauseQueue(queue: string, reason?: string): Promise<void> {
    await (await this.#access.open()).pauseQueue(queue, reason);
  }

  /** Ends the pause, for every process; nothing happens when there is none. */
  async resumeQueue(queue: string): Promise<void> {
    await (await this.#access.open()).resumeQueue(queue);
  }

  /** One sentence on why a job is not running, or what it does instead. */
  async explain(id: JobId): Promise<string> {
    const store = await this.#access.open();
    const job = await store.getJob(id);
    if (job === null) return "No such job exists: its id is wrong, or it is over and was removed after its retention.";
    const [counts, instances, now] = await Promise.all([store.counts(), store.listInstances(), store.now()]);
    return explanation({ job, counts, instances, now });
  }

  /** Lets go of the store. Calls after that reject with NS_STORE_CLOSED. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#results[Symbol.dispose]();
    await this.#access.close();
  }

  #begin(definition: JobDefinition, options: EnqueueJobOptions): JobFrame {
    this.#registry.refuseUnknown(definition);
    if (options !== NO_OPTIONS) {
      const frame = jobFrame(definition, options, this.#maxPayload);
      const { signal } = options;
      if (!signal?.aborted) return frame;
      const message = `enqueue was given up before anything was written: ${messageOf(signal.reason)}`;
      throw new NightshiftError("NS_ABORTED", message, { cause: signal.reason });
    }
    let frame = this.#frames.get(definition);
    if (frame === undefined) {
      frame = jobFrame(definition, options, this.#maxPayload);
      this.#frames.set(definition, frame);
    }
    return frame;
  }

  #write(jobs: readonly NewJob[], { tx }: EnqueueJobOptions): Promise<readonly JobId[]> {
    const store = this.#access.opened;
    if (store !== undefined) {
      return (tx === undefined ? this.#enqueueDirectly(jobs) : undefined) ?? enqueueIn(store, jobs, tx);
    }
    if (tx !== undefined) {
      // Opening takes a turn, in which the caller's transaction may commit: the job would miss it.
      const message =
        "The store is not open yet, so the job would miss the transaction. Await jobs.open() once before.";
      return Promise.reject(new NightshiftError("NS_STORE_CLOSED", message));
    }
    return this.#access.open().then((opened) => enqueueIn(opened, jobs, tx));
  }
}

function enqueueIn(store: Store, jobs: readonly NewJob[], tx: unknown): Promise<readonly JobId[]> {
  const options: EnqueueOptions = tx === undefined ? NO_OPTIONS : { tx };
  return store.enqueue(jobs, options);
}

function first(ids: readonly JobId[]): JobId {
  const id = ids[0];
  if (id === undefined) throw new NightshiftError("NS_STORE_UNSUPPORTED", "The store gave no id for the job.");
  return id;
}

function framed(frame: JobFrame, inputs: readonly string[]): readonly NewJob[] {
  return inputs.map((input) => ({ ...frame, input }));
}

function throwIndexed(error: unknown, index: number): never {
  if (!(error instanceof NightshiftError)) throw error;
  const said = error.message.slice(error.code.length + 2);
  throw new NightshiftError(error.code, `Input ${index} of enqueueMany, so none was written: ${said}`, {
    cause: error,
    details: { ...error.details, index },
  });
}
