/**
 * A bell that one loop waits at: rung while nobody waits, the next wait returns at once. Its timer outlives the ringing,
 * for the next wait to use: most waits are cut short, and to cancel a timer and set another costs a lone job more than
 * the rest of its way through the loop.
 */
import type { Clock, Timer } from "../time/index.ts";

/** Two times that are less than this apart are one: timers are not more exact. */
const EXACT = 1;

export class Bell {
  readonly #clock: Clock;
  #rung = false;
  #answer: (() => void) | undefined;
  #timer: Timer | undefined;
  /** When the timer fires, and when the present wait is over; on the monotonic clock. */
  #firesAt = Number.POSITIVE_INFINITY;
  #overAt = Number.POSITIVE_INFINITY;

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
    this.#overAt = this.#clock.monotonic() + most;
    if (this.#timer === undefined || this.#firesAt - this.#overAt >= EXACT) this.#set(most);
    return new Promise((resolve) => {
      this.#answer = () => {
        this.#answer = undefined;
        this.#rung = false;
        resolve();
      };
    });
  }

  /** Nobody waits any more, or not for long: no timer is left to keep the process alive. */
  still(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #set(wait: number): void {
    this.still();
    if (!Number.isFinite(wait)) return;
    this.#firesAt = this.#overAt;
    this.#timer = this.#clock.setTimer(wait, () => this.#fire());
  }

  #fire(): void {
    this.#timer = undefined;
    if (this.#answer === undefined) return;
    // It may have been set for an earlier wait, which ended sooner than this one does.
    if (this.#overAt - this.#firesAt < EXACT) this.#answer();
    else this.#set(this.#overAt - this.#clock.monotonic());
  }
}
