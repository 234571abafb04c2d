/** The way in: the builder and the host with everything that an application may want. The rooms do the work; this names it. */
import { type AddDashboardOptions, addDashboardTo } from "./dashboard/index.ts";
import { NightshiftError } from "./errors/index.ts";
import { Host, HostBuilder, type HostOptions } from "./hosting/index.ts";
import { addJobsTo, type JobDefinition, Jobs, type JobsFeature, type JobsOptions } from "./jobs/index.ts";
import {
  addSchedulesTo,
  DeclaredSchedules,
  refuseSchedules,
  type ScheduleOptions,
  Schedules,
} from "./scheduling/index.ts";

/**
 * Begins an application.
 *
 * @throws nothing yet: what is wrong with the options is told by `build()`, together with everything else
 * @example
 * ```ts
 * import { createHost } from "nightshift";
 *
 * const builder = createHost({ name: "shop", shutdownTimeout: "20s" });
 * await using host = builder.build();
 * ```
 */
export function createHost(options: HostOptions = {}): ApplicationBuilder {
  return new ApplicationBuilder(options);
}

/** Puts an application together: services, hosted services, jobs, schedules, the dashboard. Everything is checked at `build()`. */
export class ApplicationBuilder extends HostBuilder {
  readonly #name: string;
  readonly #random: () => number;
  readonly #schedules = new DeclaredSchedules();
  #jobs: JobsFeature | undefined;
  #application: Application | undefined;

  constructor(options: HostOptions = {}) {
    super(options);
    this.#name = options.name ?? "app";
    this.#random = options.random ?? Math.random;
    this.onBuild((build) => this.#jobs === undefined && refuseSchedules(this.#schedules, build));
  }

  /**
   * Adds jobs: a client (`host.jobs`, and {@link Jobs} for services to inject), and everything that runs them, as
   * hosted services.
   *
   * @example
   * ```ts
   * import { createHost, defineJob } from "nightshift";
   * import { memory } from "nightshift/memory";
   *
   * const greet = defineJob({ name: "greet", run: (_input, job) => job.logger.info("hello") });
   *
   * const builder = createHost({ name: "shop" });
   * builder.addJobs({ store: memory(), jobs: [greet], concurrency: 20 });
   * await using host = builder.build();
   * await host.start();
   * await host.jobs.enqueue(greet);
   * await host.stop();
   * ```
   */
  addJobs(options: JobsOptions): this {
    if (this.#jobs !== undefined) {
      return this.onBuild(({ problems }) => {
        const message = "addJobs was called twice. An application has one store: give all definitions to one call.";
        problems.add("NS_OPTION_INVALID", message);
      });
    }
    const around = { name: this.#name, random: this.#random };
    this.#jobs = addJobsTo(this, options, around);
    addSchedulesTo(this, this.#schedules, this.#jobs, around);
    return this;
  }

  /**
   * Declares a schedule. It is kept in the store: the next start adds, changes and removes what the code says, and each
   * occurrence makes one job, however many processes run.
   *
   * @example
   * ```ts
   * import { createHost, cron, defineJob } from "nightshift";
   * import { memory } from "nightshift/memory";
   *
   * const cleanUp = defineJob({ name: "clean-up", run: (_input, job) => job.logger.info("cleaning") });
   *
   * const builder = createHost({ name: "shop" });
   * builder.addJobs({ store: memory(), jobs: [cleanUp] });
   * const trigger = cron("0 3 * * *", { timeZone: "Europe/Oslo" });
   * builder.addSchedule({ id: "clean-up", trigger, job: cleanUp, misfire: "run-once" });
   * ```
   */
  addSchedule<D extends JobDefinition>(options: ScheduleOptions<D>): this {
    this.#schedules.add(options);
    return this;
  }

  /**
   * Adds the dashboard: on a port of its own, or without one, to be mounted in the application's own server with the
   * `Dashboard` of `nightshift/dashboard`. Only this machine may use it, unless `authorize` says otherwise.
   *
   * @example
   * ```ts
   * import { createHost } from "nightshift";
   * import { memory } from "nightshift/memory";
   *
   * const builder = createHost({ name: "shop" });
   * builder.addJobs({ store: memory(), jobs: [] });
   * builder.addDashboard({ port: 3000, path: "/jobs" }); // http://127.0.0.1:3000/jobs/
   * ```
   */
  addDashboard(options: AddDashboardOptions = {}): this {
    addDashboardTo(this, options, { name: this.#name, snapshot: () => this.#application?.snapshot() });
    return this;
  }

  override build(): Application {
    return (this.#application = new Application(this.assemble(), this.#jobs !== undefined));
  }
}

/** A host with what the application added to it. */
export class Application extends Host {
  readonly #hasJobs: boolean;

  /** Made by {@link ApplicationBuilder.build}. */
  constructor(parts: ConstructorParameters<typeof Host>[0], hasJobs: boolean) {
    super(parts);
    this.#hasJobs = hasJobs;
  }

  /**
   * The client of the application's jobs.
   *
   * @throws NS_HOST_STATE when the builder's `addJobs` was not called
   */
  get jobs(): Jobs {
    if (this.#hasJobs) return this.services.get(Jobs);
    throw noJobs();
  }

  /**
   * The client of the application's schedules.
   *
   * @throws NS_HOST_STATE when the builder's `addJobs` was not called
   */
  get schedules(): Schedules {
    if (this.#hasJobs) return this.services.get(Schedules);
    throw noJobs();
  }
}

function noJobs(): NightshiftError {
  return new NightshiftError("NS_HOST_STATE", "This host has no jobs. Call addJobs({ store, jobs }) on its builder.");
}
