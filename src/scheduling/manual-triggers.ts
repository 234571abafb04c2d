/** A job of a schedule at once, because somebody asked: an occurrence beside the planned ones. */
import { NightshiftError, show } from "../errors/index.ts";
import { encodeInput, type InputOf, type JobDefinition, type JobHandle } from "../jobs/index.ts";
import { staleSchedule, TRIES } from "./contention.ts";
import { occurrenceJob } from "./occurrence-job.ts";
import type { Reader } from "./readable.ts";
import type { SchedulesParts } from "./schedules.ts";

/** What a manual trigger may say. */
export interface TriggerOptions<D extends JobDefinition> {
  readonly input?: InputOf<D>;
}

/** Triggers schedules, of one schedule one after the other. */
export class ManualTriggers {
  readonly #parts: SchedulesParts;
  readonly #reader: Reader;
  /** The latest trigger of each schedule, while it is under way; gives its moment. */
  readonly #underWay = new Map<string, Promise<number>>();

  constructor(parts: SchedulesParts, reader: Reader) {
    this.#parts = parts;
    this.#reader = reader;
  }

  async make<D extends JobDefinition>(id: string, options: TriggerOptions<D>): Promise<JobHandle> {
    // One after the other: each moves the schedule's revision, so of many at once all but one would have to try again.
    const before = this.#underWay.get(id) ?? Promise.resolve(Number.NEGATIVE_INFINITY);
    const made = before.then((last) => this.#fire(id, options, last));
    const over = made.then(
      ({ at }) => at,
      () => before,
    );
    this.#underWay.set(id, over);
    try {
      return (await made).handle;
    } finally {
      if (this.#underWay.get(id) === over) this.#underWay.delete(id);
    }
  }

  /** @param last the moment of the trigger before, which is taken */
  async #fire<D extends JobDefinition>(
    id: string,
    options: TriggerOptions<D>,
    last: number,
  ): Promise<{ readonly handle: JobHandle; readonly at: number }> {
    const { registry, maxPayload, jobs, by } = this.#parts;
    const store = await this.#parts.source.open();
    for (let turn = 0; turn < TRIES; turn++) {
      const { stored, spec } = await this.#reader.find(store, id);
      const definition = registry.get(stored.job);
      if (definition === undefined && options.input !== undefined) {
        const message = `Job ${show(stored.job)} is not registered in this process, so its input cannot be checked.`;
        throw new NightshiftError("NS_JOB_UNKNOWN", message);
      }
      const input =
        definition === undefined || options.input === undefined
          ? spec.input
          : await encodeInput(definition, options.input, maxPayload);
      const now = await store.now();
      // Planned times are whole seconds nearly always: a moment beside them never takes an occurrence's place.
      const free = Math.max(now, last + 1) + turn;
      const at = free % 1_000 === 0 ? free + 1 : free;
      const job = occurrenceJob({ schedule: id, name: stored.job, spec, definition, at, now, manual: { input } });
      const fire = { schedule: id, revision: stored.revision, nextAt: stored.nextAt };
      const [fired] = await store.fire([{ ...fire, occurrences: [{ at, what: "manual", job: { ...job } }] }], by);
      const made = fired?.stale === false ? fired.jobs[0] : undefined;
      if (made) return { handle: jobs.handle(made, definition), at };
    }
    throw staleSchedule(id);
  }
}
