/** A service that runs in one process at a time: it starts when a lease is won, and stops before the lease can run out. */
import { setMaxListeners } from "node:events";
import { messageOf, NightshiftError } from "../errors/index.ts";
import { throwCollected, token } from "../services/index.ts";
import { rest } from "../time/clock.ts";
import { type Clock, formatDuration, type Timer } from "../time/index.ts";
import { aborted, follow, isCancellation } from "./abort.ts";
import { BackgroundService } from "./background-service.ts";
import { bounded } from "./bounded.ts";
import type { Executable, HostedService, ServiceContext, StartPhase } from "./hosted-service.ts";
import { asHostedService, phaseOf } from "./instance.ts";

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
  /** The time for each phase of a term's start, if it has one. */
  readonly startTimeout: number | undefined;
}

/** How long a phase of the start may go on after its signal was aborted, and one of the stop. */
const START_GRACE = 5_000;
const STOP_GRACE = 250;

/**
 * Runs a service while its process leads. The lease is renewed at a third of its time; the service is told to stop when
 * a quarter of it is left without a renewal, so that it is gone before another process can take over. Each term runs all
 * phases of the service, and each start is matched by one stop.
 */
export class LeaderOnlyService extends BackgroundService {
  readonly #inner: HostedService;
  readonly #parts: LeaderParts;
  #term: LeaderTerm | undefined;
  /** Aborted when the host's time for stopping it is over. */
  #stopTime = new AbortController();

  constructor(inner: HostedService | Executable, name: string, parts: LeaderParts) {
    super();
    this.#inner = asHostedService(inner, name);
    this.#parts = parts;
  }

  /** The term while this process leads. */
  get term(): LeaderTerm | undefined {
    return this.#term;
  }

  override start(signal: AbortSignal, context?: ServiceContext): Promise<void> {
    this.#stopTime = new AbortController();
    return super.start(signal, context);
  }

  override async stop(signal: AbortSignal): Promise<void> {
    const unfollow = follow(signal, this.#stopTime);
    await super.stop(signal);
    if (!signal.aborted) unfollow();
  }

  async execute(stopping: AbortSignal, context: ServiceContext): Promise<void> {
    const { clock, random, ttl } = this.#parts;
    while (!stopping.aborted) {
      const lease = await this.#campaign(context);
      if (lease === null) {
        // Followers look a little before the lease of the leader could run out, each at its own time.
        const pause = (ttl / 3) * (0.75 + random() / 2);
        await rest(clock, pause, stopping);
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
    const { elector, role } = this.#parts;
    const leading = new AbortController();
    setMaxListeners(0, leading.signal);
    const unfollow = follow(stopping, leading);
    const context: ServiceContext = { ...outer, beat: outer.beat, fail: outer.fail, term: lease };
    this.#term = lease;
    outer.logger.info({ role, token: lease.token }, "leading");
    const renewing = this.#keepRenewing(lease, leading, outer);
    try {
      return (await this.#runInner(lease, leading.signal, context)) === "completed" ? "completed" : "over";
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
      outer.logger.info({ role, token: lease.token }, "no longer leading");
    }
  }

  /** All phases of the start, then the work, then all phases of the stop. Throws what the service throws. */
  async #runInner(lease: Lease, leading: AbortSignal, context: ServiceContext): Promise<"completed" | "told"> {
    let ended: "completed" | "told";
    try {
      await this.#step("starting", phaseOf(this.#inner, "starting"), leading, context);
      await this.#step("start", (signal) => this.#inner.start(signal, context), leading, context);
    } catch (error) {
      if (leading.aborted && isCancellation(error, leading)) return "told";
      throw error;
    }
    try {
      await this.#step("started", phaseOf(this.#inner, "started"), leading, context);
      ended = await this.#untilEnded(leading);
    } catch (error) {
      const told = leading.aborted && isCancellation(error, leading);
      // The first error is the one that tells what happened.
      await this.#stopInner(lease, context).catch((thrown: unknown) => {
        if (told) throw thrown;
        context.logger.error({ err: thrown }, "its stop failed too");
      });
      if (told) return "told";
      throw error;
    }
    await this.#stopInner(lease, context);
    return ended;
  }

  /** One phase of the start within its time. */
  async #step(
    phase: StartPhase,
    run: ((signal: AbortSignal) => unknown) | undefined,
    signal: AbortSignal,
    context: ServiceContext,
  ): Promise<void> {
    if (run === undefined) return;
    signal.throwIfAborted();
    const { clock, startTimeout: timeout } = this.#parts;
    const what = `${context.name}'s ${phase}`;
    // What the start is given lives on after it, like the signal of any start: it ends with the leadership.
    const running = new AbortController();
    setMaxListeners(0, running.signal);
    follow(signal, running);
    const step = async (given: AbortSignal) => {
      const unfollow = follow(given, running);
      await run(running.signal);
      unfollow();
    };
    const outcome = await bounded(step, { clock, signal, timeout, grace: START_GRACE, what });
    if (outcome.kind === "done") return;
    if (outcome.kind === "failed") throw outcome.error;
    throw new NightshiftError("NS_TIMEOUT", `${what} did not finish in time.`, { details: { service: context.name } });
  }

  /** Waits until the service has ended by itself or is told to end. Throws what it throws. */
  async #untilEnded(leading: AbortSignal): Promise<"completed" | "told"> {
    const told = aborted(leading).then(() => "told" as const);
    const { execution } = this.#inner;
    if (execution === undefined) return told;
    const ended = execution.then(
      () => (leading.aborted ? ("told" as const) : ("completed" as const)),
      (error: unknown) => {
        if (leading.aborted && isCancellation(error, leading)) return "told" as const;
        throw error;
      },
    );
    // When it is told to end, its end is awaited by the stop; an error of it then is told there.
    ended.catch(() => undefined);
    return Promise.race([ended, told]);
  }

  /** Stops the service within what is left of the lease. One that stays is a danger: another process may lead by then. */
  async #stopInner(lease: Lease, context: ServiceContext): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stopTime;
    const errors: unknown[] = [];
    for (const phase of ["stopping", "stop", "stopped"] as const) {
      const run = phase === "stop" ? this.#stopAndWait : phaseOf(this.#inner, phase);
      if (run === undefined) continue;
      const timeout = Math.max(0, lease.expiresAt - clock.monotonic());
      const what = `${context.name}'s ${phase}`;
      const outcome = await bounded(run, { clock, signal, timeout, grace: STOP_GRACE, what });
      if (outcome.kind === "failed") errors.push(outcome.error);
      if (outcome.kind !== "abandoned") continue;
      const message = `${context.name} went on although its leadership was over. Another process may lead by now.`;
      throw new NightshiftError("NS_SERVICE_ABANDONED", message, { details: { service: context.name, phase } });
    }
    throwCollected(errors, `${errors.length} phases of the stop of ${context.name} failed.`);
  }

  readonly #stopAndWait = async (signal: AbortSignal): Promise<void> => {
    await this.#inner.stop(signal);
    // How it ended by itself is told where its execution is watched.
    await this.#inner.execution?.catch(() => undefined);
  };

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
      await rest(clock, ttl / 3, leading.signal);
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
