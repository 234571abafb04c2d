/** A small set of numbers that answers "the next one from here" and "the last one up to here" in one look. */

/** Numbers from `min` to `max`, with both answers worked out beforehand. */
export class NumberSet {
  readonly first: number;
  readonly last: number;
  /** How many there are. */
  readonly size: number;
  readonly #min: number;
  readonly #next: Int16Array;
  readonly #previous: Int16Array;

  constructor(values: Iterable<number>, min: number, max: number) {
    const present = new Set(values);
    const width = max - min + 1;
    this.size = present.size;
    this.#min = min;
    this.#next = new Int16Array(width + 1).fill(-1);
    this.#previous = new Int16Array(width + 1).fill(-1);
    for (let i = width - 1; i >= 0; i--) this.#next[i] = present.has(min + i) ? min + i : (this.#next[i + 1] ?? -1);
    for (let i = 0; i < width; i++) this.#previous[i] = present.has(min + i) ? min + i : (this.#previous[i - 1] ?? -1);
    this.first = this.#next[0] ?? -1;
    this.last = this.#previous[width - 1] ?? -1;
  }

  has(value: number): boolean {
    return this.#next[value - this.#min] === value;
  }

  /** The smallest at or above `value` (which is within the range, or one above), or -1. */
  next(value: number): number {
    return this.#next[value - this.#min] ?? -1;
  }

  /** The largest at or below `value` (which is within the range, or one below), or -1. */
  previous(value: number): number {
    return this.#previous[value - this.#min] ?? -1;
  }
}
