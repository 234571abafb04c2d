/** Schedules as a part of a host: what code declares, the client in the container, and the scheduler as a hosted service. */
import { Problems, show } from "../errors/index.ts";
import type { HostBuilder } from "../hosting/index.ts";
import { encodeInput, type JobDefinition, JobStore, Jobs, type JobsFeature } from "../jobs/index.ts";
import { Clock, type Resolver } from "../services/index.ts";
import type { Store } from "../store/contract.ts";
import { Logger } from "../telemetry/index.ts";
import { Declarations } from "./declarations.ts";
import { inContext, withContext } from "./in-context.ts";
import type { ScheduleOptions } from "./options.ts";
import { type ReadSchedule, readSchedule } from "./read-options.ts";
import type { Declared } from "./reconcile.ts";
import { Scheduler } from "./scheduler.ts";
import { Schedules } from "./schedules.ts";
import type { StoreSource } from "./store-source.ts";

/** What the builder knows of itself. */
export interface SchedulesSurroundings {
  /** The application's name. */
  readonly name: string;
  readonly random: () => number;
}

/** A schedule that was declared, and its input as JSON text: a promise where the job's schema is asynchronous. */
type Checked = Omit<Declared, "spec"> & {
  readonly spec: ReadSchedule["spec"];
  readonly input: string | Promise<string>;
};

/** The schedules that an application's code declares, collected by its builder. */
export class DeclaredSchedules {
  readonly #given: unknown[] = [];

  add<D extends JobDefinition>(options: ScheduleOptions<D>): void {
    this.#given.push(options);
  }

  get size(): number {
    return this.#given.length;
  }

  /** Reads them all; what is wrong is added to `problems`. */
  read({ registry, maxPayload }: JobsFeature, problems: Problems): readonly Checked[] {
    const seen = new Set<string>();
    return this.#given.flatMap((options) => {
      const read = readSchedule(options, problems);
      if (read === undefined) return [];
      const { id, group, job, paused, spec } = read;
      if (seen.has(id)) {
        const message = `Two schedules have the id ${show(id)}. Give each an id of its own.`;
        problems.add("NS_SCHEDULE_DUPLICATE", message);
      }
      seen.add(id);
      const input = problems.attempt(() =>
        encodeFor(id, () => {
          registry.refuseUnknown(job);
          return encodeInput(job, read.input, maxPayload);
        }),
      );
      return input === undefined ? [] : [{ id, group, job: job.name, paused, spec, input }];
    });
  }
}

/**
 * Adds schedules to an application that has jobs: registers {@link Schedules}, and the scheduler as a hosted service.
 * Call it once; schedules may be declared before and after. Mistakes are told at `build()`.
 */
export function addSchedulesTo(
  builder: HostBuilder,
  declared: DeclaredSchedules,
  jobs: JobsFeature,
  { name, random }: SchedulesSurroundings,
): void {
  const { registry, maxPayload, instance: by } = jobs;
  const { services } = builder;
  let checked: readonly Checked[] = [];
  builder.onBuild((build) => void (checked = declared.read(jobs, build.problems)));
  services.singleton(Schedules, [Jobs, JobStore], (client, store) => {
    return new Schedules({ source: sourceOf(client, store), registry, jobs: client, maxPayload, by });
  });
  services.singleton(Scheduler, [Jobs, JobStore, Clock, Logger], (client, store, clock, logger) => {
    const log = logger.child({ name: "schedules" });
    const declarations = new Declarations({ app: name, by, logger: log, declared: () => encoded(checked) });
    const definitionOf = (job: string) => registry.get(job);
    return new Scheduler({
      source: sourceOf(client, store),
      definitionOf,
      declarations,
      clock,
      logger: log,
      by,
      random,
    });
  });
  builder.addHostedService((resolver: Resolver) => resolver.get(Scheduler), {
    name: "jobs.scheduler",
    daemon: true,
    // It looks several times a minute; without a look for that long, the store is out of reach.
    heartbeat: "1m",
  });
}

function sourceOf(jobs: Jobs, store: Store): StoreSource {
  return {
    async open() {
      await jobs.open();
      return store;
    },
  };
}

async function encoded(checked: readonly Checked[]): Promise<readonly Declared[]> {
  const problems = new Problems();
  const declared: Declared[] = [];
  for (const { input, spec, ...rest } of checked) {
    try {
      declared.push({ ...rest, spec: { ...spec, input: await input } });
    } catch (error) {
      problems.attempt(() => {
        throw error;
      });
    }
  }
  problems.throwIfAny("The schedules");
  return declared;
}

/** Which schedule's input is wrong: the job's own message does not know. */
function encodeFor(id: string, encode: () => string | Promise<string>): string | Promise<string> {
  const what = `Schedule ${show(id)}`;
  const text = inContext(what, encode);
  if (typeof text === "string") return text;
  const told = text.catch((error: unknown) => {
    throw withContext(what, error);
  });
  // Awaited at the start; until then a refusal must not count as unhandled.
  told.catch(() => undefined);
  return told;
}
