/** The attempts that run in one worker: begins what waits for a free slot, takes their outcomes, and reaches them when they must end. */
import type { NightshiftError } from "../../errors/index.ts";
import type { ScopeFactory } from "../../services/index.ts";
import type { Outcome } from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import type { Clock } from "../../time/index.ts";
import { Bell } from "../bell.ts";
import type { JobRegistry } from "../registry.ts";
import { Attempt, type AttemptWorker } from "./attempt.ts";
import type { HeldLease, Outbox } from "./held-lease.ts";
import type { Waiting } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { StoreTime } from "./store-time.ts";

/** So many running jobs are named in a message. */
const MOST_NAMED = 5;

/** What attempts need of their worker. */
export interface AttemptsParts {
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly scopes: ScopeFactory;
  readonly random: () => number;
  readonly maxPayload: number;
  readonly registry: JobRegistry;
  readonly lanes: Lanes;
  readonly outbox: Outbox;
  readonly storeTime: StoreTime;
  /** At once, over all queues. */
  readonly concurrency: number;
  /** Slots kept for jobs on their way. */
  readonly reserved: () => number;
  /** Whether what waits may begin. */
  readonly working: () => boolean;
  /** An attempt has ended. */
  readonly ended: () => void;
}

export class Attempts implements AttemptWorker {
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly scopes: ScopeFactory;
  readonly random: () => number;
  readonly maxPayload: number;
  readonly #parts: AttemptsParts;
  /**
   * In no order; each knows its place. A Set that has one more and one less all the time makes its table anew all the
   * time. By identity, not by id: a job whose lease was lost may come back while its old attempt still ends.
   */
  readonly #running: Attempt[] = [];
  /** Rung when the last running attempt is over. */
  readonly #empty: Bell;
  #filling = false;
  /** What ended last, by name and id: the attempt itself would keep its input alive. */
  #endedName = "";
  #endedId = "";

  constructor(parts: AttemptsParts) {
    this.clock = parts.clock;
    this.logger = parts.logger;
    this.scopes = parts.scopes;
    this.random = parts.random;
    this.maxPayload = parts.maxPayload;
    this.#parts = parts;
    this.#empty = new Bell(parts.clock);
  }

  /** How many handlers run now. */
  get running(): number {
    return this.#running.length;
  }

  /** Slots that no handler uses, those that are kept for jobs on their way included. */
  get unused(): number {
    return this.#parts.concurrency - this.#running.length;
  }

  /** Slots in which a claimed job could begin at once. */
  get free(): number {
    return this.unused - this.#parts.reserved();
  }

  /** Starts what may start. A handler that ends at once calls back in here: the outer loop goes on then. */
  fill(): void {
    if (this.#filling) return;
    this.#filling = true;
    try {
      while (this.free > 0) {
        const next = this.#parts.lanes.next();
        if (next === undefined) return;
        this.#begin(next);
      }
    } finally {
      this.#filling = false;
      if (this.#running.length === 0) this.#parts.storeTime.runs(false);
    }
  }

  over(attempt: Attempt, outcome: Outcome | undefined): void {
    const { lanes, outbox, working, ended } = this.#parts;
    this.#leave(attempt);
    this.#endedName = attempt.name;
    this.#endedId = attempt.id;
    lanes.ended(attempt.queue, outcome === undefined || outcome.type === "released" ? 0 : outcome.ms);
    if (outcome !== undefined) outbox.add(attempt.lease, outcome);
    if (working()) this.fill();
    else if (this.#running.length === 0) this.#empty.ring();
    ended();
  }

  /** Those that run; a copy, as one that is aborted may be over at once. */
  all(): readonly Attempt[] {
    return [...this.#running];
  }

  /** For people: those that run, as far as they can be listed, and the one that ended last. */
  atWork(): readonly string[] {
    const running = this.#running.slice(0, MOST_NAMED).map(({ id, name }) => `${name} (job ${id})`);
    const more = this.#running.length - running.length;
    if (more > 0) running.push(`${more} more`);
    if (this.#endedId !== "") running.push(`${this.#endedName} (job ${this.#endedId}, ended last)`);
    return running;
  }

  /** Aborts those of a lease, or all. */
  abort(reason: NightshiftError, lease?: HeldLease): void {
    for (const attempt of this.all()) if (lease === undefined || attempt.lease === lease) attempt.abort(reason);
  }

  /** Does not wait for those that are left. */
  abandon(): void {
    for (const attempt of this.all()) attempt.abandon();
  }

  /** Resolves when none runs, when the time is over, or when there is none left. */
  async drained(within: number, signal: AbortSignal): Promise<void> {
    const until = this.clock.monotonic() + within;
    while (this.#running.length > 0 && !signal.aborted) {
      const left = until - this.clock.monotonic();
      if (left <= 0) break;
      await this.#empty.wait(left);
    }
    this.#empty.still();
  }

  /** Whoever waits for {@link drained} looks at its signal. */
  hurry(): void {
    this.#empty.ring();
  }

  #begin({ job, lease }: Waiting): void {
    const { registry, lanes, outbox, storeTime } = this.#parts;
    const definition = registry.get(job.name);
    if (definition === undefined) {
      // The store gives only names that were asked for; a store that does not is not worth losing a job over.
      this.logger.error({ job: job.id }, `The store gave a job named ${job.name}, which was not asked for.`);
      lanes.ended(lease.queue);
      outbox.add(lease, { job: job.id, type: "released" });
      return;
    }
    const attempt = new Attempt(job, lease, definition, this);
    attempt.place = this.#running.push(attempt) - 1;
    storeTime.runs(true);
    attempt.run();
  }

  /** The last one takes its place. */
  #leave(attempt: Attempt): void {
    const last = this.#running.pop();
    if (last === undefined || last === attempt) return;
    this.#running[attempt.place] = last;
    last.place = attempt.place;
  }
}
