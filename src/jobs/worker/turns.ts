/**
 * The loop that talks to the store: each of its turns settles what has ended and claims what is missing, in one commit.
 * When the next turn is due, how many are under way at once, and what becomes of the answers.
 */
import { setImmediate } from "node:timers/promises";
import { NightshiftError } from "../../errors/index.ts";
import type { InstanceId, Lease, LeaseId, Want } from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import type { Clock, Timer } from "../../time/index.ts";
import type { Bell } from "../bell.ts";
import type { Attempts } from "./attempts.ts";
import type { Exchange } from "./exchange.ts";
import type { Batch, Outbox } from "./held-lease.ts";
import type { Waiting } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { StoreTime } from "./store-time.ts";

/** While nobody waits for it, an exchange with the store is put off for so long, to carry more. */
const WINDOW = 4;
/** An exchange that carries so many outcomes is not put off. */
const ENOUGH = 500;
/** Outcomes whose database is away are tried again after about so long. */
const AGAIN = 1_000;
/** A stop whose time is over waits so long for answers that are on their way: less than a host waits before it calls that hanging. */
const LAST_ANSWER = 200;

/** What a worker is at: claims and runs; lets end what runs; only settles what is left. */
export type Phase = "working" | "draining" | "over";

/** What the loop needs of its worker. */
export interface TurnsParts {
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly random: () => number;
  readonly exchange: Exchange;
  /** Exchanges under way at once. */
  readonly mostUnderWay: number;
  readonly lanes: Lanes;
  readonly outbox: Outbox;
  readonly attempts: Attempts;
  readonly storeTime: StoreTime;
  /** Ends the loop's rest: something has changed. */
  readonly bell: Bell;
  readonly phase: () => Phase;
  /** Whom to claim for; undefined while there is no registration. */
  readonly instance: () => InstanceId | undefined;
}

export class Turns {
  readonly #parts: TurnsParts;
  #failure: { readonly error: unknown } | undefined;
  /** Outcomes that were put off are tried again then. */
  #retry: Timer | undefined;
  #exchangedAt = Number.NEGATIVE_INFINITY;
  #underWay = 0;
  /** When the loop leaves without the answers that are on their way. */
  #leaveAt: number | undefined;
  /** The last exchange that was begun. What exchanges bring is taken in the order in which they were begun. */
  #last: Promise<void> = Promise.resolve();

  constructor(parts: TurnsParts) {
    this.#parts = parts;
  }

  /** Takes turns until the worker is over and everything is settled; rejects when it cannot go on. */
  async run(): Promise<void> {
    const { bell } = this.#parts;
    try {
      for (;;) {
        const wait = this.#nextIn();
        if (wait === undefined) return;
        if (wait > 0) await bell.wait(wait);
        else this.#turn();
      }
    } finally {
      bell.still();
    }
  }

  /** Begins what was claimed, or hands it back when the worker does not begin anything any more. */
  taken(): void {
    const { attempts, lanes } = this.#parts;
    if (this.#isWorking) attempts.fill();
    else this.release(lanes.remove());
  }

  /** Hands back jobs that have not begun. */
  release(waiting: readonly Waiting[]): void {
    for (const { job, lease } of waiting) this.#parts.outbox.add(lease, { job: job.id, type: "released" });
  }

  get #isWorking(): boolean {
    return this.#parts.phase() === "working";
  }

  // When.

  /** How long the loop may rest; undefined when its work is done for good. */
  #nextIn(): number | undefined {
    const { clock, outbox, exchange, attempts, lanes, phase, instance } = this.#parts;
    const now = clock.monotonic();
    if (this.#failure !== undefined) throw this.#failure.error;
    if (phase() === "over" && this.#underWay === 0 && (outbox.pending + outbox.aside === 0 || exchange.givenUp))
      return this.#leave();
    if (phase() === "over" && exchange.givenUp) {
      this.#leaveAt ??= now + LAST_ANSWER;
      return now < this.#leaveAt ? this.#leaveAt - now : this.#leave();
    }
    if (instance() === undefined) return Number.POSITIVE_INFINITY;
    this.#handBack(now);
    // Counted now: what was just handed back is to be told at once.
    const { pending } = outbox;
    const rest = this.#isWorking ? lanes.tick(now) : Number.POSITIVE_INFINITY;
    if (this.#underWay > 0) return this.#mayOverlap(pending) ? 0 : Math.max(1, rest);
    // With nothing running there is nothing to wait for: no more outcomes will come.
    if (this.#isHungry() || pending >= ENOUGH || (pending > 0 && attempts.running === 0)) return 0;
    if (pending > 0) return Math.max(0, this.#exchangedAt + WINDOW - now);
    return Math.max(1, rest);
  }

  /** Another exchange beside the one under way: only to move many jobs, so that slow queues are claimed from one by one. */
  #mayOverlap(pending: number): boolean {
    const { instance, exchange, lanes, mostUnderWay } = this.#parts;
    const id = instance();
    // A claim that got no answer is cleared up while no other is under way.
    if (this.#underWay >= mostUnderWay || id === undefined || exchange.isUnsureOf(id)) return false;
    return pending >= ENOUGH || (this.#isWorking && lanes.mostMissing() >= ENOUGH);
  }

  #isHungry(): boolean {
    return this.#isWorking && this.#parts.attempts.free > 0 && this.#parts.lanes.isHungry();
  }

  #handBack(now: number): void {
    const stale = this.#parts.lanes.takeStale(now);
    if (stale.length === 0) return;
    this.#parts.logger.debug({ jobs: stale.length }, "handed back jobs that found no free slot");
    this.release(stale);
  }

  #leave(): undefined {
    this.#retry?.cancel();
    const { outbox, logger } = this.#parts;
    const pending = outbox.pending + outbox.aside;
    if (this.#underWay > 0) {
      logger.error(
        { underWay: this.#underWay },
        "The worker stops before the store has answered: outcomes that it did not take are lost, and those jobs are run again.",
      );
    }
    if (pending > 0) {
      logger.error(
        { pending },
        `The worker stops with outcomes that the store did not take (${pending}): those jobs are run again.`,
      );
    }
    return undefined;
  }

  // One turn.

  #turn(): void {
    const instance = this.#parts.instance();
    if (instance === undefined) return;
    const now = this.#parts.clock.monotonic();
    this.#exchangedAt = now;
    const wants = this.#wants(now);
    const batch = this.#parts.outbox.take();
    this.#count(1);
    // A store that answers within the turn must not keep timers and sockets from theirs. This is not waited for in
    // #exchangeOne: a function that waits keeps all it ever held, and garbage is collected just then.
    const exchange = this.#exchangeOne(instance, batch, wants, this.#last).then(() => setImmediate());
    this.#last = exchange.then(
      () => this.#ended(),
      (error: unknown) => {
        this.#failure ??= { error };
        this.#ended();
      },
    );
  }

  #wants(now: number): readonly Want[] {
    if (!this.#isWorking) return [];
    const { lanes, attempts, storeTime } = this.#parts;
    return lanes.wants(attempts.free, now, storeTime.upTo(now));
  }

  async #exchangeOne(instance: InstanceId, batch: Batch, wants: readonly Want[], before: Promise<void>): Promise<void> {
    const { lanes, exchange, outbox } = this.#parts;
    const { hints } = lanes;
    const answer = await exchange.with(instance, batch.settlements, wants);
    await before;
    if (answer === undefined) {
      outbox.putBack(batch);
      lanes.failed(wants);
    } else {
      this.#settled(this.#putOff(batch, answer.unsettled), answer.refused);
      this.#arrive(instance, answer.leases, wants, hints);
    }
  }

  #ended(): void {
    this.#count(-1);
    this.#parts.bell.ring();
  }

  #count(change: 1 | -1): void {
    this.#underWay += change;
    this.#parts.storeTime.asked(this.#underWay > 0);
  }

  // What it brought.

  /** Keeps what one database of several could not record, for another try; gives the rest. */
  #putOff(batch: Batch, unsettled: readonly LeaseId[] = []): Batch {
    if (unsettled.length === 0) return batch;
    const { clock, random, outbox, bell } = this.#parts;
    const rest = outbox.setAside(batch, unsettled);
    this.#retry ??= clock.setTimer(AGAIN * (0.5 + random()), () => {
      this.#retry = undefined;
      outbox.bringBack();
      bell.ring();
    });
    return rest;
  }

  #settled(batch: Batch, refused: readonly LeaseId[]): void {
    const { logger, outbox, lanes, attempts } = this.#parts;
    for (const lease of outbox.settled(batch, refused)) {
      const reason = new NightshiftError(
        "NS_LEASE_LOST",
        `Lease ${lease.id} is no longer held: its jobs run elsewhere.`,
      );
      const outcomes = batch.settlements.find((settlement) => settlement.lease === lease.id)?.outcomes ?? [];
      const jobs = outcomes.map((outcome) => outcome.job);
      logger.warn({ lease: lease.id, jobs }, `Outcomes that were refused, as their lease is lost: ${jobs.length}.`);
      lanes.remove((waiting) => waiting.lease === lease);
      attempts.abort(reason, lease);
    }
  }

  #arrive(instance: InstanceId, leases: readonly Lease[], wants: readonly Want[], hints: number): void {
    const { clock, lanes, outbox } = this.#parts;
    // Registered anew meanwhile: these leases belong to a past life, and are void.
    if (instance !== this.#parts.instance()) return;
    const now = clock.monotonic();
    for (const want of wants) {
      const lease = leases.find(({ queue }) => queue === want.queue);
      const held = lease && outbox.hold(lease.id, lease.queue, lease.jobs.length);
      lanes.arrived(want, lease?.jobs ?? [], held, hints, now);
    }
    this.taken();
  }
}
