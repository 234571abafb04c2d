/**
 * The worker: claims jobs under leases, runs them, settles their outcomes. One loop talks to the store, and each of its
 * turns settles what has ended and claims what is missing, in one commit.
 */
import { setImmediate } from "node:timers/promises";
import { NightshiftError } from "../../errors/index.ts";
import type { ScopeFactory } from "../../services/index.ts";
import type {
  CancelRequest,
  InstanceId,
  JobId,
  Lease,
  LeaseId,
  NewJob,
  Outcome,
  Store,
  Want,
} from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import { type Clock, formatDuration, type Timer } from "../../time/index.ts";
import { Bell } from "../bell.ts";
import type { JobRegistry } from "../registry.ts";
import type { Session, SessionListener } from "../upkeep/session.ts";
import { Attempt, type AttemptWorker } from "./attempt.ts";
import { DirectClaims } from "./direct.ts";
import { Exchange } from "./exchange.ts";
import { type Batch, Outbox } from "./held-lease.ts";
import type { Waiting } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { StoreTime } from "./store-time.ts";

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
/** Exchanges under way at once: while the store works on one, the jobs that the other brought are run. */
const UNDER_WAY = 2;
/** After their signal, handlers have this long when the host stops. */
const STOP_GRACE = 5_000;

/** Outcomes whose database is away are tried again after about so long. */
const AGAIN = 1_000;

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
  readonly #lanes: Lanes;
  readonly #outbox = new Outbox();
  readonly #exchange: Exchange;
  readonly #direct: DirectClaims;
  /** By identity, not by id: a job whose lease was lost may come back while its old attempt still ends. */
  readonly #running = new Set<Attempt>();
  readonly #bell: Bell;
  /** Rung when the last running attempt is over. */
  readonly #empty: Bell;
  #phase: Phase = "working";
  #subscription: Disposable | undefined;
  #loop: Promise<void> | undefined;
  #filling = false;
  #failure: { readonly error: unknown } | undefined;
  /** Outcomes that were put off are tried again then. */
  #retry: Timer | undefined;
  #exchangedAt = Number.NEGATIVE_INFINITY;
  #underWay = 0;
  /** The last exchange that was begun. What exchanges bring is taken in the order in which they were begun. */
  #last: Promise<void> = Promise.resolve();
  readonly #storeTime: StoreTime;

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
    this.#lanes = new Lanes(parts.options.queues, parts.options.pollInterval, parts.clock.monotonic());
    this.#storeTime = new StoreTime(parts.clock);
    this.#bell = new Bell(parts.clock);
    this.#empty = new Bell(parts.clock);
    this.#direct = new DirectClaims({
      store: parts.store,
      registry: parts.registry,
      lanes: this.#lanes,
      instance: () => this.#directInstance(),
      free: () => this.#options.concurrency - this.#running.size,
      arrived: (instance, leases) => this.#receive(instance, leases),
      unanswered: (instance) => this.#doubt(instance),
    });
    this.#exchange = new Exchange(parts, async () => {
      await this.#direct.settled();
      return this.#outbox.heldIds;
    });
  }

  /** How many handlers run now. */
  get running(): number {
    return this.#running.size;
  }

  /** Whether a claimed job could begin at once. */
  get hasFreeSlot(): boolean {
    return this.#phase === "working" && this.#busy < this.#options.concurrency;
  }

  /** Handlers that run, and slots kept for those on their way. */
  get #busy(): number {
    return this.#running.size + this.#direct.reserved;
  }

  /** Stores jobs and claims them at once where slots are free; undefined when they are to be enqueued as always. */
  enqueueDirectly(jobs: readonly NewJob[]): Promise<readonly JobId[]> | undefined {
    return this.#direct.enqueue(jobs);
  }

  /** Listens to what the session and the store tell. Call it before the session starts, or soon after. */
  prepare(): void {
    this.#session.listen(this);
    this.#subscription = this.#store.subscribe((wake) => {
      if (this.#lanes.hear(wake, this.clock.monotonic())) this.#bell.ring();
    });
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
    this.#release(this.#lanes.remove());
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
      for (const attempt of [...this.#running]) attempt.abort(reason);
      await this.#drained(STOP_GRACE, signal);
      for (const attempt of [...this.#running]) attempt.abandon();
    }
    this.#phase = "over";
    this.#bell.ring();
    await this.#loop;
    signal.removeEventListener("abort", hurry);
  }

  // What direct claims ask and tell.

  #directInstance(): InstanceId | undefined {
    const { id } = this.#session;
    return id !== undefined && this.#phase === "working" && !this.#exchange.isUnsureOf(id) ? id : undefined;
  }

  /** Begins once the caller of enqueue has heard that its job is stored. */
  #receive(instance: InstanceId, leases: readonly Lease[]): void {
    if (instance !== this.#session.id) return;
    const now = this.clock.monotonic();
    for (const { id, queue, jobs } of leases) {
      this.#lanes.push(queue, jobs, this.#outbox.hold(id, queue, jobs.length), now);
    }
    process.nextTick(() => {
      if (this.#phase === "working") this.#fill();
      else this.#release(this.#lanes.remove());
      this.#bell.ring();
    });
  }

  /** The next exchange hands back what the store gave without our knowing. */
  #doubt(instance: InstanceId): void {
    this.#exchange.doubt(instance);
    this.#lanes.askAll(this.clock.monotonic());
    this.#bell.ring();
  }

  // What attempts and the session tell.

  over(attempt: Attempt, outcome: Outcome | undefined): void {
    this.#running.delete(attempt);
    this.#lanes.ended(attempt.queue);
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
    this.#lanes.remove();
    for (const attempt of [...this.#running]) attempt.abort(reason);
  }

  lostSome(ids: readonly LeaseId[], reason: NightshiftError): void {
    for (const id of ids) {
      const lease = this.#outbox.lose(id);
      if (lease === undefined) continue;
      this.#lanes.remove((waiting) => waiting.lease === lease);
      for (const attempt of [...this.#running]) if (attempt.lease === lease) attempt.abort(reason);
    }
  }

  registered(): void {
    this.#lanes.askAll(this.clock.monotonic());
    this.#bell.ring();
  }

  cancelled(requests: readonly CancelRequest[]): void {
    const reasons = new Map(requests.map(({ job, reason }) => [job, reason]));
    for (const attempt of [...this.#running]) {
      const reason = reasons.get(attempt.id);
      if (reason === undefined || attempt.lease.lost) continue;
      const message = `Job ${attempt.id} was cancelled: ${reason}`;
      attempt.abort(new NightshiftError("NS_JOB_CANCELLED", message, { details: { reason } }), reason);
    }
    for (const { job, lease } of this.#lanes.remove((waiting) => reasons.has(waiting.job.id))) {
      this.#outbox.add(lease, { job: job.id, type: "cancelled", ms: 0, reason: reasons.get(job.id) ?? "" });
    }
    this.#bell.ring();
  }

  holdsJobs(): boolean {
    return this.#running.size > 0 || this.#lanes.anyWaiting;
  }

  // The loop.

  async #work(): Promise<void> {
    for (;;) {
      const wait = this.#nextIn();
      if (wait === undefined) return;
      if (wait > 0) await this.#bell.wait(wait);
      else this.#turnOver();
    }
  }

  /** How long the loop may rest; undefined when its work is done for good. */
  #nextIn(): number | undefined {
    const now = this.clock.monotonic();
    const { pending, aside } = this.#outbox;
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#phase === "over" && this.#underWay === 0 && (pending + aside === 0 || this.#exchange.givenUp))
      return this.#leave();
    if (this.#session.id === undefined) return Number.POSITIVE_INFINITY;
    this.#handBack(now);
    const rest = this.#phase === "working" ? this.#lanes.tick(now) : Number.POSITIVE_INFINITY;
    if (this.#underWay > 0) return this.#mayOverlap(pending) ? 0 : Math.max(1, rest);
    // With nothing running there is nothing to wait for: no more outcomes will come.
    if (this.#isHungry() || pending >= ENOUGH || (pending > 0 && this.#running.size === 0)) return 0;
    if (pending > 0) return Math.max(0, this.#exchangedAt + WINDOW - now);
    return Math.max(1, rest);
  }

  /** Another exchange beside the one under way: only to move many jobs, so that slow queues are claimed from one by one. */
  #mayOverlap(pending: number): boolean {
    const { id } = this.#session;
    // A claim that got no answer is cleared up while no other is under way.
    if (this.#underWay >= UNDER_WAY || id === undefined || this.#exchange.isUnsureOf(id)) return false;
    return pending >= ENOUGH || (this.#phase === "working" && this.#lanes.mostMissing() >= ENOUGH);
  }

  #isHungry(): boolean {
    return this.#phase === "working" && this.#busy < this.#options.concurrency && this.#lanes.isHungry();
  }

  #turnOver(): void {
    const instance = this.#session.id;
    if (instance === undefined) return;
    const now = this.clock.monotonic();
    this.#exchangedAt = now;
    const wants = this.#wants(now);
    const batch = this.#outbox.take();
    this.#underWay++;
    this.#noteStoreTime();
    const exchange = this.#exchangeOne(instance, batch, wants, this.#last);
    this.#last = exchange.then(
      () => this.#ended(),
      (error: unknown) => {
        this.#failure ??= { error };
        this.#ended();
      },
    );
  }

  async #exchangeOne(instance: string, batch: Batch, wants: readonly Want[], before: Promise<void>): Promise<void> {
    const { hints } = this.#lanes;
    const answer = await this.#exchange.with(instance, batch.settlements, wants);
    await before;
    if (answer === undefined) {
      this.#outbox.putBack(batch);
      this.#lanes.failed(wants);
    } else {
      this.#settled(this.#putOff(batch, answer.unsettled), answer.refused);
      this.#arrive(instance, answer.leases, wants, hints);
    }
    // A store that answers within the turn must not keep timers and sockets from theirs.
    await setImmediate();
  }

  #ended(): void {
    this.#underWay--;
    this.#noteStoreTime();
    this.#bell.ring();
  }

  #noteStoreTime(): void {
    this.#storeTime.note(this.#underWay > 0 && this.#running.size === 0);
  }

  #wants(now: number): readonly Want[] {
    if (this.#phase !== "working") return [];
    return this.#lanes.wants(this.#options.concurrency - this.#busy, now, this.#storeTime.upTo(now));
  }

  /** Keeps what one database of several could not record, for another try; gives the rest. */
  #putOff(batch: Batch, unsettled: readonly LeaseId[] = []): Batch {
    if (unsettled.length === 0) return batch;
    const rest = this.#outbox.setAside(batch, unsettled);
    this.#retry ??= this.clock.setTimer(AGAIN * (0.5 + this.random()), () => {
      this.#retry = undefined;
      this.#outbox.bringBack();
      this.#bell.ring();
    });
    return rest;
  }

  #settled(batch: Batch, refused: readonly string[]): void {
    for (const lease of this.#outbox.settled(batch, refused)) {
      const reason = new NightshiftError(
        "NS_LEASE_LOST",
        `Lease ${lease.id} is no longer held: its jobs run elsewhere.`,
      );
      const outcomes = batch.settlements.find((settlement) => settlement.lease === lease.id)?.outcomes ?? [];
      const jobs = outcomes.map((outcome) => outcome.job);
      this.logger.warn({ lease: lease.id, jobs }, `${jobs.length} outcomes were refused: their lease is lost.`);
      this.#lanes.remove((waiting) => waiting.lease === lease);
      for (const attempt of [...this.#running]) if (attempt.lease === lease) attempt.abort(reason);
    }
  }

  #arrive(instance: string, leases: readonly Lease[], wants: readonly Want[], hints: number): void {
    // Registered anew meanwhile: these leases belong to a past life, and are void.
    if (instance !== this.#session.id) return;
    const now = this.clock.monotonic();
    for (const want of wants) {
      const lease = leases.find(({ queue }) => queue === want.queue);
      const held = lease && this.#outbox.hold(lease.id, lease.queue, lease.jobs.length);
      this.#lanes.arrived(want, lease?.jobs ?? [], held, hints, now);
    }
    if (this.#phase === "working") this.#fill();
    else this.#release(this.#lanes.remove());
  }

  /** Starts what may start. A handler that ends at once calls back in here: the outer loop goes on then. */
  #fill(): void {
    if (this.#filling) return;
    this.#filling = true;
    try {
      while (this.#busy < this.#options.concurrency) {
        const next = this.#lanes.next();
        if (next === undefined) return;
        this.#begin(next);
      }
    } finally {
      this.#filling = false;
      if (this.#running.size === 0) this.#noteStoreTime();
    }
  }

  #begin({ job, lease }: Waiting): void {
    const definition = this.#registry.get(job.name);
    if (definition === undefined) {
      // The store gives only names that were asked for; a store that does not is not worth losing a job over.
      this.logger.error({ job: job.id }, `The store gave a job named ${job.name}, which was not asked for.`);
      this.#lanes.ended(lease.queue);
      this.#outbox.add(lease, { job: job.id, type: "released" });
      return;
    }
    const attempt = new Attempt(job, lease, definition, this);
    this.#running.add(attempt);
    if (this.#storeTime.waits) this.#noteStoreTime();
    attempt.run();
  }

  #handBack(now: number): void {
    const stale = this.#lanes.takeStale(now);
    if (stale.length === 0) return;
    this.logger.debug({ jobs: stale.length }, "handed back jobs that found no free slot");
    this.#release(stale);
  }

  #release(waiting: readonly Waiting[]): void {
    for (const { job, lease } of waiting) this.#outbox.add(lease, { job: job.id, type: "released" });
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
    this.#retry?.cancel();
    const pending = this.#outbox.pending + this.#outbox.aside;
    if (pending > 0) {
      this.logger.error(
        { pending },
        `The worker stops with ${pending} outcomes that the store did not take: those jobs are run again.`,
      );
    }
    return undefined;
  }
}
