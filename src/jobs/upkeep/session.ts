/** This process's registration in the store: kept alive by heartbeats, lost when they fail for too long, and then made anew. */
import { NightshiftError } from "../../errors/index.ts";
import type { CancelRequest, InstanceId, LeaseId, NewInstance, Store, Wake } from "../../store/contract.ts";
import { formatDuration, type Timer } from "../../time/index.ts";
import { ClockWatch } from "./clock-watch.ts";
import { Routine, type RoutineParts } from "./routine.ts";

/** Hints of other processes may mean a cancellation; they cause a heartbeat at most this often, while jobs run. */
const ASK_AT_MOST_EVERY = 1_000;

/** In heartbeats. */
const COMPARE_EVERY = 10;

/** Who must know of it: the worker. */
export interface SessionListener {
  /** Leases are void: their jobs may be run elsewhere already. */
  lost(reason: NightshiftError): void;
  /** These leases are void, the others are not. */
  lostSome(leases: readonly LeaseId[], reason: NightshiftError): void;
  /** There is an instance (again) to claim with. */
  registered(): void;
  /** Gives how many of the jobs are not here: the answer of the claim that took them may be on its way. */
  cancelled(requests: readonly CancelRequest[]): number;
  /** Whether any job is held: only then can a hint be a cancellation. */
  holdsJobs(): boolean;
  /** For people: which handlers run, or have just ended. */
  atWork(): readonly string[];
}

export class Session {
  readonly #store: Store;
  readonly #about: NewInstance;
  readonly #ttl: number;
  readonly #parts: Omit<RoutineParts, "name" | "duty">;
  readonly #routine: Routine;
  #listener: SessionListener | undefined;
  #subscription: Disposable | undefined;
  #id: InstanceId | undefined;
  /** Registered, but not to be used any more: heartbeats failed for longer than it lives. */
  #doubtful: InstanceId | undefined;
  #expiry: Timer | undefined;
  #beatAt = Number.NEGATIVE_INFINITY;
  #asked = false;
  readonly #clocks: ClockWatch;
  #beats = 0;
  #onAlive: () => void = () => undefined;

  constructor(store: Store, about: NewInstance, ttl: number, parts: Omit<RoutineParts, "name" | "duty">) {
    this.#store = store;
    this.#about = about;
    this.#ttl = ttl;
    this.#parts = parts;
    this.#clocks = new ClockWatch(store, parts.clock, parts.logger);
    this.#routine = new Routine({ ...parts, name: "heartbeat", duty: () => this.#beat() });
  }

  /** The instance to claim and settle with; undefined while there is none. */
  get id(): InstanceId | undefined {
    return this.#id;
  }

  /** Registered, and without a sign of life for longer than that lasts: the loop was blocked, and the loss is about to be told. */
  get isOverdue(): boolean {
    return this.#id !== undefined && this.#parts.clock.monotonic() - this.#beatAt > this.#ttl;
  }

  listen(listener: SessionListener): void {
    this.#listener = listener;
  }

  /**
   * Registers; rejects with what the store says, and is not registered then.
   *
   * @param alive called with each sign of life that reached the store
   * @param signal aborted when nobody waits for the start any more, and so nobody would stop what has started
   */
  async start(alive: () => void = () => undefined, signal?: AbortSignal): Promise<void> {
    this.#onAlive = alive;
    await this.#register();
    try {
      await this.#clocks.compare();
      signal?.throwIfAborted();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#subscription = this.#store.subscribe((wake) => this.#hear(wake));
    this.#routine.start(this.#ttl / 3);
  }

  /** Leaves: what is still held is ready again at once. */
  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    this.#expiry?.cancel();
    await this.#routine.stop();
    // A heartbeat that was under way has set it anew.
    this.#expiry?.cancel();
    const id = this.#id ?? this.#doubtful;
    this.#id = undefined;
    if (id === undefined) return;
    try {
      await this.#store.deregister(id);
    } catch (err) {
      const message =
        "This process could not sign off from the store: what it still holds is rescued when its lease ends.";
      this.#parts.logger.warn({ err }, message);
    }
  }

  #hear(wake: Wake): void {
    if (wake.what === "cancellation") this.#routine.wake();
    else if (wake.what === "unknown" && this.#listener?.holdsJobs()) {
      this.#asked = true;
      this.#routine.wake();
    }
  }

  async #register(): Promise<void> {
    const sentAt = this.#parts.clock.monotonic();
    this.#id = await this.#store.register(this.#about, this.#ttl);
    this.#alive(sentAt);
    this.#listener?.registered();
  }

  async #beat(): Promise<number> {
    const { clock, logger } = this.#parts;
    const third = this.#ttl / 3;
    const sentAt = clock.monotonic();
    const early = this.#beatAt + Math.min(ASK_AT_MOST_EVERY, third) - sentAt;
    if (this.#asked && early > 0) return early;
    this.#asked = false;
    if (this.#doubtful !== undefined) {
      // It may live on in the store, with leases that nobody here honours any more.
      await this.#store.deregister(this.#doubtful);
      this.#doubtful = undefined;
    }
    if (this.#id === undefined) {
      await this.#register();
      logger.info({ instance: this.#id }, "Registered in the store anew.");
      return third;
    }
    const beaten = this.#id;
    const answer = await this.#store.heartbeat(beaten, this.#ttl);
    if (this.#id !== beaten) return 0;
    if (!answer.alive) {
      this.#lose(`the store says that this instance has expired${this.#blockedFor(sentAt - this.#beatAt - this.#ttl)}`);
      return 0;
    }
    this.#alive(sentAt);
    if (answer.lost !== undefined && answer.lost.length > 0) this.#loseSome(answer.lost);
    const missing = answer.cancelled.length === 0 ? 0 : (this.#listener?.cancelled(answer.cancelled) ?? 0);
    if (++this.#beats % COMPARE_EVERY === 0) await this.#clocks.compare();
    return missing > 0 ? Math.min(third, ASK_AT_MOST_EVERY) : third;
  }

  /** Counted from before the call, as the store's answer may have been long on its way. */
  #alive(sentAt: number): void {
    const { clock } = this.#parts;
    this.#beatAt = sentAt;
    this.#onAlive();
    this.#expiry?.cancel();
    const end = sentAt + this.#ttl;
    this.#expiry = clock.setTimer(end - clock.monotonic(), () => {
      // Late, because the loop was blocked: what ran meanwhile may do so again each time. Left to be rescued, it counts as
      // a crash, and is given up after enough of them; handed back, it would go on for ever.
      const late = clock.monotonic() - end;
      const silence = `no heartbeat reached the store for ${formatDuration(this.#ttl)}`;
      if (late < this.#ttl / 3) this.#doubtful = this.#id;
      this.#lose(silence + this.#blockedFor(late));
      this.#routine.wake();
    });
  }

  /**
   * Whose fault a blocked loop is cannot be known: a handler that is at work or has just ended, most likely.
   *
   * @param late how much later than it had to be something came, in milliseconds
   */
  #blockedFor(late: number): string {
    if (late < this.#ttl / 3) return ".";
    const names = this.#listener?.atWork() ?? [];
    const who = names.length === 0 ? "No handler was at work" : `At work: ${names.join(", ")}`;
    return `, as the event loop was blocked for ${formatDuration(Math.round(late))} or longer. ${who}.`;
  }

  #loseSome(leases: readonly LeaseId[]): void {
    const message = `This process lost ${leases.length} leases: a database of the store has given it up, or has forgotten their claims in a crash or a failover. Their jobs are aborted; others may run them already.`;
    this.#parts.logger.error({ leases }, message);
    this.#listener?.lostSome(leases, new NightshiftError("NS_LEASE_LOST", message));
  }

  #lose(why: string): void {
    this.#expiry?.cancel();
    this.#id = undefined;
    const message = `This process lost its leases: ${why} Its running jobs are aborted; others may run them already.`;
    this.#parts.logger.error(message);
    this.#listener?.lost(new NightshiftError("NS_LEASE_LOST", message));
  }
}
