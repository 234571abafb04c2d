/** An engine and a client on one store, without a host: for tests of the engine itself, on virtual time. */

import { Problems } from "../../../src/errors/index.ts";
import { Jobs } from "../../../src/jobs/client/jobs.ts";
import { StoreAccess } from "../../../src/jobs/client/store-access.ts";
import { createEngine, type Engine } from "../../../src/jobs/engine.ts";
import { type JobsOptions, readJobsOptions } from "../../../src/jobs/engine-options.ts";
import { Services } from "../../../src/services/index.ts";
import type { Store } from "../../../src/store/contract.ts";
import { memory } from "../../../src/store/memory/index.ts";
import { type CapturingLogger, capturingLogger, type LoggerLike } from "../../../src/telemetry/index.ts";
import { VirtualClock } from "../../../src/time/index.ts";

export interface TestEngine extends AsyncDisposable {
  readonly jobs: Jobs;
  readonly engine: Engine;
  readonly store: Store;
  readonly clock: VirtualClock;
  readonly logger: CapturingLogger;
  /** Stops the worker the graceful way; time must be moved meanwhile. */
  stop(signal?: AbortSignal): Promise<void>;
}

export interface TestEngineOptions extends Omit<JobsOptions, "store"> {
  readonly store?: Store;
  readonly clock?: VirtualClock;
  readonly services?: Services;
  /** Default: one that captures. */
  readonly logger?: LoggerLike;
}

export async function startEngine({
  clock = new VirtualClock(),
  store = memory(),
  services = new Services(),
  logger: given,
  ...options
}: TestEngineOptions): Promise<TestEngine> {
  const problems = new Problems();
  const read = readJobsOptions({ store, ...options }, problems);
  problems.throwIfAny("addJobs");
  const logger = capturingLogger();
  const used = given ?? logger;
  const access = new StoreAccess(store, { clock, logger: used });
  await access.open();
  const container = services.build();
  const parts = {
    store,
    registry: read.registry,
    scopes: container,
    clock,
    logger: used,
    random: () => 0.5,
    name: "test",
  };
  const engine = createEngine({ ...parts, options: read });
  await engine.session.start();
  engine.worker?.prepare();
  void engine.worker?.run();
  engine.promoter.start();
  engine.reaper.start();
  engine.retention.start();
  let stopped: Promise<void> | undefined;
  const stop = async (signal = new AbortController().signal) => {
    await engine.worker?.stop(signal);
    await engine.retention.stop();
    await engine.reaper.stop();
    await engine.promoter.stop();
    await engine.session.stop();
  };
  const jobs = new Jobs({
    ...{ access, registry: read.registry, clock, maxPayload: read.maxPayload },
    enqueueDirectly: (given) => engine.worker?.enqueueDirectly(given),
  });
  return {
    jobs,
    engine,
    store,
    clock,
    logger,
    stop: (signal) => (stopped ??= stop(signal)),
    async [Symbol.asyncDispose]() {
      await (stopped ??= stop(AbortSignal.abort()));
      await jobs[Symbol.asyncDispose]();
      await container[Symbol.asyncDispose]();
    },
  };
}
