/** Removes finished jobs when their time is over, in small slices, and other traces when nobody looks at them any more. */
import type { Retention as RetentionTimes, Store } from "../../store/contract.ts";
import { Routine, type RoutineParts } from "./routine.ts";

/** Removed in one commit: few enough that other processes' writes hardly wait. */
const SLICE = 1_000;
const EVERY = 60_000;
/** Rows of roll-ups and other traces are kept this long, and looked for this often. */
const TRACES = 90 * 86_400_000;
const SWEEP_EVERY = 3_600_000;

export class Retention {
  readonly #store: Store;
  readonly #times: RetentionTimes;
  readonly #routine: Routine;
  #sweepAt: number;
  readonly #parts: Omit<RoutineParts, "name" | "duty">;

  constructor(store: Store, times: RetentionTimes, parts: Omit<RoutineParts, "name" | "duty">) {
    this.#store = store;
    this.#times = times;
    this.#parts = parts;
    this.#sweepAt = parts.clock.monotonic() + SWEEP_EVERY * parts.random();
    this.#routine = new Routine({ ...parts, name: "retention", duty: () => this.#prune() });
  }

  start(): void {
    this.#routine.start(EVERY * this.#parts.random());
  }

  stop(): Promise<void> {
    return this.#routine.stop();
  }

  async #prune(): Promise<number> {
    await this.#sweep();
    const removed = await this.#store.prune(this.#times, SLICE);
    if (removed > 0) this.#parts.logger.debug({ removed }, `Removed ${removed} finished jobs whose retention is over.`);
    // Half the time is left to others while a backlog goes.
    return removed >= SLICE ? 10 : EVERY * (0.8 + 0.4 * this.#parts.random());
  }

  async #sweep(): Promise<void> {
    const now = this.#parts.clock.monotonic();
    if (now < this.#sweepAt) return;
    const swept = await this.#store.sweep(TRACES, SLICE);
    this.#sweepAt = now + (swept >= SLICE ? EVERY : SWEEP_EVERY);
  }
}
