/** The way in: the builder and the host with everything that an application may want. The rooms do the work; this names it. */
import { NightshiftError } from "./errors/index.ts";
import { Host, HostBuilder, type HostOptions } from "./hosting/index.ts";
import { addJobsTo, Jobs, type JobsFeature, type JobsOptions } from "./jobs/index.ts";

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
  #jobs: JobsFeature | undefined;

  constructor(options: HostOptions = {}) {
    super(options);
    this.#name = options.name ?? "app";
    this.#random = options.random ?? Math.random;
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
    this.#jobs = addJobsTo(this, options, { name: this.#name, random: this.#random });
    return this;
  }

  override build(): Application {
    return new Application(this.assemble(), this.#jobs !== undefined);
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
    throw new NightshiftError("NS_HOST_STATE", "This host has no jobs. Call addJobs({ store, jobs }) on its builder.");
  }
}
