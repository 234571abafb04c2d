/** A service that runs in one process at a time: it starts when a lease is won, and stops before the lease can run out. */
import { setMaxListeners } from "node:events";
import { messageOf, NightshiftError } from "../errors/index.ts";
import { token } from "../services/index.ts";
import { type Clock, formatDuration, sleep, type Timer } from "../time/index.ts";
import { follow, isCancellation } from "./abort.ts";
import { BackgroundService, ExecutableService } from "./background-service.ts";
import { bounded } from "./bounded.ts";
import type { Executable, HostedService, ServiceContext } from "./hosted-service.ts";

/** Elects leaders by leases: a part of every store, so that the database of the jobs also decides who leads. */
export interface LeaderElector {
  /** Takes the role if it is free or its lease has run out; null while another holds it. */
  campaign(role: string, holder: string, ttl: number): Promise<{ readonly token: string; readonly ttl: number } | null>;
  /** Holds the role for another `ttl` milliseconds; false when the term is over. */
  renew(role: string, token: string, ttl: number): Promise<boolean>;
  /** Gives the role up at once. */
  resign(role: string, token: string): Promise<void>;
}

/** What elects leaders, injected. `addJobs` registers the store; without jobs, register one yourself. */
export const LeaderElector = token<LeaderElector>("LeaderElector");

/** A term of leadership, given to the service in its context. */
export interface LeaderTerm {
  /** The fencing token: grows with every change of leader. Give it to what must refuse a leader of the past. */
  readonly token: string;
  /** Whether the lease surely holds at this moment. Look before an effect that must not happen twice. */
  readonly held: boolean;
}

/** What a leader-only service is made of. */
export interface LeaderParts {
  readonly elector: LeaderElector;
  readonly clock: Clock;
  readonly random: () => number;
  readonly role: string;
  readonly holder: string;
  /** How long a lease holds, in milliseconds. */
  readonly ttl: number;
}

/**
 * Runs a service while its process leads. The lease is renewed at a third of its time; the service is told to stop when
 * a quarter of it is left without a renewal, so that it is gone before another process can take over.
 */
export class LeaderOnlyService extends BackgroundService {
  readonly #inner: HostedService;
  readonly #parts: LeaderParts;
  #term: LeaderTerm | undefined;

  constructor(inner: HostedService | Executable, parts: LeaderParts) {
    super();
    this.#inner = "start" in inner ? inner : new ExecutableService(inner);
    this.#parts = parts;
  }

  /** The term while this process leads. */
  get term(): LeaderTerm | undefined {
    return this.#term;
  }

  async execute(stopping: AbortSignal, context: ServiceContext): Promise<void> {
    const { clock, random, ttl } = this.#parts;
    while (!stopping.aborted) {
      const lease = await this.#campaign(context);
      if (lease === null) {
        // Followers look a little before the lease of the leader could run out, each at its own time.
        const pause = (ttl / 3) * (0.75 + random() / 2);
        await sleep(clock, pause, stopping).catch(() => undefined);
        continue;
      }
      const ended = await this.#lead(lease, stopping, context);
      if (ended === "completed") return;
    }
  }

  async #campaign(context: ServiceContext): Promise<Lease | null> {
    const { elector, clock, role, holder, ttl } = this.#parts;
    const asked = clock.monotonic();
    try {
      const won = await elector.campaign(role, holder, ttl);
      // Counted from before the call: the store's clock began to count at some moment after it.
      return won === null ? null : new Lease(clock, won.token, asked + won.ttl, ttl);
    } catch (error) {
      context.logger.warn({ role, reason: messageOf(error) }, "the election could not be held; it is tried again");
      return null;
    }
  }

  /** One term, from the start of the service to its stop. */
  async #lead(lease: Lease, stopping: AbortSignal, outer: ServiceContext): Promise<"completed" | "over"> {
    const { elector, clock, role } = this.#parts;
    const leading = new AbortController();
    setMaxListeners(0, leading.signal);
    const unfollow = follow(stopping, leading);
    const context: ServiceContext = { ...outer, beat: outer.beat, fail: outer.fail, term: lease };
    this.#term = lease;
    outer.logger.info({ role, token: lease.token }, "leading");
    const renewing = this.#keepRenewing(lease, leading, outer);
    try {
      const ended = await this.#runInner(leading.signal, context);
      if (ended === "completed") return "completed";
      await this.#stopInner(lease, outer);
      return "over";
    } finally {
      leading.abort(new NightshiftError("NS_ABORTED", "The service has ended."));
      unfollow();
      this.#term = undefined;
      await renewing;
      // Another process may begin at once, instead of waiting for the lease to run out.
      await elector.resign(role, lease.token).catch((error: unknown) => {
        outer.logger.warn(
          { role, reason: messageOf(error) },
          "the role could not be given up; its lease runs out by itself",
        );
      });
      outer.logger.info({ role, token: lease.token, at: clock.now() }, "no longer leading");
    }
  }

  /** Starts the service, and waits until it has ended by itself or is told to end. Throws what it throws. */
  async #runInner(leading: AbortSignal, context: ServiceContext): Promise<"completed" | "told"> {
    try {
      await this.#inner.start(leading, context);
    } catch (error) {
      if (leading.aborted && isCancellation(error, leading)) return "told";
      throw error;
    }
    const told = Promise.withResolvers<"told">();
    if (leading.aborted) told.resolve("told");
    else leading.addEventListener("abort", () => told.resolve("told"), { once: true });
    const { execution } = this.#inner;
    if (execution === undefined) return told.promise;
    const ended = execution.then(
      () => (leading.aborted ? "told" : "completed"),
      (error: unknown) => {
        if (leading.aborted && isCancellation(error, leading)) return "told" as const;
        throw error;
      },
    );
    // When it is told to end, its end is awaited by the stop; an error of it then is told there.
    ended.catch(() => undefined);
    return Promise.race([ended, told.promise]);
  }

  /** Stops the service within what is left of the lease. One that stays is a danger: another process may lead by then. */
  async #stopInner(lease: Lease, context: ServiceContext): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = new AbortController();
    const step = async (given: AbortSignal) => {
      await this.#inner.stop(given);
      await this.#inner.execution?.catch(() => undefined);
    };
    const timeout = Math.max(0, lease.expiresAt - clock.monotonic());
    const outcome = await bounded(step, { clock, signal, timeout, grace: 250, what: `${context.name}'s stop` });
    if (outcome.kind === "failed") throw outcome.error;
    if (outcome.kind === "done") return;
    const message = `${context.name} went on although its leadership was over. Another process may lead by now.`;
    throw new NightshiftError("NS_SERVICE_ABANDONED", message, { details: { service: context.name } });
  }

  /** Renews until told to end; tells the service to end when a renewal did not come in time. Never rejects. */
  async #keepRenewing(lease: Lease, leading: AbortController, context: ServiceContext): Promise<void> {
    const { elector, clock, role, ttl } = this.#parts;
    const giveUp = (why: string) => {
      if (leading.signal.aborted) return;
      context.logger.warn({ role, token: lease.token, why }, "leadership is given up");
      leading.abort(new NightshiftError("NS_LEASE_LOST", `${context.name} no longer leads: ${why}.`));
    };
    lease.onLate(() => giveUp(`the lease of ${formatDuration(ttl)} was not renewed in time`));
    while (!leading.signal.aborted) {
      await sleep(clock, ttl / 3, leading.signal).catch(() => undefined);
      if (leading.signal.aborted) break;
      const asked = clock.monotonic();
      try {
        if (!(await elector.renew(role, lease.token, ttl))) giveUp("another process has the role");
        else lease.renewed(asked + ttl);
      } catch (error) {
        context.logger.warn({ role, reason: messageOf(error) }, "the lease could not be renewed; it is tried again");
      }
    }
    lease.end();
  }
}

/** A term, with the moment when it must be given up. */
class Lease implements LeaderTerm {
  readonly token: string;
  readonly #clock: Clock;
  readonly #margin: number;
  #expiresAt: number;
  #timer: Timer | undefined;
  #late: (() => void) | undefined;

  constructor(clock: Clock, token: string, expiresAt: number, ttl: number) {
    this.#clock = clock;
    this.token = token;
    this.#expiresAt = expiresAt;
    this.#margin = ttl / 4;
  }

  get expiresAt(): number {
    return this.#expiresAt;
  }

  get held(): boolean {
    return this.#clock.monotonic() < this.#expiresAt;
  }

  onLate(late: () => void): void {
    this.#late = late;
    this.#arm();
  }

  renewed(expiresAt: number): void {
    this.#expiresAt = expiresAt;
    this.#arm();
  }

  end(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer?.cancel();
    const left = this.#expiresAt - this.#margin - this.#clock.monotonic();
    this.#timer = this.#clock.setTimer(Math.max(0, left), () => this.#late?.());
  }
}
