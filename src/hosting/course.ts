/** The course of a host: its start and its stop, step by step, and what becomes of it when one goes wrong. {@link Host} is what others see. */
import { messageOf, NightshiftError } from "../errors/index.ts";
import { throwCollected } from "../services/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import { rest } from "../time/clock.ts";
import { formatDuration } from "../time/index.ts";
import { follow, isCancellation } from "./abort.ts";
import { bounded } from "./bounded.ts";
import { Emitter } from "./emitter.ts";
import { Health } from "./health.ts";
import type { HostParts } from "./host-parts.ts";
import { type HostLifetime, LifetimeController } from "./lifetime.ts";
import { holdProcess } from "./process.ts";
import { type HostEvents, type HostSnapshot, type HostState, snapshotOf } from "./snapshot.ts";
import { Supervisor } from "./supervisor.ts";

/** How long a step of the start that is nobody's phase may go on after the start was given up. */
const CHECK_GRACE = 5_000;
/** A stop that takes longer says once what it waits for: a person has pressed Ctrl+C and looks on. */
const SLOW_STOP = 5_000;

export class HostCourse {
  readonly lifetime: LifetimeController;
  readonly health: Health;
  readonly events: Emitter<HostEvents>;
  readonly #parts: HostParts;
  readonly #supervisor: Supervisor;
  readonly #logger: LoggerLike;
  readonly #onEnding: () => Promise<void>;
  #state: HostState = "built";
  #startedAt: number | undefined;
  /** Failures of services that were not ignored: they make the stop reject. */
  readonly #failures: unknown[] = [];
  #hold: Disposable | undefined;
  #starting: Promise<void> | undefined;

  /** @param onEnding called when what would have ended the process by itself was caught: a signal, an uncaught error */
  constructor(parts: HostParts, onEnding: () => Promise<void>) {
    this.#parts = parts;
    this.#onEnding = onEnding;
    this.#logger = parts.logger.child({ name: parts.options.name });
    this.events = new Emitter((error) => this.#logger.error({ err: error }, "a listener of host events threw"));
    this.lifetime = new LifetimeController(parts.clock, (moment, error) => {
      this.#logger.error({ err: error }, `a ${moment} callback threw`);
    });
    this.#supervisor = this.#supervise();
    const { clock, health } = parts;
    this.health = new Health({ clock, lifetime: this.lifetime, snapshot: () => this.snapshot(), ...health });
  }

  get state(): HostState {
    return this.#state;
  }

  snapshot(): HostSnapshot {
    return snapshotOf(this.#parts.options, this.#state, this.#startedAt, this.#supervisor.units);
  }

  /** Starts every service; to be called once. */
  start(signal: AbortSignal | undefined): Promise<void> {
    this.#starting = this.#start(signal);
    return this.#starting;
  }

  /** Stops every started service; to be called once. */
  async stop(controller: AbortController): Promise<void> {
    const { clock, options } = this.#parts;
    if (this.#state === "starting") {
      this.lifetime.stopApplication("The host is being stopped.");
      // The start's own caller is told how it ended; here only its end matters.
      await this.#starting?.catch(() => undefined);
    }
    const { signal } = controller;
    const errors: unknown[] = [];
    const began = clock.monotonic();
    const timer = this.#timeout(options.shutdownTimeout, controller, "stop");
    const slow = clock.setTimer(SLOW_STOP, () => this.#tellSlowStop(), { ref: false });
    if (this.#state === "running") {
      this.#to("stopping");
      if (options.lifetimeMessages) this.#logger.info({ reason: reasonOf(this.lifetime) }, "stopping");
      await this.#drain(signal);
      errors.push(...(await this.#supervisor.stopPhase("stopping", signal)));
      await this.#notify("stopping", "The host is being stopped.", signal);
      errors.push(...(await this.#supervisor.stopPhase("stop", signal)));
      errors.push(...(await this.#supervisor.stopPhase("stopped", signal)));
    } else await this.#notify("stopping", "The host is being stopped.", signal);
    await this.#notify("stopped", "The application has stopped.", signal);
    const ended = await bounded((given) => options.processLifetime?.stop?.(given), {
      clock,
      signal,
      grace: 0,
      what: "stop",
    });
    if (ended.kind === "failed") errors.push(ended.error);
    timer?.[Symbol.dispose]();
    slow.cancel();
    if (this.#state !== "disposed") this.#to("stopped");
    const failed = this.#failures.length + errors.length;
    if (options.lifetimeMessages) {
      this.#logger.info({ took: formatDuration(clock.monotonic() - began), failures: failed }, "stopped");
    }
    this.#release();
    throwCollected([...this.#failures, ...errors], `${failed} failures while the application ran or stopped.`);
  }

  /** Disposes everything, and waits for nothing. */
  async dispose(): Promise<void> {
    this.#supervisor.abandon();
    this.#release();
    this.#to("disposed");
    const errors = await this.#supervisor.release();
    await this.#parts.container[Symbol.asyncDispose]().catch((error: unknown) => errors.push(error));
    throwCollected(errors, `${errors.length} services failed to be disposed.`);
  }

  /** Asks the application to stop when the signal is aborted; gives what ends that. */
  stopWhenAborted(signal: AbortSignal | undefined): () => void {
    if (signal === undefined) return () => undefined;
    const onAbort = () => this.lifetime.stopApplication("The caller's signal was aborted.");
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    return () => signal.removeEventListener("abort", onAbort);
  }

  async #start(signal: AbortSignal | undefined): Promise<void> {
    const { clock, options, container, checks } = this.#parts;
    this.lifetime.stopping.throwIfAborted();
    this.#to("starting");
    const began = clock.monotonic();
    const controller = new AbortController();
    const unfollow = [follow(signal, controller), follow(this.lifetime.stopping, controller)];
    const timer = this.#timeout(options.startupTimeout, controller, "start");
    this.#holdProcess();
    this.health.begin();
    try {
      await this.#checked(async (given) => options.processLifetime?.waitForStart?.(given), controller.signal, 0);
      await this.#checked(() => container.prepare(this.#keys()), controller.signal, CHECK_GRACE);
      this.#supervisor.create(container);
      for (const check of checks) {
        await this.#checked((given) => check(container, given), controller.signal, CHECK_GRACE);
      }
      for (const phase of ["starting", "start", "started"] as const)
        await this.#supervisor.startPhase(phase, controller.signal);
    } catch (error) {
      await this.#startFailed(error);
    } finally {
      for (const end of unfollow) end();
      timer?.[Symbol.dispose]();
    }
    this.#startedAt = clock.now();
    this.#to("running");
    if (options.lifetimeMessages) {
      const facts = { services: this.#supervisor.units.length, took: formatDuration(clock.monotonic() - began) };
      this.#logger.info(
        { ...facts, environment: options.environment, folder: process.cwd(), pid: process.pid },
        "started",
      );
    }
    void this.lifetime.notify("started", "The application has started.");
    await this.lifetime.startedCallbacks();
    this.#stopIfAllCompleted();
  }

  /** A step of the start that is nobody's phase: given up when the start is. */
  async #checked(step: (signal: AbortSignal) => unknown, signal: AbortSignal, grace: number): Promise<void> {
    const { clock } = this.#parts;
    const outcome = await bounded(step, { clock, signal, grace, what: "The start" });
    if (outcome.kind === "failed") throw outcome.error;
    signal.throwIfAborted();
  }

  async #startFailed(error: unknown): Promise<never> {
    const { options } = this.#parts;
    // A service that died is why the start was given up: its error tells more than the cancellation that followed.
    const stopped = isCancellation(error) && this.#failures.length > 0;
    const cause =
      stopped && this.#failures.length === 1 ? this.#failures[0] : stopped ? aggregate(this.#failures) : error;
    if (this.lifetime.stopping.aborted && error === this.lifetime.stopping.reason && !stopped) {
      this.#logger.info("the start was given up: the application was asked to stop");
    } else {
      this.#tellFailed(cause);
    }
    this.#to("failed");
    if (options.onStartFailure === "roll-back") {
      const { anyStarted } = this.#supervisor;
      const controller = new AbortController();
      using _timer = this.#timeout(options.shutdownTimeout, controller, "roll back its start");
      for (const phase of ["stopping", "stop", "stopped"] as const)
        await this.#supervisor.stopPhase(phase, controller.signal);
      if (anyStarted) this.#logger.info("what had started was stopped again");
    }
    this.#release();
    throw cause;
  }

  /** Without stacks: the start rejects with this very error, and whoever gets it prints them. */
  #tellFailed(cause: unknown): void {
    const { failedToStart: services } = this.#supervisor;
    const errors = cause instanceof AggregateError ? cause.errors.map(messageOf) : [];
    const facts = { ...(services.length > 0 && { services }), ...(errors.length > 0 && { errors }) };
    this.#logger.error(facts, `the start failed: ${messageOf(cause)}`);
  }

  async #drain(signal: AbortSignal): Promise<void> {
    const { clock, options } = this.#parts;
    if (options.drainDelay === 0 || signal.aborted) return;
    // Whoever looks at the signal should know before load balancers do. Its callbacks run meanwhile.
    this.lifetime.stopApplication("The host is being stopped.");
    // Cut short, the stop goes on at once: the reason shows in what the services are given.
    await rest(clock, options.drainDelay, signal);
  }

  async #notify(moment: "stopping" | "stopped", reason: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const what = `The ${moment} callbacks`;
    const outcome = await bounded(() => this.lifetime.notify(moment, reason), { clock, signal, grace: 0, what });
    if (outcome.kind === "abandoned") this.#logger.error(`the ${moment} callbacks did not finish in time`);
  }

  #supervise(): Supervisor {
    const { specs, levels, groups, options, clock, logger } = this.#parts;
    return new Supervisor({
      ...{ specs, levels, groups, clock, logger, random: options.random, shutdownTimeout: options.shutdownTimeout },
      ...{ startConcurrently: options.startConcurrently, stopConcurrently: options.stopConcurrently },
      onChange: (unit, from) => {
        const facts = { service: unit.name, from: from.kind, to: unit.state.kind, error: unit.lastError };
        this.events.emit("service", { ...facts, at: new Date(clock.now()) });
      },
      onFatal: (unit, error) => {
        this.#failures.push(error);
        if (this.lifetime.stopping.aborted) return;
        const message = "the host is stopped because a service failed (its policy: stop-host)";
        this.#logger.fatal({ service: unit.name }, message);
        this.lifetime.stopApplication(`The service ${unit.name} failed.`);
      },
      onEnded: () => this.#stopIfAllCompleted(),
    });
  }

  #stopIfAllCompleted(): void {
    if (!this.#parts.options.stopWhenAllCompleted || this.#state !== "running") return;
    if (this.#supervisor.allCompleted) this.lifetime.stopApplication("All services have completed.");
  }

  #keys() {
    return this.#parts.specs.flatMap(({ key }) => key ?? []);
  }

  #timeout(milliseconds: number | undefined, controller: AbortController, what: string): Disposable | undefined {
    if (milliseconds === undefined) return undefined;
    return this.#parts.clock.setTimer(milliseconds, () => {
      const at = this.#supervisor.underWay.join(", ");
      const whom = at === "" ? "" : ` It was still at ${at}.`;
      const within = formatDuration(milliseconds);
      const message = `The host "${this.#parts.options.name}" did not ${what} within ${within}.${whom}`;
      controller.abort(new NightshiftError("NS_TIMEOUT", message));
    });
  }

  #tellSlowStop(): void {
    const { lifetimeMessages, shutdownTimeout } = this.#parts.options;
    const { underWay } = this.#supervisor;
    if (!lifetimeMessages || underWay.length === 0) return;
    const most = formatDuration(shutdownTimeout);
    this.#logger.info(
      { stillAt: underWay },
      `still stopping after ${formatDuration(SLOW_STOP)}; after ${most} it is given up`,
    );
  }

  /** The host took it from Node, which would have ended the process: so it ends it, also where nobody waits for that. */
  #end(reason: string): void {
    this.lifetime.stopApplication(reason);
    this.#onEnding().catch((error: unknown) => {
      this.#logger.error({ err: error }, "the application has ended with this error");
      process.exitCode = 1;
    });
  }

  #holdProcess(): void {
    const { signals, unhandledErrors } = this.#parts.options;
    this.#hold = holdProcess({
      signals,
      unhandledErrors,
      onSignal: (signal) => {
        this.#logger.info({ signal }, "asked to stop; once more exits at once");
        this.#end(`${signal} was received.`);
      },
      onSignalAgain: (signal) => {
        this.#logger.warn({ signal, stillAt: this.#supervisor.underWay }, "asked again: leaving at once");
      },
      onUnhandled: (error, kind) => {
        this.#logger.fatal({ err: error, kind }, "nobody caught this error; the application is stopped");
        this.#failures.push(error);
        process.exitCode = 1;
        this.#end(`An error that nobody caught (${kind}).`);
      },
    });
  }

  #release(): void {
    this.health.end();
    this.#hold?.[Symbol.dispose]();
    this.#hold = undefined;
  }

  #to(state: HostState): void {
    const from = this.#state;
    this.#state = state;
    this.events.emit("host", { from, to: state, at: new Date(this.#parts.clock.now()) });
  }
}

function aggregate(errors: readonly unknown[]): AggregateError {
  return new AggregateError(errors, "Several services failed.");
}

function reasonOf(lifetime: HostLifetime): string {
  const { reason } = lifetime.stopping;
  return reason instanceof NightshiftError ? reason.message.replace(`${reason.code}: `, "") : "stop() was called.";
}
