/**
 * When statements under way are overdue: one timer for all of them, since each has the same time and so the first that
 * was begun is the first to be overdue. A timer for each would be set and cancelled with every statement.
 */
import type { Clock, Timer } from "../../time/index.ts";

interface Waiting {
  readonly until: number;
  /** None once it is over: the statement, and what it answered, must not live as long as the tables of a Set do (see `Held`). */
  overdue: (() => void) | undefined;
}

export class Deadlines implements Disposable {
  readonly #clock: Clock;
  readonly #limit: number;
  /** In the order in which they were begun. */
  readonly #waiting = new Set<Waiting>();
  #timer: Timer | undefined;

  /** @param limit what each has, in milliseconds */
  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Calls back when the time is over, unless what it returns was called before. */
  begin(overdue: () => void): () => void {
    const waiting: Waiting = { until: this.#clock.monotonic() + this.#limit, overdue };
    this.#waiting.add(waiting);
    if (this.#timer === undefined) this.#look(this.#limit);
    return () => {
      this.#waiting.delete(waiting);
      waiting.overdue = undefined;
    };
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(wait: number): void {
    const then = () => {
      this.#timer = undefined;
      const now = this.#clock.monotonic();
      for (const waiting of this.#waiting) {
        if (waiting.until > now) return this.#look(waiting.until - now);
        this.#waiting.delete(waiting);
        waiting.overdue?.();
      }
    };
    this.#timer = this.#clock.setTimer(wait, then, { ref: false });
  }
}
