/** Makes due jobs ready: sleeps until the next one is due, wakes up early when the store says so. */
import type { Serving, Store, Wake } from "../../store/contract.ts";
import { Routine, type RoutineParts } from "./routine.ts";

/** Moved in one commit. */
const SLICE = 1_000;
/** A look when nothing was announced: for jobs of processes whose hints were lost. */
const LOOK_EVERY = 10_000;
/** Hints of other processes say nothing; they cause a look at most this often. */
const LOOK_AT_MOST_EVERY = 200;

export class Promoter {
  readonly #store: Store;
  readonly #serving: () => Serving;
  readonly #routine: Routine;
  readonly #parts: Omit<RoutineParts, "name" | "duty">;
  #subscription: Disposable | undefined;
  /** When the next job is due, and when to look for jobs that nobody announced: on the monotonic clock. */
  #nextAt = Number.NEGATIVE_INFINITY;
  #lookAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** The store's clock less our monotonic one, which no step of our wall clock touches; null until it was read. */
  #offset: number | null = null;

  /**
   * @param serving what this process could begin at once: such parked jobs are brought back. Nothing while its slots are
   * taken, or others who do not know the name would only set the jobs aside again.
   */
  constructor(store: Store, serving: () => Serving, parts: Omit<RoutineParts, "name" | "duty">) {
    this.#store = store;
    this.#serving = serving;
    this.#parts = parts;
    this.#routine = new Routine({ ...parts, name: "promoter", duty: () => this.#promote() });
  }

  start(): void {
    this.#subscription = this.#store.subscribe((wake) => this.#hear(wake));
    this.#routine.start(0);
  }

  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#routine.stop();
  }

  #hear(wake: Wake): void {
    if (wake.what === "scheduled") {
      const at = this.#offset === null ? Number.NEGATIVE_INFINITY : wake.at - this.#offset;
      if (at >= this.#nextAt) return;
      this.#nextAt = at;
    } else if (wake.what === "unknown") {
      const at = this.#lookedAt + LOOK_AT_MOST_EVERY;
      // It will look by then. One that is overdue is one that failed and waits: it tries again.
      if (at >= this.#lookAt && this.#lookAt > this.#parts.clock.monotonic()) return;
      this.#lookAt = Math.min(this.#lookAt, at);
    } else return;
    this.#routine.wake();
  }

  async #promote(): Promise<number> {
    const { clock } = this.#parts;
    const now = clock.monotonic();
    const early = Math.min(this.#nextAt, this.#lookAt) - now;
    if (early > 0) return early;
    this.#nextAt = Number.POSITIVE_INFINITY;
    this.#lookAt = now + LOOK_EVERY;
    this.#lookedAt = now;
    try {
      await this.#move(now);
    } catch (error) {
      // What was due is due still: the next try must not wait as if this one had moved it.
      this.#lookAt = now;
      throw error;
    }
    return Math.min(this.#nextAt, this.#lookAt) - clock.monotonic();
  }

  async #move(now: number): Promise<void> {
    const { clock } = this.#parts;
    const { moved, nextAt } = await this.#store.promote(this.#serving(), SLICE);
    if (moved >= SLICE) this.#nextAt = now;
    else if (nextAt !== null) {
      const storeNow = await this.#store.now();
      const read = clock.monotonic();
      this.#offset = storeNow - read;
      // At least a millisecond: the store may round, and a job that is due in no time must not make this spin.
      this.#nextAt = Math.min(this.#nextAt, read + Math.max(1, nextAt - storeNow));
    }
  }
}
