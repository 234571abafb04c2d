/** How long the store kept the worker waiting: the time in which it was asked and no handler ran. */
import type { Clock } from "../../time/index.ts";

export class StoreTime {
  readonly #clock: Clock;
  #asked = false;
  #runs = false;
  #total = 0;
  #since: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In all, in milliseconds, what goes on now included. */
  upTo(now: number): number {
    return this.#total + (this.#since === undefined ? 0 : now - this.#since);
  }

  /** Whether an exchange with the store is under way. */
  asked(asked: boolean): void {
    this.#asked = asked;
    this.#note();
  }

  /** Whether a handler runs. */
  runs(runs: boolean): void {
    if (runs === this.#runs) return;
    this.#runs = runs;
    this.#note();
  }

  #note(): void {
    const waits = this.#asked && !this.#runs;
    if (waits === (this.#since !== undefined)) return;
    const now = this.#clock.monotonic();
    this.#total = this.upTo(now);
    this.#since = waits ? now : undefined;
  }
}
