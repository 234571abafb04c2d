/**
 * The worker: claims jobs under leases, runs them, settles their outcomes. Here are its beginning, its end, and what
 * others tell it; {@link Turns} talks to the store, {@link Attempts} run the handlers.
 */
import { NightshiftError } from "../../errors/index.ts";
import type { ScopeFactory } from "../../services/index.ts";
import type { CancelRequest, InstanceId, JobId, Lease, LeaseId, NewJob, Store } from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import { type Clock, formatDuration } from "../../time/index.ts";
import { Bell } from "../bell.ts";
import type { Outages } from "../outages.ts";
import type { JobRegistry } from "../registry.ts";
import type { Session, SessionListener } from "../upkeep/session.ts";
import { Attempts } from "./attempts.ts";
import { DirectClaims } from "./direct.ts";
import { Exchange } from "./exchange.ts";
import { Outbox } from "./held-lease.ts";
import { Lanes } from "./lanes.ts";
import { StoreTime } from "./store-time.ts";
import { type Phase, Turns } from "./turns.ts";

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
  readonly outages: Outages;
  readonly maxPayload: number;
  readonly options: WorkerOptions;
}

/** After their signal, handlers have this long when the host stops. */
const STOP_GRACE = 5_000;

export class Worker implements SessionListener {
  readonly #clock: Clock;
  readonly #logger: LoggerLike;
  readonly #store: Store;
  readonly #session: Session;
  readonly #options: WorkerOptions;
  readonly #lanes: Lanes;
  readonly #outbox = new Outbox();
  readonly #attempts: Attempts;
  readonly #direct: DirectClaims;
  readonly #exchange: Exchange;
  readonly #turns: Turns;
  readonly #bell: Bell;
  #phase: Phase = "working";
  #subscription: Disposable | undefined;
  #loop: Promise<void> | undefined;

  constructor(parts: WorkerParts) {
    const { store, session, options, clock } = parts;
    this.#clock = clock;
    this.#logger = parts.logger;
    this.#store = store;
    this.#session = session;
    this.#options = options;
    // Two where the store works on one while the jobs that the other brought are run.
    const mostUnderWay = store.info().synchronous === true ? 1 : 2;
    this.#lanes = new Lanes(options.queues, options.pollInterval, mostUnderWay, clock.monotonic());
    this.#bell = new Bell(clock);
    const shared = { ...parts, lanes: this.#lanes, outbox: this.#outbox, storeTime: new StoreTime(clock) };
    this.#attempts = new Attempts({
      ...shared,
      concurrency: options.concurrency,
      reserved: () => this.#direct.reserved,
      working: () => this.#phase === "working",
      ended: () => this.#bell.ring(),
    });
    this.#direct = new DirectClaims({
      ...shared,
      instance: () => this.#directInstance(),
      free: () => this.#attempts.unused,
      arrived: (instance, leases) => this.#receive(instance, leases),
      unanswered: (instance) => this.#doubt(instance),
    });
    this.#exchange = new Exchange(parts, async () => {
      await this.#direct.settled();
      return this.#outbox.heldIds;
    });
    this.#turns = new Turns({
      ...shared,
      exchange: this.#exchange,
      mostUnderWay,
      attempts: this.#attempts,
      bell: this.#bell,
      phase: () => this.#phase,
      instance: () => session.id,
    });
  }

  /** How many handlers run now. */
  get running(): number {
    return this.#attempts.running;
  }

  /** Whether a claimed job could begin at once. */
  get hasFreeSlot(): boolean {
    return this.#phase === "working" && this.#attempts.free > 0;
  }

  /** Stores jobs and claims them at once where slots are free; undefined when they are to be enqueued as always. */
  enqueueDirectly(jobs: readonly NewJob[]): Promise<readonly JobId[]> | undefined {
    return this.#direct.enqueue(jobs);
  }

  /** Listens to what the session and the store tell. Call it before the session starts, or soon after. */
  prepare(): void {
    this.#session.listen(this);
    this.#subscription = this.#store.subscribe((wake) => {
      if (this.#lanes.hear(wake, this.#clock.monotonic())) this.#bell.ring();
    });
  }

  /** Works until stopped; rejects when it cannot go on. */
  run(): Promise<void> {
    this.#loop ??= this.#turns.run();
    return this.#loop;
  }

  /** No more claims from here on; what was claimed and has not begun is handed back. */
  stopClaiming(): void {
    if (this.#phase !== "working") return;
    this.#phase = "draining";
    this.#subscription?.[Symbol.dispose]();
    this.#turns.release(this.#lanes.remove());
    this.#bell.ring();
  }

  /**
   * Lets running handlers finish, then asks them to, then hands back what is left; settles everything.
   *
   * @param signal aborted when there is no time left
   */
  async stop(signal: AbortSignal): Promise<void> {
    const attempts = this.#attempts;
    const hurry = () => {
      this.#exchange.giveUp();
      attempts.hurry();
      this.#bell.ring();
    };
    if (signal.aborted) hurry();
    signal.addEventListener("abort", hurry, { once: true });
    this.stopClaiming();
    await attempts.drained(this.#options.drainTimeout, signal);
    if (attempts.running > 0) {
      const count = attempts.running;
      this.#logger.warn(
        { running: count },
        `Jobs that still run after ${formatDuration(this.#options.drainTimeout)}: ${count}. Their signals are aborted.`,
      );
      attempts.abort(
        new NightshiftError("NS_HOST_STOPPING", "The host is stopping and its time for draining is over."),
      );
      await attempts.drained(STOP_GRACE, signal);
      attempts.abandon();
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
    const now = this.#clock.monotonic();
    for (const { id, queue, jobs } of leases) {
      this.#lanes.push(queue, jobs, this.#outbox.hold(id, queue, jobs.length), now);
    }
    process.nextTick(() => {
      this.#turns.taken();
      this.#bell.ring();
    });
  }

  /** The next exchange hands back what the store gave without our knowing. */
  #doubt(instance: InstanceId): void {
    this.#exchange.doubt(instance);
    this.#lanes.askAll(this.#clock.monotonic());
    this.#bell.ring();
  }

  // What the session tells.

  lost(reason: NightshiftError): void {
    const refused = this.#outbox.loseAll();
    if (refused > 0) {
      const said = refused === 1 ? "An outcome" : `${refused} outcomes`;
      this.#logger.warn({ refused }, `${said} came too late to be recorded: the lease is lost.`);
    }
    this.#lanes.remove();
    this.#attempts.abort(reason);
  }

  lostSome(ids: readonly LeaseId[], reason: NightshiftError): void {
    for (const id of ids) {
      const lease = this.#outbox.lose(id);
      if (lease === undefined) continue;
      this.#lanes.remove((waiting) => waiting.lease === lease);
      this.#attempts.abort(reason, lease);
    }
  }

  registered(): void {
    this.#lanes.askAll(this.#clock.monotonic());
    this.#bell.ring();
  }

  cancelled(requests: readonly CancelRequest[]): number {
    const reasons = new Map(requests.map(({ job, reason }) => [job, reason]));
    let reached = 0;
    for (const attempt of this.#attempts.all()) {
      const reason = reasons.get(attempt.id);
      if (reason === undefined || attempt.lease.lost) continue;
      reached++;
      const message = `Job ${attempt.id} was cancelled: ${reason}`;
      attempt.abort(new NightshiftError("NS_JOB_CANCELLED", message, { details: { reason } }), reason);
    }
    for (const { job, lease } of this.#lanes.remove((waiting) => reasons.has(waiting.job.id))) {
      this.#outbox.add(lease, { job: job.id, type: "cancelled", ms: 0, reason: reasons.get(job.id) ?? "" });
      reached++;
    }
    this.#bell.ring();
    return requests.length - reached;
  }

  atWork(): readonly string[] {
    return this.#attempts.atWork();
  }

  holdsJobs(): boolean {
    return this.#attempts.running > 0 || this.#lanes.anyWaiting;
  }
}
