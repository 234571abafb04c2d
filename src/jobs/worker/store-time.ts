/** How long the store kept the worker waiting: the time in which it was asked and no handler ran. */
import type { Clock } from "../../time/index.ts";

export class StoreTime {
  readonly #clock: Clock;
  #total = 0;
  #since: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the worker waits for the store now. */
  get waits(): boolean {
    return this.#since !== undefined;
  }

  /** In all, in milliseconds, what goes on now included. */
  upTo(now: number): number {
    return this.#total + (this.#since === undefined ? 0 : now - this.#since);
  }

  /** To be called when an exchange or a handler has begun or ended. */
  note(waits: boolean): void {
    if (waits === this.waits) return;
    const now = this.#clock.monotonic();
    this.#total = this.upTo(now);
    this.#since = waits ? now : undefined;
  }
}
