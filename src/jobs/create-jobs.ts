/** Jobs without a host: for a process that only enqueues. */
import { NightshiftError, Problems } from "../errors/index.ts";
import { hasMethods } from "../errors/option-checks.ts";
import { LOGGER_METHODS, type LoggerLike, silentLogger } from "../telemetry/index.ts";
import { type Clock, systemClock } from "../time/index.ts";
import { Jobs } from "./client/jobs.ts";
import { StoreAccess } from "./client/store-access.ts";
import { CLIENT_OPTIONS, type ClientOptions, readClientOptions } from "./engine-options.ts";

const CLOCK_METHODS: readonly string[] = ["now", "monotonic", "setTimer"];

/** Options of {@link createJobs}. */
export interface CreateJobsOptions extends ClientOptions {
  /** A pino-compatible logger for what the store has to say. Default: silent. */
  readonly logger?: LoggerLike;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

/**
 * A client for a process that enqueues jobs and does not run them. It opens the store with the first call; dispose it
 * to close the store.
 *
 * @throws NS_BUILD_INVALID listing everything wrong with the options and the definitions, or the single problem itself
 * @example
 * ```ts
 * import { createJobs, defineJob, unchecked } from "nightshift";
 * import { memory } from "nightshift/memory";
 *
 * const greet = defineJob({ name: "greet", input: unchecked<{ name: string }>(), run: () => undefined });
 *
 * await using jobs = createJobs({ store: memory(), jobs: [greet] });
 * await jobs.enqueue(greet, { name: "Ada" });
 * ```
 */
export function createJobs(options: CreateJobsOptions): Jobs {
  const problems = new Problems();
  if (typeof options !== "object" || options === null) {
    throw new NightshiftError("NS_OPTION_INVALID", "createJobs() was called without options. Give { store, jobs }.");
  }
  problems.unknownOptions("createJobs", options, [...CLIENT_OPTIONS, "logger", "clock"]);
  const { registry, maxPayload } = readClientOptions(options, "createJobs", problems);
  const { store, logger = silentLogger, clock = systemClock } = options;
  hasMethods(
    logger,
    LOGGER_METHODS,
    "createJobs: logger",
    "Give a pino-compatible logger, or consoleLogger().",
    problems,
  );
  hasMethods(clock, CLOCK_METHODS, "createJobs: clock", "Give systemClock, or the VirtualClock of a test.", problems);
  problems.throwIfAny("createJobs");
  return new Jobs({ access: new StoreAccess(store, { clock, logger }), registry, clock, maxPayload });
}
