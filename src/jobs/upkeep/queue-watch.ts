/** Says in the log what keeps this process's queues from being worked though it is there: a pause, or names that nobody knows. */
import { NightshiftError } from "../../errors/index.ts";
import type { QueueCounts, Serving, Store } from "../../store/contract.ts";
import { formatDuration } from "../../time/index.ts";
import { Routine, type RoutineParts } from "./routine.ts";

/** The first look, after the first claims: they park what nobody here knows. */
const SOON = 1_500;
/** Two statements, for each process: seldom, as an idle worker asks for less than one a second. */
const EVERY = 300_000;
/** Counting a store in which much waits may take long: at most so small a part of the time goes to it. */
const SHARE = 1_000;
/** So many of a queue's newest ready jobs are looked through for names. */
const LOOKED_THROUGH = 200;

export class QueueWatch {
  readonly #store: Store;
  readonly #served: Serving;
  readonly #parts: Omit<RoutineParts, "name" | "duty">;
  readonly #routine: Routine;
  /** What was said of each queue and holds still. */
  readonly #paused = new Map<string, string>();
  readonly #parked = new Set<string>();
  /** Parked at the last look, and not by a name that could be seen. */
  #perhaps = new Set<string>();

  constructor(store: Store, served: Serving, parts: Omit<RoutineParts, "name" | "duty">) {
    this.#store = store;
    this.#served = served;
    this.#parts = parts;
    this.#routine = new Routine({ ...parts, name: "queue watch", duty: () => this.#look() });
  }

  start(): void {
    this.#routine.start(SOON);
  }

  stop(): Promise<void> {
    return this.#routine.stop();
  }

  async #look(): Promise<number> {
    const { clock, logger, random } = this.#parts;
    const begun = clock.monotonic();
    try {
      const { queues } = await this.#store.counts();
      const ours = queues.filter(({ queue }) => this.#served.queues.has(queue));
      this.#tellPauses(ours);
      await this.#tellParked(ours);
    } catch (err) {
      // That the store is away is said by those who cannot do without it.
      if (err instanceof NightshiftError && err.code === "NS_STORE_CLOSED") throw err;
      logger.debug({ err }, "could not look after the queues");
    }
    const took = clock.monotonic() - begun;
    return Math.max(EVERY * (0.8 + 0.4 * random()), took * SHARE);
  }

  #tellPauses(ours: readonly QueueCounts[]): void {
    const { logger, clock } = this.#parts;
    const left = new Set(this.#paused.keys());
    for (const { queue, paused } of ours) {
      if (paused === null) continue;
      left.delete(queue);
      const { reason, since } = paused;
      if (this.#paused.get(queue) === (reason ?? "")) continue;
      this.#paused.set(queue, reason ?? "");
      const why = reason === null ? "" : `: ${reason}`;
      const ago = formatDuration(Math.max(0, Math.round((clock.now() - since) / 1_000) * 1_000));
      const said = `The queue ${queue} has been paused for ${ago}${why}. Its jobs wait until it is resumed (on the dashboard, or nightshift resume).`;
      logger.warn({ queue, reason, since }, said);
    }
    for (const queue of left) {
      this.#paused.delete(queue);
      logger.info({ queue }, `The queue ${queue} is not paused any more.`);
    }
  }

  /** One line a queue, until it has none any more: a deploy that was rolled back may leave thousands. */
  async #tellParked(ours: readonly QueueCounts[]): Promise<void> {
    const before = this.#perhaps;
    this.#perhaps = new Set();
    const waiting = new Set(ours.filter(({ parked }) => parked > 0).map(({ queue }) => queue));
    for (const queue of this.#parked) if (!waiting.has(queue)) this.#parked.delete(queue);
    for (const { queue, parked } of ours) {
      if (parked === 0 || this.#parked.has(queue)) continue;
      const names = await this.#unknownNames(queue);
      // Names that are known here are brought back as slots get free; those that stay are not, or are not served.
      if (names.length === 0 && !before.has(queue)) {
        this.#perhaps.add(queue);
        continue;
      }
      this.#parked.add(queue);
      const which = names.length === 0 ? "" : ` (${names.join(", ")})`;
      const said = `Jobs of the queue ${queue} are set aside, as this process does not know their names${which}: ${parked}. They cost no attempt, and go on when a process comes that knows them.`;
      this.#parts.logger.warn({ queue, parked, names }, said);
    }
  }

  async #unknownNames(queue: string): Promise<readonly string[]> {
    const { items } = await this.#store.listJobs({ state: "ready", queue, limit: LOOKED_THROUGH });
    const parked = items.filter((job) => job.parked && !this.#served.names.has(job.name));
    return [...new Set(parked.map(({ name }) => name))];
  }
}
