/** A clock that moves only when told to. Timers fire in the order of their due times, with the clock standing at each. */
import type { Clock, Timer } from "./clock.ts";
import { type Duration, parseDuration } from "./duration.ts";

interface Due {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A clock for tests. `await clock.advance("1h")` runs everything that would happen in an hour, in order, giving
 * promises and I/O callbacks room to run between two timers.
 *
 * @example
 * ```ts
 * import { VirtualClock } from "nightshift/testing";
 *
 * const clock = new VirtualClock({ start: "2026-01-01T00:00:00Z" });
 * clock.setTimer(60_000, () => console.log("a minute later"));
 * await clock.advance("1m");
 * ```
 */
export class VirtualClock implements Clock {
  #wall: number;
  #monotonic = 0;
  #sequence = 0;
  /** Keyed by due monotonic time and order of arrival; small enough that a scan beats a heap's bookkeeping. */
  readonly #timers = new Map<number, Due>();

  /** @param options.start the wall clock at the beginning: a date, ISO text or milliseconds. Default 2026-01-01 UTC. */
  constructor(options: { readonly start?: Date | string | number } = {}) {
    this.#wall = new Date(options.start ?? "2026-01-01T00:00:00Z").getTime();
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  setTimer(delay: number, callback: () => void): Timer {
    const id = this.#sequence++;
    this.#timers.set(id, { at: this.#monotonic + Math.max(0, delay), callback });
    const cancel = () => void this.#timers.delete(id);
    return { cancel, [Symbol.dispose]: cancel };
  }

  /** How many timers are set and have not fired. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves time forward, firing what falls due on the way; resolves when the last of it had room to run. */
  async advance(by: Duration): Promise<void> {
    const until = this.#monotonic + parseDuration(by, "advance");
    await settle();
    for (let next = this.#nextDue(until); next !== undefined; next = this.#nextDue(until)) {
      const [id, due] = next;
      this.#timers.delete(id);
      this.#moveTo(due.at);
      due.callback();
      await settle();
    }
    this.#moveTo(until);
  }

  /** Sets the wall clock without firing anything, as an NTP step or a person would. Timers keep their distance. */
  jump(to: Date | string | number): void {
    this.#wall = new Date(to).getTime();
  }

  #nextDue(until: number): [number, Due] | undefined {
    let first: [number, Due] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].at <= until && (first === undefined || entry[1].at < first[1].at)) first = entry;
    }
    return first;
  }

  #moveTo(monotonic: number): void {
    this.#wall += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}

/** Lets promise callbacks and one round of I/O callbacks run; a few turns, as work often chains several. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
