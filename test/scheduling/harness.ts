/** A store in memory on virtual time, a client, and as many schedulers as a test asks for. */
import { Problems } from "../../src/errors/index.ts";
import { StoreAccess } from "../../src/jobs/client/store-access.ts";
import { defineJob, encodeInput, type JobDefinition, Jobs, unchecked } from "../../src/jobs/index.ts";
import { JobRegistry } from "../../src/jobs/registry.ts";
import { Declarations } from "../../src/scheduling/declarations.ts";
import type { ScheduleOptions } from "../../src/scheduling/options.ts";
import { readSchedule } from "../../src/scheduling/read-options.ts";
import type { Declared } from "../../src/scheduling/reconcile.ts";
import { Scheduler, type SchedulerTiming } from "../../src/scheduling/scheduler.ts";
import { Schedules } from "../../src/scheduling/schedules.ts";
import type { InstanceId, Store, StoredOccurrence } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { type CapturingLogger, capturingLogger } from "../../src/telemetry/index.ts";
import { type Clock, VirtualClock } from "../../src/time/index.ts";

export const tick = defineJob({ name: "tick", run: () => undefined });
export const greet = defineJob({
  name: "greet",
  input: unchecked<{ name: string }>(),
  queue: "mail",
  run: () => undefined,
});
export const START = "2026-01-01T00:00:00Z";

export interface World extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly access: StoreAccess;
  readonly schedules: Schedules;
  readonly jobs: Jobs;
  readonly logger: CapturingLogger;
  /** Starts another scheduler; stop it with the function returned. */
  scheduler(options?: SchedulerOptions): Promise<() => Promise<void>>;
  history(id: string): Promise<StoredOccurrence[]>;
  /** Claims every job that is ready; each is running until `finish`ed. */
  claim(): Promise<string[]>;
  finish(): Promise<void>;
}

export interface SchedulerOptions {
  readonly app?: string;
  readonly by?: string;
  readonly declared?: readonly unknown[];
  readonly timing?: Partial<SchedulerTiming>;
  readonly store?: Store;
  readonly clock?: Clock;
}

export function declaredOf(options: readonly unknown[]): readonly Declared[] {
  const problems = new Problems();
  const read = options.map((each) => readSchedule(each, problems));
  problems.throwIfAny("The declarations");
  return read.flatMap((each) => {
    if (each === undefined) return [];
    const { id, group, job, paused, input } = each;
    const text = encodeInput(job, input, 1e6);
    if (typeof text !== "string") throw new TypeError("not synchronous");
    return [{ id, group, job: job.name, paused, spec: { ...each.spec, input: text } }];
  });
}

export function declare<D extends JobDefinition>(options: ScheduleOptions<D>): ScheduleOptions<D> {
  return options;
}

export async function world(
  definitions: readonly JobDefinition[] = [tick, greet],
  store: Store = memory(),
): Promise<World> {
  const clock = new VirtualClock({ start: START });
  const logger = capturingLogger();
  const access = new StoreAccess(store, { clock, logger });
  await access.open();
  const registry = new JobRegistry(definitions, new Problems());
  const jobs = new Jobs({ access, registry, clock, maxPayload: 1e6 });
  const schedules = new Schedules({ source: access, registry, jobs, maxPayload: 1e6, by: "client" });
  const stops: (() => Promise<void>)[] = [];
  let instance: InstanceId | undefined;
  const leases: { id: string; jobs: readonly { id: string }[] }[] = [];
  const about = { name: "w", host: "h", pid: 1, version: "0", queues: ["default", "mail"], names: [], concurrency: 1 };
  return {
    clock,
    store,
    access,
    schedules,
    jobs,
    logger,
    async scheduler({ app = "shop", by = "a", declared = [], timing, store: other, clock: own } = {}) {
      const through = other === undefined ? access : new StoreAccess(other, { clock, logger });
      const declarations = new Declarations({ app, by, logger, declared: async () => declaredOf(declared) });
      const scheduler = new Scheduler({
        ...{ source: through, declarations, clock: own ?? clock, logger, by, random: () => 0.5 },
        definitionOf: (name) => registry.get(name),
        ...(timing === undefined ? {} : { timing }),
      });
      await scheduler.start(new AbortController().signal);
      // let it make its first round
      await clock.advance(0);
      let stopped = false;
      const stop = async () => {
        if (stopped) return;
        stopped = true;
        await scheduler.stop(new AbortController().signal);
        await scheduler.execution;
      };
      stops.push(stop);
      return stop;
    },
    async history(id) {
      return [...(await store.listOccurrences(id, { limit: 500 })).items].reverse();
    },
    async claim() {
      instance ??= await store.register(about, 1e12);
      const wants = about.queues.map((queue) => ({ queue, limit: 1_000 }));
      const claimed = await store.claim(instance, { wants, names: new Set(definitions.map(({ name }) => name)) });
      leases.push(...claimed);
      return claimed.flatMap((lease) => lease.jobs.map(({ id }) => id));
    },
    async finish() {
      if (instance === undefined) return;
      const settlements = leases.map(({ id, jobs: claimed }) => ({
        lease: id,
        outcomes: claimed.map(({ id: job }) => ({ job, type: "succeeded" as const, ms: 1 })),
      }));
      leases.length = 0;
      await store.settle(instance, settlements);
    },
    async [Symbol.asyncDispose]() {
      for (const stop of stops) await stop();
      await jobs[Symbol.asyncDispose]();
    },
  };
}
