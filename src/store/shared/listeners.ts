/** Who hears of changes, and how several changes of one commit become few wake-ups. */
import type { LoggerLike } from "../../telemetry/logger.ts";
import type { JobId, Wake } from "../contract.ts";

/** The subscribers of one store. */
export class Listeners {
  readonly #listeners = new Set<(wake: Wake) => void>();

  /** Whether anybody listens: what nobody hears need not be collected. */
  get any(): boolean {
    return this.#listeners.size > 0;
  }

  subscribe(listener: (wake: Wake) => void): Disposable {
    // A wrapper of its own, so that the same function may subscribe twice and each be disposed alone.
    const entry = (wake: Wake) => listener(wake);
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  /** Tells everybody. One that throws against the contract is logged and does not keep the others from hearing. */
  emit(wakes: Iterable<Wake>, logger: LoggerLike): void {
    if (this.#listeners.size === 0) return;
    for (const wake of wakes) {
      for (const listener of [...this.#listeners]) {
        try {
          listener(wake);
        } catch (err) {
          logger.error({ err, wake: wake.what }, "a listener of the store's wake-ups threw");
        }
      }
    }
  }
}

/** Collects what happened in one commit; gives one wake-up of each kind at most. Most commits are of one job: for it, nothing more is made. */
export class WakeCollector implements Iterable<Wake> {
  #queue: string | null = null;
  #otherQueues: Set<string> | null = null;
  #finished: JobId[] | null = null;
  #scheduledAt: number | null = null;
  #schedules = false;
  #cancellation = false;

  /** Jobs of this queue became claimable. */
  work(queue: string): void {
    if (queue === this.#queue) return;
    if (this.#queue === null && this.#otherQueues === null) this.#queue = queue;
    else {
      this.#otherQueues ??= new Set();
      this.#otherQueues.add(queue);
    }
  }

  /** What became claimable in this commit was claimed in it. */
  taken(queue: string): void {
    if (queue === this.#queue) this.#queue = null;
    else this.#otherQueues?.delete(queue);
  }

  /** A job became `scheduled` for this time. */
  scheduled(at: number): void {
    if (this.#scheduledAt === null || at < this.#scheduledAt) this.#scheduledAt = at;
  }

  schedules(): void {
    this.#schedules = true;
  }

  cancellation(): void {
    this.#cancellation = true;
  }

  finished(job: JobId): void {
    this.#finished ??= [];
    this.#finished.push(job);
  }

  /** Whether there is nothing to tell. */
  get isEmpty(): boolean {
    if (this.#queue !== null || this.#scheduledAt !== null || this.#finished !== null) return false;
    return !this.#schedules && !this.#cancellation && !this.#otherQueues?.size;
  }

  *[Symbol.iterator](): Iterator<Wake> {
    const queues = [...(this.#queue === null ? [] : [this.#queue]), ...(this.#otherQueues ?? [])];
    if (queues.length > 0) yield { what: "work", queues };
    if (this.#scheduledAt !== null) yield { what: "scheduled", at: this.#scheduledAt };
    if (this.#schedules) yield { what: "schedules" };
    if (this.#cancellation) yield { what: "cancellation" };
    if (this.#finished !== null) yield { what: "finished", jobs: this.#finished };
  }
}
