/**
 * The worker: claims jobs under leases, runs them, settles their outcomes. One loop talks to the store, and each of its
 * turns settles what has ended and claims what is missing, in one commit.
 */
import { setImmediate } from "node:timers/promises";
import { NightshiftError } from "../../errors/index.ts";
import type { ScopeFactory } from "../../services/index.ts";
import type { CancelRequest, JobId, Lease, Outcome, Store, Wake, Want } from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import { type Clock, formatDuration } from "../../time/index.ts";
import { Bell } from "../bell.ts";
import type { JobRegistry } from "../registry.ts";
import type { Session, SessionListener } from "../upkeep/session.ts";
import { Attempt, type AttemptWorker } from "./attempt.ts";
import { Exchange } from "./exchange.ts";
import { Outbox } from "./held-lease.ts";
import { Lane, type Waiting } from "./lane.ts";
import { shareOut } from "./share-out.ts";

/** How the worker works; times in milliseconds. */
export interface WorkerOptions {
  /** Handlers at once, over all queues. */
  readonly concurrency: number;
  readonly queues: readonly { readonly queue: string; readonly limit: number }[];
  /** How often empty queues are asked without a hint. */
  readonly pollInterval: number;
  /** How long running handlers may go on, undisturbed, when the host stops. */
  readonly drainTimeout: number;
}

/** What the worker is made of. */
export interface WorkerParts {
  readonly store: Store;
  readonly session: Session;
  readonly registry: JobRegistry;
  readonly scopes: ScopeFactory;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly random: () => number;
  readonly maxPayload: number;
  readonly options: WorkerOptions;
}

/** While nobody waits for it, an exchange with the store is put off for so long, to carry more. */
const WINDOW = 4;
/** An exchange that carries so many outcomes is not put off. */
const ENOUGH = 500;
/** Claimed jobs that could not begin for so long are handed back: other processes may have free slots. */
const HAND_BACK_AFTER = 1_000;
/** After their signal, handlers have this long when the host stops. */
const STOP_GRACE = 5_000;

type Phase = "working" | "draining" | "over";

export class Worker implements AttemptWorker, SessionListener {
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly scopes: ScopeFactory;
  readonly random: () => number;
  readonly maxPayload: number;
  readonly #store: Store;
  readonly #session: Session;
  readonly #registry: JobRegistry;
  readonly #options: WorkerOptions;
  readonly #lanes: readonly Lane[];
  readonly #byQueue: ReadonlyMap<string, Lane>;
  readonly #outbox = new Outbox();
  readonly #exchange: Exchange;
  readonly #running = new Map<JobId, Attempt>();
  readonly #bell: Bell;
  /** Rung when the last running attempt is over. */
  readonly #empty: Bell;
  #phase: Phase = "working";
  #subscription: Disposable | undefined;
  #loop: Promise<void> | undefined;
  #filling = false;
  /** Which lane is served first; moves on, so that none starves. */
  #turn = 0;
  #exchangedAt = Number.NEGATIVE_INFINITY;
  /** How long the loop has waited for the store, in all. */
  #storeTime = 0;
  #polledAt = Number.NEGATIVE_INFINITY;
  /** Counts hints, to know whether one came while a claim was on its way. */
  #hints = 0;

  constructor(parts: WorkerParts) {
    this.clock = parts.clock;
    this.logger = parts.logger;
    this.scopes = parts.scopes;
    this.random = parts.random;
    this.maxPayload = parts.maxPayload;
    this.#store = parts.store;
    this.#session = parts.session;
    this.#registry = parts.registry;
    this.#options = parts.options;
    const now = parts.clock.monotonic();
    this.#lanes = parts.options.queues.map(({ queue, limit }) => new Lane(queue, limit, now));
    this.#byQueue = new Map(this.#lanes.map((lane) => [lane.queue, lane]));
    this.#bell = new Bell(parts.clock);
    this.#empty = new Bell(parts.clock);
    this.#exchange = new Exchange(parts, () => this.#outbox.heldIds);
  }

  /** How many handlers run now. */
  get running(): number {
    return this.#running.size;
  }

  /** Listens to what the session and the store tell. Call it before the session starts, or soon after. */
  prepare(): void {
    this.#session.listen(this);
    this.#subscription = this.#store.subscribe((wake) => this.#hear(wake));
  }

  /** Works until stopped; rejects when it cannot go on. */
  run(): Promise<void> {
    this.#loop ??= this.#work();
    return this.#loop;
  }

  /** No more claims from here on; what was claimed and has not begun is handed back. */
  stopClaiming(): void {
    if (this.#phase !== "working") return;
    this.#phase = "draining";
    this.#subscription?.[Symbol.dispose]();
    for (const lane of this.#lanes) this.#release(lane.remove());
    this.#bell.ring();
  }

  /**
   * Lets running handlers finish, then asks them to, then hands back what is left; settles everything.
   *
   * @param signal aborted when there is no time left
   */
  async stop(signal: AbortSignal): Promise<void> {
    const hurry = () => {
      this.#exchange.giveUp();
      this.#empty.ring();
      this.#bell.ring();
    };
    if (signal.aborted) hurry();
    signal.addEventListener("abort", hurry, { once: true });
    this.stopClaiming();
    await this.#drained(this.#options.drainTimeout, signal);
    if (this.#running.size > 0) {
      const count = this.#running.size;
      this.logger.warn(
        { running: count },
        `${count} jobs still run after ${formatDuration(this.#options.drainTimeout)}: their signals are aborted.`,
      );
      const reason = new NightshiftError("NS_HOST_STOPPING", "The host is stopping and its time for draining is over.");
      for (const attempt of [...this.#running.values()]) attempt.abort(reason);
      await this.#drained(STOP_GRACE, signal);
      for (const attempt of [...this.#running.values()]) attempt.abandon();
    }
    this.#phase = "over";
    this.#bell.ring();
    await this.#loop;
    signal.removeEventListener("abort", hurry);
  }

  // What attempts and the session tell.

  over(attempt: Attempt, outcome: Outcome | undefined): void {
    this.#running.delete(attempt.id);
    this.#byQueue.get(attempt.queue)?.ended();
    if (outcome !== undefined) this.#outbox.add(attempt.lease, outcome);
    if (this.#phase === "working") this.#fill();
    else if (this.#running.size === 0) this.#empty.ring();
    this.#bell.ring();
  }

  lost(reason: NightshiftError): void {
    const refused = this.#outbox.loseAll();
    if (refused > 0) {
      this.logger.warn({ refused }, `${refused} outcomes came too late: their leases are lost, so they are refused.`);
    }
    for (const lane of this.#lanes) lane.remove();
    for (const attempt of [...this.#running.values()]) attempt.abort(reason);
  }

  registered(): void {
    this.#undry();
    this.#bell.ring();
  }

  cancelled(requests: readonly CancelRequest[]): void {
    const reasons = new Map(requests.map(({ job, reason }) => [job, reason]));
    for (const [job, reason] of reasons) {
      const said = new NightshiftError("NS_JOB_CANCELLED", `Job ${job} was cancelled: ${reason}`, {
        details: { reason },
      });
      this.#running.get(job)?.abort(said, reason);
    }
    for (const lane of this.#lanes) {
      for (const { job, lease } of lane.remove((waiting) => reasons.has(waiting.job.id))) {
        this.#outbox.add(lease, { job: job.id, type: "cancelled", ms: 0, reason: reasons.get(job.id) ?? "" });
      }
    }
    this.#bell.ring();
  }

  holdsJobs(): boolean {
    return this.#running.size > 0 || this.#lanes.some((lane) => lane.waiting > 0);
  }

  // The loop.

  async #work(): Promise<void> {
    for (;;) {
      const wait = this.#nextIn();
      if (wait === undefined) return;
      if (wait > 0) await this.#bell.wait(wait);
      else await this.#turnOver();
    }
  }

  /** How long the loop may rest; undefined when its work is done for good. */
  #nextIn(): number | undefined {
    const now = this.clock.monotonic();
    if (this.#phase === "over" && (this.#outbox.pending === 0 || this.#exchange.givenUp)) return this.#leave();
    if (this.#session.id === undefined) return Number.POSITIVE_INFINITY;
    this.#handBack(now);
    const sincePoll = now - this.#polledAt;
    if (sincePoll >= this.#options.pollInterval) {
      this.#polledAt = now;
      this.#undry();
    }
    const untilPoll =
      this.#phase === "working" ? this.#polledAt + this.#options.pollInterval - now : Number.POSITIVE_INFINITY;
    const { pending } = this.#outbox;
    const hungry = this.#isHungry();
    // With nothing running there is nothing to wait for: no more outcomes will come.
    if (hungry || pending >= ENOUGH || (pending > 0 && this.#running.size === 0)) return 0;
    if (pending > 0) return Math.max(0, this.#exchangedAt + WINDOW - now);
    const oldest = Math.min(...this.#lanes.map((lane) => lane.waitingSince ?? Number.POSITIVE_INFINITY));
    return Math.max(1, Math.min(untilPoll, oldest + HAND_BACK_AFTER - now));
  }

  /** A slot is free and nothing is there to fill it, though there may be in the store. */
  #isHungry(): boolean {
    if (this.#phase !== "working" || this.#running.size >= this.#options.concurrency) return false;
    return this.#lanes.some((lane) => !lane.dry && lane.waiting === 0 && lane.running < lane.limit);
  }

  async #turnOver(): Promise<void> {
    const instance = this.#session.id;
    if (instance === undefined) return;
    const now = this.clock.monotonic();
    this.#exchangedAt = now;
    const wants = this.#wants(now);
    const batch = this.#outbox.take();
    const hints = this.#hints;
    const answer = await this.#exchange.with(instance, batch.settlements, wants);
    this.#storeTime += this.clock.monotonic() - now;
    if (answer === undefined) this.#outbox.putBack(batch);
    else {
      this.#settled(batch, answer.refused);
      this.#arrive(instance, answer.leases, wants, hints);
    }
    // A store that answers within the turn must not keep timers and sockets from theirs.
    await setImmediate();
  }

  #wants(now: number): readonly Want[] {
    if (this.#phase !== "working") return [];
    this.#turn++;
    const free = this.#options.concurrency - this.#running.size;
    return shareOut(this.#lanes, free, this.#turn, now, this.#storeTime);
  }

  #settled(batch: Parameters<Outbox["settled"]>[0], refused: readonly string[]): void {
    for (const lease of this.#outbox.settled(batch, refused)) {
      const reason = new NightshiftError(
        "NS_LEASE_LOST",
        `Lease ${lease.id} is no longer held: its jobs run elsewhere.`,
      );
      const outcomes = batch.settlements.find((settlement) => settlement.lease === lease.id)?.outcomes ?? [];
      const jobs = outcomes.map((outcome) => outcome.job);
      this.logger.warn({ lease: lease.id, jobs }, `${jobs.length} outcomes were refused: their lease is lost.`);
      for (const lane of this.#lanes) lane.remove((waiting) => waiting.lease === lease);
      for (const attempt of [...this.#running.values()]) if (attempt.lease === lease) attempt.abort(reason);
    }
  }

  #arrive(instance: string, leases: readonly Lease[], wants: readonly Want[], hints: number): void {
    // Registered anew meanwhile: these leases belong to a past life, and are void.
    if (instance !== this.#session.id) return;
    const now = this.clock.monotonic();
    const quiet = hints === this.#hints;
    for (const { queue, limit } of wants) {
      const lane = this.#byQueue.get(queue);
      const lease = leases.find((each) => each.queue === queue);
      if (lane === undefined) continue;
      if (quiet && (lease?.jobs.length ?? 0) < limit) lane.dry = true;
      if (lease === undefined) continue;
      const held = this.#outbox.hold(lease.id, queue, lease.jobs.length);
      for (const job of lease.jobs) lane.push({ job, lease: held, since: now });
      if (this.#phase !== "working") this.#release(lane.remove());
    }
    this.#fill();
  }

  /** Starts what may start. A handler that ends at once calls back in here: the outer loop goes on then. */
  #fill(): void {
    if (this.#filling) return;
    this.#filling = true;
    try {
      let resting = 0;
      while (resting < this.#lanes.length && this.#running.size < this.#options.concurrency) {
        const lane = this.#lanes[this.#turn % this.#lanes.length];
        const next = lane !== undefined && lane.running < lane.limit ? lane.shift() : undefined;
        if (lane === undefined || next === undefined) {
          resting++;
          this.#turn++;
          continue;
        }
        resting = 0;
        if (this.#lanes.length > 1) this.#turn++;
        this.#begin(lane, next);
      }
    } finally {
      this.#filling = false;
    }
  }

  #begin(lane: Lane, { job, lease }: Waiting): void {
    const definition = this.#registry.get(job.name);
    if (definition === undefined) {
      // The store gives only names that were asked for; a store that does not is not worth losing a job over.
      this.logger.error({ job: job.id }, `The store gave a job named ${job.name}, which was not asked for.`);
      this.#outbox.add(lease, { job: job.id, type: "released" });
      return;
    }
    lane.running++;
    const attempt = new Attempt(job, lease, definition, this);
    this.#running.set(job.id, attempt);
    attempt.run();
  }

  #handBack(now: number): void {
    for (const lane of this.#lanes) {
      if ((lane.waitingSince ?? now) + HAND_BACK_AFTER > now) continue;
      const waiting = lane.remove();
      lane.slowDown();
      this.logger.debug({ queue: lane.queue, jobs: waiting.length }, "handed back jobs that found no free slot");
      this.#release(waiting);
    }
  }

  #release(waiting: readonly Waiting[]): void {
    for (const { job, lease } of waiting) this.#outbox.add(lease, { job: job.id, type: "released" });
  }

  #hear(wake: Wake): void {
    if (wake.what === "work") {
      let ours = false;
      for (const queue of wake.queues) {
        const lane = this.#byQueue.get(queue);
        if (lane === undefined) continue;
        lane.dry = false;
        ours = true;
      }
      if (!ours) return;
    } else if (wake.what === "unknown") this.#undry();
    else return;
    this.#hints++;
    this.#bell.ring();
  }

  #undry(): void {
    for (const lane of this.#lanes) lane.dry = false;
  }

  async #drained(within: number, signal: AbortSignal): Promise<void> {
    const until = this.clock.monotonic() + within;
    while (this.#running.size > 0 && !signal.aborted) {
      const left = until - this.clock.monotonic();
      if (left <= 0) return;
      await this.#empty.wait(left);
    }
  }

  #leave(): undefined {
    const { pending } = this.#outbox;
    if (pending > 0) {
      this.logger.error(
        { pending },
        `The worker stops with ${pending} outcomes that the store did not take: those jobs are run again.`,
      );
    }
    return undefined;
  }
}
