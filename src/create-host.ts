/** The way in: the builder and the host with everything that an application may want. The rooms do the work; this names it. */
import { type AddDashboardOptions, addDashboardTo } from "./dashboard/index.ts";
import { NightshiftError } from "./errors/index.ts";
import {
  type BackgroundQueue,
  type BackgroundQueueOptions,
  type Build,
  Host,
  HostBuilder,
  type HostOptions,
  type WorkItem,
} from "./hosting/index.ts";
import {
  addJobsTo,
  type DurableQueueOptions,
  handOverJob,
  handOverTo,
  type JobDefinition,
  JobStore,
  Jobs,
  type JobsFeature,
  type JobsOptions,
} from "./jobs/index.ts";
import { addSchedulesTo, DeclaredSchedules, type ScheduleOptions, Schedules } from "./scheduling/index.ts";
import type { Dependency } from "./services/index.ts";

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
  #handsOver = false;
  #hasDashboard = false;
  #application: Application | undefined;

  constructor(options: HostOptions = {}) {
    super(options);
    // What is no object, or not what it should be, is told by build().
    const { name, random } = (options ?? {}) as HostOptions;
    this.#name = typeof name === "string" ? name : "app";
    this.#random = typeof random === "function" ? random : Math.random;
    this.onBuild((build) => this.#jobs === undefined && this.#refuseWithoutJobs(build));
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
   * Adds a bounded queue in memory, and the service that works on it. With `onStop: "hand-over"` and a job definition as
   * `handOver`, what is left at the stop becomes jobs, and is worked on after the next start or by another process.
   *
   * @example
   * ```ts
   * import { createHost, defineJob, unchecked } from "nightshift";
   * import { memory } from "nightshift/memory";
   *
   * const shrink = async (file: string) => console.log(`shrinking ${file}`);
   * const shrinkLater = defineJob({ name: "shrink", input: unchecked<string>(), run: shrink });
   *
   * const builder = createHost();
   * builder.addJobs({ store: memory(), jobs: [shrinkLater] });
   * const photos = builder.addBackgroundQueue({ run: shrink, onStop: "hand-over", handOver: shrinkLater });
   * await photos.enqueue("cat.png");
   * ```
   */
  override addBackgroundQueue<T = WorkItem, const D extends readonly Dependency[] = []>(
    options: DurableQueueOptions<T, D> = {},
  ): BackgroundQueue<T> {
    const definition = handOverJob<T>(options?.handOver);
    if (definition === undefined) return super.addBackgroundQueue(options as BackgroundQueueOptions<T, D>);
    this.#handsOver = true;
    this.onBuild(({ problems }) => problems.attempt(() => this.#jobs?.registry.refuseUnknown(definition)));
    return super.addBackgroundQueue({ ...options, handOver: handOverTo(definition) } as BackgroundQueueOptions<T, D>);
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
    this.#hasDashboard = true;
    addDashboardTo(this, options, {
      name: this.#name,
      snapshot: () => this.#application?.snapshot(),
      registry: () => this.#jobs?.registry,
    });
    return this;
  }

  override build(): Application {
    return (this.#application = new Application(this.assemble(), this.#jobs !== undefined));
  }

  /** One cause, one problem: whatever needs jobs, they are missing once. */
  #refuseWithoutJobs({ problems, services }: Build): void {
    const { size } = this.#schedules;
    const needs = [
      ...(size === 0 ? [] : [size === 1 ? "a schedule" : `${size} schedules`]),
      ...(this.#handsOver ? ["a queue that hands over to jobs"] : []),
      // A store by itself is enough to be looked at.
      ...(this.#hasDashboard && !services.has(JobStore) ? ["a dashboard"] : []),
    ];
    if (needs.length === 0) return;
    const message = `This application has ${needs.join(" and ")}, and no jobs. Call addJobs({ store, jobs }) as well.`;
    problems.add("NS_OPTION_INVALID", message);
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
