/** Jobs as a part of a host: the client in the container, and the engine's parts as hosted services. */
import { type NightshiftError, Problems } from "../errors/index.ts";
import { optionsOf } from "../errors/option-checks.ts";
import type { HostBuilder, HostedService, ServiceOptions } from "../hosting/index.ts";
import { Clock, type Resolver, ScopeFactory, token } from "../services/index.ts";
import type { NewJob, Store } from "../store/contract.ts";
import { Logger } from "../telemetry/index.ts";
import { Jobs } from "./client/jobs.ts";
import { StoreAccess } from "./client/store-access.ts";
import { createEngine, type Engine, instanceName } from "./engine.ts";
import { type JobsOptions, readJobsOptions } from "./engine-options.ts";
import type { JobRegistry } from "./registry.ts";
import type { LoopWatch } from "./upkeep/loop-watch.ts";
import type { Worker } from "./worker/worker.ts";

/** The store of the application's jobs, injected by rooms that build on it. It is open while hosted services run. */
export const JobStore = token<Store>("JobStore");

/** What the builder knows of itself. */
export interface JobsSurroundings {
  /** The application's name. */
  readonly name: string;
  readonly random: () => number;
}

/** What rooms above need when they add to the same application. */
export interface JobsFeature {
  readonly store: Store;
  readonly registry: JobRegistry;
  readonly maxPayload: number;
  /** How this process is called. */
  readonly instance: string;
}

const EngineKey = token<Engine>("JobsEngine");
const AccessKey = token<StoreAccess>("JobsStoreAccess");

/**
 * Adds jobs to an application: registers {@link Jobs} and {@link JobStore}, and the engine as hosted services, in this
 * order: store, instance, promoter, reaper, retention, queues, worker. Mistakes are told at `build()`.
 */
export function addJobsTo(builder: HostBuilder, given: JobsOptions, { name, random }: JobsSurroundings): JobsFeature {
  const problems = new Problems();
  const options = optionsOf(given, "addJobs", problems);
  const read = readJobsOptions(options, problems);
  builder.onBuild((build) => report(problems.found, build.problems));
  const { store } = options;
  const { registry, maxPayload } = read;
  const { services } = builder;
  services.value(JobStore, store);
  let access: StoreAccess | undefined;
  builder.addHealthWarnings("jobs.store", () => warningsOf(access?.opened));
  builder.useLeaderElector(store, { after: "jobs.store" });
  services.singleton(
    AccessKey,
    [Clock, Logger],
    (clock, logger) => (access = new StoreAccess(store, { clock, logger: logger.child({ name: "jobs.store" }) })),
  );
  services.singleton(Jobs, [AccessKey, Clock, EngineKey], (access, clock, { worker }) => {
    const enqueueDirectly = (jobs: readonly NewJob[]) => worker?.enqueueDirectly(jobs);
    return new Jobs({ access, registry, clock, maxPayload, enqueueDirectly });
  });
  services.singleton(EngineKey, [ScopeFactory, Clock, Logger], (scopes, clock, logger) =>
    createEngine({
      store,
      registry,
      scopes,
      clock,
      logger: logger.child({ name: "jobs" }),
      random,
      name,
      options: read,
    }),
  );
  for (const definition of registry.definitions) {
    // Never made: it puts what the handler needs into the graph that build() checks.
    services.scoped(token(`job ${definition.name}`), definition.inject, () => undefined);
  }
  const part = (named: string, service: (engine: Engine) => HostedService, also: ServiceOptions = {}): void => {
    const made = (resolver: Resolver) => service(resolver.get(EngineKey));
    builder.addHostedService(made, { name: `jobs.${named}`, ...also });
  };
  builder.addHostedService((resolver: Resolver) => storeService(resolver.get(AccessKey)), { name: "jobs.store" });
  // Not ready when no sign of life has reached the store for as long as its leases live.
  const instance = ({ session }: Engine): HostedService => ({
    start: (signal, { beat }) => session.start(beat, signal),
    stop: () => session.stop(),
  });
  part("instance", instance, { heartbeat: read.leaseTtl });
  part("promoter", ({ promoter }) => ({ start: () => promoter.start(), stop: () => promoter.stop() }));
  part("reaper", ({ reaper }) => ({ start: () => reaper.start(), stop: () => reaper.stop() }));
  part("retention", ({ retention }) => ({ start: () => retention.start(), stop: () => retention.stop() }));
  if (read.queues.length > 0) {
    part("queues", ({ queueWatch }) => ({ start: () => queueWatch.start(), stop: () => queueWatch.stop() }));
    const run = ({ worker, loopWatch }: Engine) => worker && new WorkerService(worker, loopWatch);
    part("worker", (engine) => run(engine) ?? NOTHING, { daemon: true });
  }
  return { store, registry, maxPayload, instance: instanceName(name, read) };
}

const NOTHING: HostedService = { start: () => undefined, stop: () => undefined };

/** Open before any service starts, closed after every service has stopped: whoever serves requests may enqueue all the while. */
function storeService(access: StoreAccess): HostedService {
  return {
    async starting(signal) {
      try {
        await access.open(signal);
      } catch (error) {
        signal.throwIfAborted(); // it gave up since it was asked to, which is no failure
        throw error;
      }
    },
    start: () => undefined,
    stop: () => undefined,
    stopped: () => access.close(),
  };
}

/** What the store finds wrong with itself is told while it is open; that it cannot be opened, its service tells. */
async function warningsOf(store: Store | undefined): Promise<readonly string[]> {
  return store === undefined ? [] : (await store.findings()).map(({ message }) => message);
}

/** The worker's life in the host: it claims when every service has started, and stops claiming before any is stopped. */
class WorkerService implements HostedService {
  readonly execution: Promise<void>;
  readonly #worker: Worker;
  readonly #loopWatch: LoopWatch;
  readonly #begun = Promise.withResolvers<boolean>();

  constructor(worker: Worker, loopWatch: LoopWatch) {
    this.#worker = worker;
    this.#loopWatch = loopWatch;
    this.execution = this.#begun.promise.then((begun) => (begun ? worker.run() : undefined));
  }

  start(): void {
    this.#worker.prepare();
  }

  started(): void {
    this.#loopWatch.start();
    this.#begun.resolve(true);
  }

  stopping(): void {
    this.#worker.stopClaiming();
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#begun.resolve(false);
    await this.#worker.stop(signal);
    this.#loopWatch.stop();
  }
}

function report(found: readonly NightshiftError[], to: Problems): void {
  for (const problem of found) {
    to.attempt(() => {
      throw problem;
    });
  }
}
