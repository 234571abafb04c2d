/** A service's signs of life: when it last beat, what it said that it is doing, and whether that is as often as it promised. */
import type { Clock } from "../time/index.ts";

export class Pulse {
  readonly #clock: Clock;
  /** How long it may be silent, in milliseconds; undefined when it promised nothing. */
  readonly #promised: number | undefined;
  #last: number | undefined;
  #doing: string | undefined;

  constructor(clock: Clock, promised: number | undefined) {
    this.#clock = clock;
    this.#promised = promised;
  }

  /** The wall-clock time of the last beat, if any. */
  get last(): number | undefined {
    return this.#last;
  }

  /** What it said last that it is doing. */
  get doing(): string | undefined {
    return this.#doing;
  }

  beat(doing?: string): void {
    this.#last = this.#clock.now();
    this.#doing = doing ?? this.#doing;
  }

  /** The age of the last beat, or of `since` without one, when it is older than promised. */
  overdue(since: number): number | undefined {
    if (this.#promised === undefined) return undefined;
    const age = this.#clock.now() - (this.#last ?? since);
    return age > this.#promised ? age : undefined;
  }
}
