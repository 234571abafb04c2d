/** Schedules without a host: for a process that manages them and fires none. */
import { hostname } from "node:os";
import { Problems } from "../errors/index.ts";
import { readClientOptions } from "../jobs/engine-options.ts";
import { type CreateJobsOptions, createJobs, type Jobs } from "../jobs/index.ts";
import { Schedules, type SchedulesParts } from "./schedules.ts";

/** A client of its own store: dispose it to close the store. */
export class StandaloneSchedules extends Schedules implements AsyncDisposable {
  readonly #jobs: Jobs;

  /** Made by {@link createSchedules}. */
  constructor(parts: SchedulesParts) {
    super(parts);
    this.#jobs = parts.jobs;
  }

  /** Lets go of the store. Calls after that reject with NS_STORE_CLOSED. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#jobs[Symbol.asyncDispose]();
  }
}

/**
 * A client for a process that creates and manages schedules; processes with a host fire them. It opens the store with
 * the first call.
 *
 * @throws NS_BUILD_INVALID listing everything wrong with the options and the definitions, or the single problem itself
 * @example
 * ```ts
 * import { createSchedules, cron, defineJob, unchecked } from "nightshift";
 * import { sqlite } from "nightshift/sqlite";
 *
 * const report = defineJob({ name: "report", input: unchecked<{ customer: string }>(), run: () => undefined });
 *
 * await using schedules = createSchedules({ store: sqlite("shop.db"), jobs: [report] });
 * await schedules.create({ id: "report:42", trigger: cron("0 7 * * MON"), job: report, input: { customer: "42" } });
 * ```
 */
export function createSchedules(options: CreateJobsOptions): StandaloneSchedules {
  const jobs = createJobs(options);
  const { registry, maxPayload } = readClientOptions(options, "createSchedules", new Problems());
  const { store } = options;
  const source = {
    async open() {
      await jobs.open();
      return store;
    },
  };
  return new StandaloneSchedules({ source, registry, jobs, maxPayload, by: `client@${hostname()}` });
}
