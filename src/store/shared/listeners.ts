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

/** Collects what happened in one commit. */
export class WakeCollector {
  readonly #queues = new Set<string>();
  readonly #finished: JobId[] = [];
  #scheduledAt: number | null = null;
  #schedules = false;
  #cancellation = false;

  /** Jobs of this queue became claimable. */
  work(queue: string): void {
    this.#queues.add(queue);
  }

  /** What became claimable in this commit was claimed in it. */
  taken(queue: string): void {
    this.#queues.delete(queue);
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
    this.#finished.push(job);
  }

  /** What was collected, one wake-up of each kind at most. */
  take(): Wake[] {
    const wakes: Wake[] = [];
    if (this.#queues.size > 0) wakes.push({ what: "work", queues: [...this.#queues] });
    if (this.#scheduledAt !== null) wakes.push({ what: "scheduled", at: this.#scheduledAt });
    if (this.#schedules) wakes.push({ what: "schedules" });
    if (this.#cancellation) wakes.push({ what: "cancellation" });
    if (this.#finished.length > 0) wakes.push({ what: "finished", jobs: this.#finished });
    return wakes;
  }
}
