/** One service under the host's care: its state, its restarts, and its phases run within their time. */
import { setMaxListeners } from "node:events";
import { NightshiftError } from "../errors/index.ts";
import type { Key, Resolver } from "../services/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import { type Clock, formatDuration, type Timer } from "../time/index.ts";
import { follow, isCancellation } from "./abort.ts";
import { ExecutableService } from "./background-service.ts";
import { bounded, type Outcome } from "./bounded.ts";
import type { Executable, HostedService, ServiceContext, StartPhase, StopPhase } from "./hosted-service.ts";
import { decide, type Supervision } from "./supervision.ts";

/** What a service is doing. */
export type ServiceState =
  | { readonly kind: "registered" }
  | { readonly kind: "starting" }
  | { readonly kind: "running" }
  | { readonly kind: "backing-off"; readonly error: unknown; readonly until: number }
  | { readonly kind: "completed" }
  | { readonly kind: "faulted"; readonly error: unknown }
  | { readonly kind: "stopping" }
  | { readonly kind: "stopped" }
  | { readonly kind: "abandoned"; readonly doing: string };

/** A service as it was declared, every option decided. */
export interface UnitSpec {
  readonly name: string;
  /** Gives the instance when the host starts. */
  readonly create: (resolver: Resolver) => HostedService | Executable;
  /** What the container must prepare for it. */
  readonly key: Key | undefined;
  readonly supervision: Supervision;
  readonly startTimeout: number | undefined;
  readonly stopTimeout: number | undefined;
  readonly required: boolean;
  readonly daemon: boolean;
  readonly heartbeat: number | undefined;
  readonly group: string | undefined;
}

/** What a unit needs of its host. */
export interface UnitHost {
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly random: () => number;
  readonly onChange: (unit: ServiceUnit, from: ServiceState) => void;
  /** The service failed for good: its policy does not restart it, or no longer. */
  readonly onFailed: (unit: ServiceUnit, error: unknown) => void;
  /** The service has done all it had to. */
  readonly onCompleted: (unit: ServiceUnit) => void;
  /** It failed and will be restarted; the group decides who is stopped meanwhile. */
  readonly onBackingOff: (unit: ServiceUnit) => void;
  /** The back-off is over. */
  readonly restart: (unit: ServiceUnit) => Promise<void>;
}

/** How long a start that was given up, or a stop whose time is over, may go on before nobody waits for it. */
const START_GRACE = 5_000;
const STOP_GRACE = 250;

/** A service under the host's care. */
export class ServiceUnit {
  readonly spec: UnitSpec;
  readonly #host: UnitHost;
  readonly #logger: LoggerLike;
  #service: HostedService | undefined;
  #state: ServiceState = { kind: "registered" };
  #since: number;
  #wasStarted = false;
  #stopAsked = false;
  /** Aborted when the host is disposed: the last word to an execution that nobody stopped. */
  #run: AbortController | undefined;
  #backoff: { readonly timer: Timer } | undefined;
  #restartTimes: number[] = [];
  #restarts = 0;
  #lastError: unknown;
  #lastBeat: number | undefined;
  #doing: string | undefined;
  /** The watch over the current execution; settles when its end has been dealt with. */
  #watched: Promise<void> = Promise.resolve();
  #generation = 0;
  #restarting: Promise<void> | undefined;

  constructor(spec: UnitSpec, host: UnitHost) {
    this.spec = spec;
    this.#host = host;
    this.#logger = host.logger.child({ name: spec.name });
    this.#since = host.clock.now();
  }

  get name(): string {
    return this.spec.name;
  }

  get state(): ServiceState {
    return this.#state;
  }

  /** Since when (wall clock) it is in its state. */
  get since(): number {
    return this.#since;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get lastError(): unknown {
    return this.#lastError;
  }

  /** The wall-clock time of the last beat, if any. */
  get lastBeat(): number | undefined {
    return this.#lastBeat;
  }

  get doing(): string | undefined {
    return this.#doing;
  }

  /** Whether its `start` ever succeeded, so that a stop is owed to it. */
  get wasStarted(): boolean {
    return this.#wasStarted;
  }

  /** Whether its process leads, for a leader-only service; undefined for others. */
  get leading(): boolean | undefined {
    const service = this.#service;
    return service !== undefined && "term" in service ? service.term !== undefined : undefined;
  }

  /** Whether it has an execution that can complete. */
  get isBackground(): boolean {
    return this.#service?.execution !== undefined;
  }

  /** Makes the instance. Constructors run here. */
  create(resolver: Resolver): void {
    const made = this.spec.create(resolver);
    this.#service = isHostedService(made) ? made : new ExecutableService(made);
  }

  /** Runs one phase of the start; throws what the service throws. */
  async startPhase(phase: StartPhase, signal: AbortSignal): Promise<void> {
    const service = this.#service;
    if (service === undefined) return;
    if (phase !== "start") {
      const outcome = await this.#step(phase, () => phaseOf(service, phase), signal, START_GRACE);
      return this.#throwUnlessDone(outcome, phase, signal);
    }
    this.#to({ kind: "starting" });
    const run = new AbortController();
    setMaxListeners(0, run.signal);
    this.#run = run;
    const generation = ++this.#generation;
    const context = this.#context(generation);
    this.#lastBeat = this.#host.clock.now();
    const begin = async (given: AbortSignal) => {
      const unfollow = follow(given, run);
      try {
        await service.start(run.signal, context);
      } finally {
        // From here on only stop() and the disposal of the host end the service, not the end of the start's time.
        unfollow();
      }
    };
    const outcome = await this.#step("start", () => begin, signal, START_GRACE);
    this.#throwUnlessDone(outcome, "start", signal);
    this.#wasStarted = true;
    this.#to({ kind: "running" });
    if (service.execution !== undefined) this.#watched = this.#watch(service.execution, generation);
  }

  /** Runs one phase of the stop; gives back what went wrong. */
  async stopPhase(phase: StopPhase, signal: AbortSignal): Promise<readonly unknown[]> {
    const service = this.#service;
    if (service === undefined || !this.#wasStarted) return [];
    if (phase !== "stop") {
      const outcome = await this.#step(phase, () => phaseOf(service, phase), signal, STOP_GRACE);
      return this.#errorsOf(outcome, phase);
    }
    this.#stopAsked = true;
    this.#backoff?.timer.cancel();
    const ended = this.#state.kind === "completed" || this.#state.kind === "faulted";
    if (!ended) this.#to({ kind: "stopping" });
    // A restart under way has been told to give up; stopping what is half started would be a race.
    if (this.#restarting !== undefined) await this.#restarting;
    const outcome = await this.#step("stop", () => (given) => this.#stopAndWait(service, given), signal, STOP_GRACE);
    if (!ended && this.#state.kind === "stopping" && outcome.kind !== "abandoned") this.#to({ kind: "stopped" });
    return this.#errorsOf(outcome, "stop");
  }

  /** Whether it runs, or would run again by itself. */
  get isUp(): boolean {
    return this.#state.kind === "running" || this.#state.kind === "backing-off" || this.#state.kind === "completed";
  }

  /** Stops it because another member of its group failed. Its own end, if any, no longer counts. */
  async stopForRestart(signal: AbortSignal): Promise<void> {
    const service = this.#service;
    if (service === undefined || this.#stopAsked || !this.isUp) return;
    this.#generation++;
    this.#backoff?.timer.cancel();
    this.#to({ kind: "stopping" });
    const outcome = await this.#step("stop", () => service.stop.bind(service), signal, STOP_GRACE);
    if (outcome.kind !== "done")
      this.#logger.warn({ outcome: outcome.kind }, "did not stop cleanly before its restart");
    if (!this.#stopAsked) this.#to({ kind: "stopped" });
  }

  /** Starts it again after it ended. A start that fails counts like any other failure. */
  async restart(signal: AbortSignal): Promise<void> {
    if (this.#stopAsked) return;
    this.#restarts++;
    const started = this.startPhase("start", signal);
    this.#restarting = started.then(nothing, nothing);
    try {
      await started;
      this.#logger.info({ restarts: this.#restarts }, "restarted");
    } catch (error) {
      if (!this.#stopAsked) this.#ended("failed", error);
    } finally {
      this.#restarting = undefined;
    }
  }

  /** Ends what still runs, without waiting. */
  abandonExecution(): void {
    this.#stopAsked = true;
    this.#backoff?.timer.cancel();
    this.#run?.abort(new NightshiftError("NS_ABORTED", "The host was disposed."));
  }

  /** The heartbeat's age when it is older than allowed. */
  overdue(): number | undefined {
    if (this.spec.heartbeat === undefined || this.#state.kind !== "running") return undefined;
    const age = this.#host.clock.now() - (this.#lastBeat ?? this.#since);
    return age > this.spec.heartbeat ? age : undefined;
  }

  async #stopAndWait(service: HostedService, signal: AbortSignal): Promise<void> {
    await service.stop(signal);
    // A background service resolves its stop when the time is over, its work possibly still running: that is an overrun.
    await this.#watched;
  }

  async #watch(execution: Promise<void>, generation: number): Promise<void> {
    try {
      await execution;
      if (generation === this.#generation) this.#ended("completed", undefined);
    } catch (error) {
      if (generation !== this.#generation) return;
      if (this.#stopAsked && isCancellation(error, this.#run?.signal)) return;
      this.#ended("failed", error);
    }
  }

  #ended(how: "completed" | "failed", error: unknown): void {
    if (how === "failed") this.#lastError = error;
    if (this.#stopAsked) {
      if (how === "failed") this.#fail(error);
      return;
    }
    const { clock, random } = this.#host;
    const decision = decide(this.spec.supervision, how, this.#restartTimes, clock.monotonic(), random());
    switch (decision.kind) {
      case "rest":
        this.#to({ kind: "completed" });
        this.#logger.info("completed");
        this.#host.onCompleted(this);
        break;
      case "escalate":
        if (how === "completed") this.#lastError = error = restartedTooOften(this.name, decision.restarts);
        this.#fail(error, decision.restarts);
        break;
      case "restart":
        this.#backOff(decision.delay, how, error);
    }
  }

  #backOff(delay: number, how: "completed" | "failed", error: unknown): void {
    const { clock } = this.#host;
    this.#to({ kind: "backing-off", error, until: clock.now() + delay });
    const facts = { delay: formatDuration(delay), restarts: this.#restarts };
    if (how === "failed") this.#logger.error({ err: error, ...facts }, "failed; it is restarted after the delay");
    else this.#logger.info(facts, "ended; it is restarted after the delay");
    const timer = clock.setTimer(delay, () => {
      this.#restartTimes = [...this.#restartTimes, clock.monotonic()].slice(-(this.spec.supervision.maxRestarts + 1));
      this.#host.restart(this).catch((thrown: unknown) => this.#fail(thrown));
    });
    this.#backoff = { timer };
    this.#host.onBackingOff(this);
  }

  #fail(error: unknown, restarts = 0): void {
    this.#lastError = error;
    this.#to({ kind: "faulted", error });
    const after = restarts > 0 ? `failed after ${restarts} restarts` : "failed";
    this.#logger.error({ err: error }, after);
    this.#host.onFailed(this, error);
  }

  #context(generation: number): ServiceContext {
    return {
      name: this.name,
      logger: this.#logger,
      term: undefined,
      beat: (doing) => {
        this.#lastBeat = this.#host.clock.now();
        this.#doing = doing ?? this.#doing;
      },
      fail: (error) => {
        if (generation === this.#generation) this.#ended("failed", error);
      },
    };
  }

  #step(
    phase: StartPhase | StopPhase,
    step: () => ((signal: AbortSignal) => unknown) | undefined,
    signal: AbortSignal,
    grace: number,
  ): Promise<Outcome> {
    const run = step();
    if (run === undefined) return Promise.resolve({ kind: "done" });
    const timeout = phase.startsWith("start") ? this.spec.startTimeout : this.spec.stopTimeout;
    return bounded(run, { clock: this.#host.clock, signal, timeout, grace, what: `${this.name}'s ${phase}` });
  }

  #throwUnlessDone(outcome: Outcome, phase: StartPhase, signal: AbortSignal): void {
    if (outcome.kind === "done") return;
    const error = outcome.kind === "failed" ? outcome.error : (signal.reason ?? startOverrun(this.name, phase));
    this.#lastError = error;
    this.#to({ kind: "faulted", error });
    throw error;
  }

  #errorsOf(outcome: Outcome, phase: StopPhase): readonly unknown[] {
    if (outcome.kind === "done") return [];
    if (outcome.kind === "failed") {
      this.#lastError = outcome.error;
      this.#logger.error({ err: outcome.error }, `${phase} failed`);
      return [outcome.error];
    }
    const doing = this.#doing ?? `in ${phase}`;
    this.#to({ kind: "abandoned", doing });
    const message = `${this.name} did not finish its ${phase} in time and was abandoned (${doing}).`;
    const error = new NightshiftError("NS_SERVICE_ABANDONED", message, {
      details: { service: this.name, phase, doing },
    });
    this.#logger.error({ doing, phase }, "abandoned: it did not stop in time");
    return [error];
  }

  #to(state: ServiceState): void {
    const from = this.#state;
    this.#state = state;
    this.#since = this.#host.clock.now();
    this.#host.onChange(this, from);
  }
}

function isHostedService(made: HostedService | Executable): made is HostedService {
  return typeof (made as Partial<HostedService>).start === "function";
}

/** A field of the same name that is no function (`started = false`, say) is the service's own business. */
function phaseOf(service: HostedService, phase: StartPhase | StopPhase) {
  const step: unknown = service[phase];
  return typeof step === "function" ? (signal: AbortSignal): unknown => step.call(service, signal) : undefined;
}

function restartedTooOften(name: string, restarts: number): NightshiftError {
  const message = `${name} ended and was restarted ${restarts} times within its window; it is not restarted any more.`;
  return new NightshiftError("NS_SERVICE_FAILED", message, { details: { service: name, restarts } });
}

function startOverrun(name: string, phase: StartPhase): NightshiftError {
  return new NightshiftError("NS_TIMEOUT", `${name} did not finish its ${phase} in time.`, {
    details: { service: name },
  });
}

function nothing(): void {
  // Only the end matters.
}
