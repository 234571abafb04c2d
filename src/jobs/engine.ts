/** Everything that runs jobs in one process, put together. The host starts and stops the parts; this only makes them. */
import { hostname } from "node:os";
import type { ScopeFactory } from "../services/index.ts";
import type { Serving, Store } from "../store/contract.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import type { Clock } from "../time/index.ts";
import type { EngineOptions } from "./engine-options.ts";
import { Outages } from "./outages.ts";
import type { JobRegistry } from "./registry.ts";
import { unbreakable } from "./unbreakable.ts";
import { LoopWatch } from "./upkeep/loop-watch.ts";
import { Promoter } from "./upkeep/promoter.ts";
import { QueueWatch } from "./upkeep/queue-watch.ts";
import { Reaper } from "./upkeep/reaper.ts";
import { Retention } from "./upkeep/retention.ts";
import { Session } from "./upkeep/session.ts";
import { VERSION } from "./version.ts";
import { Worker } from "./worker/worker.ts";

/** What an engine is made of. */
export interface EngineParts {
  readonly store: Store;
  readonly registry: JobRegistry;
  readonly scopes: ScopeFactory;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly random: () => number;
  /** The application's name. */
  readonly name: string;
  readonly options: EngineOptions;
}

/** The parts, in the order in which they start. */
export interface Engine {
  readonly session: Session;
  readonly promoter: Promoter;
  readonly reaper: Reaper;
  readonly retention: Retention;
  readonly queueWatch: QueueWatch;
  readonly loopWatch: LoopWatch;
  /** None when no queue is served. */
  readonly worker: Worker | undefined;
}

export function createEngine(parts: EngineParts): Engine {
  const { store, registry, options, name } = parts;
  const logger = unbreakable(parts.logger);
  const outages = new Outages(parts.clock, logger);
  const loop = { clock: parts.clock, random: parts.random, logger, outages };
  const about = {
    name: instanceName(name, options),
    host: hostname(),
    pid: process.pid,
    version: VERSION,
    queues: options.queues.map(({ queue }) => queue),
    names: [...registry.names],
    concurrency: options.queues.length === 0 ? 0 : options.concurrency,
  };
  const session = new Session(store, about, options.leaseTtl, loop);
  const worker =
    options.queues.length === 0
      ? undefined
      : new Worker({ ...parts, logger, outages, session, maxPayload: options.maxPayload });
  const served: Serving = { names: registry.names, queues: new Set(about.queues) };
  const serving = () => (worker?.hasFreeSlot ? served : NOTHING);
  return {
    session,
    promoter: new Promoter(store, serving, loop),
    reaper: new Reaper(store, options.leaseTtl, loop, () => session.isOverdue),
    retention: new Retention(store, options.retention, loop),
    queueWatch: new QueueWatch(store, served, loop),
    loopWatch: new LoopWatch({ logger, atWork: () => worker?.atWork() ?? [], leaseTtl: options.leaseTtl }),
    worker,
  };
}

const NOTHING: Serving = { names: new Set(), queues: new Set() };

/** How this process is called in the store, in histories and on the dashboard. */
export function instanceName(application: string, options: EngineOptions): string {
  return options.instanceName ?? `${application}@${hostname()}`;
}
