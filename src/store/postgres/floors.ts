/**
 * Where claims enter their lanes: at the smallest id of the last claim, past the rows deleted before it. And when they
 * look below: a job may stand there (a slow commit, a retry, a hand-back), so sweeps from zero go on for ever, as often
 * as their cost allows. With nothing holding back vacuum a sweep costs nothing, and every short claim makes one.
 */

/** Sweeps take at most this share of the time (1 in 50). */
const SHARE = 50;
/** However full the lanes are, somebody looks below after this long, in milliseconds. */
const LONGEST_WITHOUT = 1_000;
/** A claim that takes no longer than this is no costly sweep, in milliseconds. */
const CHEAP = 20;

/** What a claim is told about sweeping: not at all, if it comes back short, at once. */
export type Sweep = 0 | 1 | 2;

/** The floors of one process. */
export class Floors {
  readonly #floors = new Map<number, bigint>();
  readonly #swept = new Map<string, { readonly at: number; readonly cost: number }>();
  /** Queues whose last claim came back short. */
  readonly #short = new Set<string>();

  /** For the statement: lanes, and their floors. */
  entries(): { readonly lanes: readonly number[]; readonly floors: readonly string[] } {
    return { lanes: [...this.#floors.keys()], floors: [...this.#floors.values()].map(String) };
  }

  /** Remembers the smallest id claimed from a lane. */
  raise(lane: number, id: string): void {
    this.#floors.set(lane, BigInt(id));
  }

  /** Jobs became ready from this id on. */
  lower(lane: number, id: string): void {
    const floor = this.#floors.get(lane);
    if (floor === undefined) return;
    const first = BigInt(id);
    if (first < floor) this.#floors.set(lane, first);
  }

  /** Forgets everything: wake-ups may have been missed. */
  reset(): void {
    this.#floors.clear();
    this.#swept.clear();
    this.#short.clear();
  }

  sweepFor(queues: string, now: number): Sweep {
    const last = this.#swept.get(queues);
    if (last === undefined) return 2;
    const since = now - last.at;
    const rest = Math.max(0, last.cost - CHEAP) * SHARE;
    if (since >= Math.max(LONGEST_WITHOUT, rest)) return 2;
    if (since < rest) return 0;
    // It will be short again, as good as always: entering twice, above and then below, costs more than once below.
    return this.#short.has(queues) ? 2 : 1;
  }

  /** A claim was made: whether it brought less than was wanted. */
  claimed(queues: string, isShort: boolean): void {
    if (isShort) this.#short.add(queues);
    else this.#short.delete(queues);
  }

  /** A sweep was made and took this long. */
  swept(queues: string, now: number, cost: number): void {
    this.#swept.set(queues, { at: now, cost });
  }
}
