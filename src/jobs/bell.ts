/** A bell that one loop waits at: rung while nobody waits, the next wait returns at once. */
import type { Clock, Timer } from "../time/index.ts";

export class Bell {
  readonly #clock: Clock;
  #rung = false;
  #answer: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#answer?.();
  }

  /** Resolves when rung, or after `most` milliseconds (not at all by time, when infinite). */
  wait(most: number): Promise<void> {
    if (this.#rung || most <= 0) {
      this.#rung = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      this.#answer = () => {
        this.#answer = undefined;
        this.#rung = false;
        timer?.cancel();
        resolve();
      };
      if (Number.isFinite(most)) timer = this.#clock.setTimer(most, () => this.#answer?.());
    });
  }
}
