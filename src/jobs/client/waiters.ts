/** Waiting for jobs to be over: the store's hints make it quick, a look now and then makes it sure. */
import { NightshiftError } from "../../errors/index.ts";
import type { JobId, JobState, Store, Wake } from "../../store/contract.ts";
import { FINAL_STATES } from "../../store/contract.ts";
import type { Clock, Timer } from "../../time/index.ts";

/** How often states are looked up when no hint comes. */
const LOOK_EVERY = 1_000;
/** The least time between two looks that hints of other processes cause. */
const LOOK_AT_MOST_EVERY = 100;

/** So many looks in a row may fail before those who wait are told. */
const MOST_FAILURES = 30;

/** Called when the job is over or does not exist, or with the error of a look-up that failed. */
type Listener = (error?: unknown) => void;

/** Everybody in this process who waits for a job. One subscription and one timer serve them all. */
export class Waiters implements Disposable {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #listeners = new Map<JobId, Set<Listener>>();
  #subscription: Disposable | undefined;
  #timer: Timer | undefined;
  #dueAt = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking = false;
  #asked = false;
  #failures = 0;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Resolves when the job is over or unknown; rejects with the signal's reason. */
  wait(id: JobId, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const leave = () => {
        signal?.removeEventListener("abort", onAbort);
        this.#remove(id, listener);
      };
      const onAbort = () => {
        leave();
        reject(signal?.reason);
      };
      const listener: Listener = (error) => {
        leave();
        if (error === undefined) resolve();
        else reject(error);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#add(id, listener);
    });
  }

  /** Everybody who still waits is told that nothing will come. */
  [Symbol.dispose](): void {
    const message = "The jobs client was closed while a result was awaited. The job is not touched by that.";
    const closed = new NightshiftError("NS_STORE_CLOSED", message);
    for (const id of [...this.#listeners.keys()]) this.#tell(id, closed);
    this.#rest();
  }

  #add(id: JobId, listener: Listener): void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    this.#subscription ??= this.#store.subscribe((wake) => this.#hear(wake));
    this.#lookIn(0);
  }

  #remove(id: JobId, listener: Listener): void {
    const listeners = this.#listeners.get(id);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(id);
    if (this.#listeners.size === 0) this.#rest();
  }

  #rest(): void {
    this.#subscription?.[Symbol.dispose]();
    this.#subscription = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #hear(wake: Wake): void {
    if (wake.what === "finished") for (const id of wake.jobs) this.#tell(id);
    else if (wake.what === "unknown") this.#lookIn(this.#lookedAt + LOOK_AT_MOST_EVERY - this.#clock.monotonic());
  }

  #tell(id: JobId, error?: unknown): void {
    for (const listener of [...(this.#listeners.get(id) ?? [])]) listener(error);
  }

  #lookIn(delay: number): void {
    if (this.#listeners.size === 0) return;
    if (delay <= 0) {
      // Those who begin to wait in the same turn share one look.
      if (!this.#asked) queueMicrotask(() => void this.#look());
      this.#asked = true;
      return;
    }
    const dueAt = this.#clock.monotonic() + delay;
    if (this.#timer !== undefined && this.#dueAt <= dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    this.#timer = this.#clock.setTimer(delay, () => {
      this.#timer = undefined;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    this.#asked = false;
    this.#lookedAt = this.#clock.monotonic();
    const ids = [...this.#listeners.keys()];
    try {
      const states = await this.#store.statesOf(ids);
      this.#failures = 0;
      for (const id of ids) if (isOver(states.get(id))) this.#tell(id);
    } catch (error) {
      // A database that restarts is waited for; one that stays away is an error.
      const closed = error instanceof NightshiftError && error.code === "NS_STORE_CLOSED";
      if (closed || ++this.#failures >= MOST_FAILURES) for (const id of ids) this.#tell(id, error);
    } finally {
      this.#looking = false;
    }
    // Somebody came while this look was on its way: those ids were not in it.
    if (this.#asked) await this.#look();
    else this.#lookIn(LOOK_EVERY);
  }
}

function isOver(state: JobState | undefined): boolean {
  return state === undefined || (FINAL_STATES as readonly JobState[]).includes(state);
}
