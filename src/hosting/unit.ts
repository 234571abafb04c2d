/** One service under the host's care: its state, its restarts, and its phases run within their time. */
import { setMaxListeners } from "node:events";
import { NightshiftError } from "../errors/index.ts";
import type { Container } from "../services/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import { formatDuration } from "../time/index.ts";
import { follow, isCancellation } from "./abort.ts";
import { bounded, type Outcome } from "./bounded.ts";
import type { HostedService, ServiceContext, StartPhase, StopPhase } from "./hosted-service.ts";
import { phaseOf, ServiceInstance } from "./instance.ts";
import { Pulse } from "./pulse.ts";
import { tooOften } from "./restarts.ts";
import { decide } from "./supervision.ts";
import { abandoned, endedTooOften, startOverrun } from "./unit-errors.ts";
import type { ServiceState, UnitHost, UnitSpec } from "./unit-parts.ts";

/** How long a start that was given up, or a stop whose time is over, may go on before nobody waits for it. */
const START_GRACE = 5_000;
const STOP_GRACE = 250;

const START_PHASES = ["starting", "start", "started"] as const satisfies readonly StartPhase[];
const STOP_PHASES = ["stopping", "stop", "stopped"] as const satisfies readonly StopPhase[];

/** A service under the host's care. */
export class ServiceUnit {
  readonly spec: UnitSpec;
  readonly #host: UnitHost;
  readonly #logger: LoggerLike;
  readonly #instance: ServiceInstance;
  #state: ServiceState = { kind: "registered" };
  #since: number;
  /** Its `start` succeeded and no stop has followed yet: each start is matched by one stop. */
  #owesStop = false;
  #phase: StartPhase | StopPhase | undefined;
  /** The host is stopping: nothing is started again. */
  #stopAsked = false;
  /** Aborted when the host is disposed: the last word to an execution that nobody stopped. */
  #run: AbortController | undefined;
  #restartTimes: number[] = [];
  #restarts = 0;
  #lastError: unknown;
  readonly #pulse: Pulse;
  /** The watch over the current execution; settles when its end has been dealt with. */
  #watched: Promise<void> = Promise.resolve();
  /** Counts its runs: what an earlier one still has to say no longer counts. */
  #generation = 0;
  /** A restart at work: its stop or its start. The stop of the host waits for it. */
  #busy: Promise<void> | undefined;

  constructor(spec: UnitSpec, host: UnitHost) {
    this.spec = spec;
    this.#host = host;
    this.#logger = host.logger.child({ name: spec.name });
    this.#instance = new ServiceInstance(spec, spec.name);
    this.#since = host.clock.now();
    this.#pulse = new Pulse(host.clock, spec.heartbeat);
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
    return this.#pulse.last;
  }

  get doing(): string | undefined {
    return this.#pulse.doing;
  }

  /** The phase of its start or stop that is under way, if any. */
  get phase(): StartPhase | StopPhase | undefined {
    return this.#phase;
  }

  /** Whether its `start` succeeded, so that a stop is owed to it. */
  get owesStop(): boolean {
    return this.#owesStop;
  }

  /** Whether its process leads, for a leader-only service; undefined for others. */
  get leading(): boolean | undefined {
    const { service } = this.#instance;
    return service !== undefined && "term" in service ? service.term !== undefined : undefined;
  }

  /** Whether it has an execution that can complete. */
  get isBackground(): boolean {
    return this.#instance.service?.execution !== undefined;
  }

  /** Makes the instance. Constructors run here. */
  create(container: Container): void {
    this.#instance.create(container);
  }

  /** Runs one phase of the start; throws what the service throws. */
  async startPhase(phase: StartPhase, signal: AbortSignal): Promise<void> {
    const { service } = this.#instance;
    if (service === undefined) return;
    if (phase !== "start") {
      const outcome = await this.#step(phase, phaseOf(service, phase), signal, START_GRACE);
      return this.#throwUnlessDone(outcome, phase, signal);
    }
    this.#to({ kind: "starting" });
    const run = new AbortController();
    setMaxListeners(0, run.signal);
    this.#run = run;
    const generation = ++this.#generation;
    const context = this.#context(generation);
    this.#pulse.beat();
    const begin = async (given: AbortSignal) => {
      const unfollow = follow(given, run);
      try {
        await service.start(run.signal, context);
      } finally {
        // From here on only stop() and the disposal of the host end the service, not the end of the start's time.
        unfollow();
      }
    };
    const outcome = await this.#step("start", begin, signal, START_GRACE);
    this.#throwUnlessDone(outcome, "start", signal);
    this.#owesStop = true;
    this.#to({ kind: "running" });
    if (service.execution !== undefined) this.#watched = this.#watch(service.execution, generation);
  }

  /** Whether a phase has anything to do: most services have two of the six, and nobody should wait for the others. */
  concerns(phase: StartPhase | StopPhase): boolean {
    if (phase === "start" || phase === "stop" || this.#busy !== undefined) return true;
    const { service } = this.#instance;
    return service !== undefined && phaseOf(service, phase) !== undefined;
  }

  /** Passes over a phase of the stop that it does not concern. */
  passOver(phase: StopPhase): void {
    if (this.#instance.service === undefined) return;
    this.#stopAsked = true;
    if (phase === "stopped") this.#owesStop = false;
  }

  /** Runs one phase of the stop, if one is owed; gives back what went wrong. */
  async stopPhase(phase: StopPhase, signal: AbortSignal): Promise<readonly unknown[]> {
    const { service } = this.#instance;
    if (service === undefined) return [];
    this.#stopAsked = true;
    const ends = this.isUp || this.#busy !== undefined;
    if (phase === "stop" && ends && this.#state.kind !== "completed") this.#to({ kind: "stopping" });
    const outcome = await this.#stopStep(service, phase, signal);
    const left = outcome.kind !== "abandoned" && this.#state.kind === "stopping";
    if (phase === "stop" && left) this.#to({ kind: "stopped" });
    if (phase === "stopped") this.#owesStop = false;
    return this.#errorsOf(outcome, phase);
  }

  /** Whether it runs, or would run again by itself. */
  get isUp(): boolean {
    return this.#state.kind === "running" || this.#state.kind === "backing-off" || this.#state.kind === "completed";
  }

  /**
   * Stops it before it is started again at `until`, all phases of it: what `start` made can be let go. Its own end no
   * longer counts.
   *
   * @returns whether it is down now, and may be started again
   */
  async pause(until: number, error: unknown): Promise<boolean> {
    await this.#busy;
    if (this.#stopAsked || !this.isUp) return false;
    this.#generation++;
    if (this.#state.kind !== "backing-off") this.#to({ kind: "stopping" });
    this.#busy = this.#stopForRestart();
    await this.#busy;
    this.#busy = undefined;
    // The host may have begun to stop, or the service was abandoned, meanwhile.
    const { kind } = this.#state as ServiceState;
    if (this.#stopAsked || (kind !== "stopping" && kind !== "backing-off")) return false;
    if (kind === "stopping") this.#to({ kind: "backing-off", error, until });
    return true;
  }

  /** Starts it again, all phases of it. A start that fails counts like any other failure. */
  async restart(signal: AbortSignal): Promise<void> {
    if (this.#stopAsked) return;
    this.#restarts++;
    this.#busy = this.#startAgain(signal);
    await this.#busy;
    this.#busy = undefined;
  }

  /** Stays down, because its group does. */
  giveUp(error: unknown): void {
    this.#lastError = error;
    this.#to({ kind: "faulted", error });
    this.#logger.error({ err: error }, "stays down");
  }

  /** Disposes the instance if it is no one else's; gives back what went wrong. */
  async release(): Promise<readonly unknown[]> {
    try {
      await this.#instance.release();
      return [];
    } catch (error) {
      return [error];
    }
  }

  /** Ends what still runs, without waiting. */
  abandonExecution(): void {
    this.#stopAsked = true;
    if (this.#state.kind === "stopped") return;
    this.#run?.abort(new NightshiftError("NS_ABORTED", "The host was disposed."));
  }

  /** The heartbeat's age when it is older than allowed. */
  overdue(): number | undefined {
    return this.#state.kind === "running" ? this.#pulse.overdue(this.#since) : undefined;
  }

  /** One phase of the stop of the host. A restart under way has been told to give up; stopping what is half started would be a race. */
  #stopStep(service: HostedService, phase: StopPhase, signal: AbortSignal): Promise<Outcome> {
    const busy = this.#busy;
    if (busy === undefined && !this.#owesStop) return Promise.resolve({ kind: "done" });
    const run = phase === "stop" ? (given: AbortSignal) => this.#stopAndWait(service, given) : phaseOf(service, phase);
    if (busy === undefined || run === undefined) return this.#step(phase, run, signal, STOP_GRACE);
    const afterwards = (given: AbortSignal) => busy.then(() => (this.#owesStop ? run(given) : undefined));
    return this.#step(phase, afterwards, signal, STOP_GRACE);
  }

  async #stopAndWait(service: HostedService, signal: AbortSignal): Promise<void> {
    await service.stop(signal);
    // A background service resolves its stop when the time is over, its work possibly still running: that is an overrun.
    await this.#watched;
  }

  async #stopForRestart(): Promise<void> {
    const { service } = this.#instance;
    if (service === undefined || !this.#owesStop) return;
    const { signal } = new AbortController();
    const timeout = this.spec.stopTimeout ?? this.#host.shutdownTimeout;
    for (const phase of STOP_PHASES) {
      const run =
        phase === "stop" ? (given: AbortSignal) => this.#stopAndWait(service, given) : phaseOf(service, phase);
      const outcome = await this.#step(phase, run, signal, STOP_GRACE, timeout);
      if (outcome.kind === "failed") this.#logger.warn({ err: outcome.error }, `${phase} failed before a restart`);
      if (outcome.kind !== "abandoned") continue;
      // It may still be at work: another run beside it would be two.
      const [error] = this.#errorsOf(outcome, phase);
      this.#fail(error);
      break;
    }
    this.#owesStop = false;
  }

  async #startAgain(signal: AbortSignal): Promise<void> {
    try {
      await this.#instance.renew();
      for (const phase of START_PHASES) await this.startPhase(phase, signal);
      this.#logger.info({ restarts: this.#restarts }, "restarted");
    } catch (error) {
      if (!this.#stopAsked) this.#ended("failed", error);
    }
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
    if (how === "failed") {
      this.#lastError = error;
      this.#generation++;
    }
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
        if (how === "completed") error = endedTooOften(this.name, `it was restarted ${decision.restarts} times`);
        this.#fail(error, decision.restarts > 0 ? `failed after ${decision.restarts} restarts` : "failed");
        break;
      case "restart":
        this.#backOff(decision.delay, how, error);
    }
  }

  #backOff(delay: number, how: "completed" | "failed", error: unknown): void {
    const { clock, restart } = this.#host;
    const verdict = restart(this, delay, error);
    if (verdict.kind === "refused") {
      const { group } = verdict;
      const cause = how === "failed" ? error : endedTooOften(this.name, tooOften(group));
      this.#fail(cause, `failed, and its group ${group.name} stays down: ${tooOften(group)}`, group.escalate);
      return;
    }
    const restartAt = clock.monotonic() + delay;
    this.#restartTimes = [...this.#restartTimes, restartAt].slice(-(this.spec.supervision.maxRestarts + 1));
    this.#to({ kind: "backing-off", error, until: verdict.until });
    const facts = { delay: formatDuration(Math.max(0, verdict.until - clock.now())), restarts: this.#restarts };
    if (how === "failed") this.#logger.error({ err: error, ...facts }, "failed; it is restarted after the delay");
    else this.#logger.info(facts, "ended; it is restarted after the delay");
  }

  #fail(error: unknown, message = "failed", escalate = this.spec.supervision.escalate): void {
    this.#lastError = error;
    this.#to({ kind: "faulted", error });
    this.#logger.error({ err: error }, message);
    this.#host.onFailed(this, error, escalate);
  }

  #context(generation: number): ServiceContext {
    return {
      name: this.name,
      logger: this.#logger,
      term: undefined,
      beat: (doing) => {
        if (generation === this.#generation) this.#pulse.beat(doing);
      },
      fail: (error) => {
        if (generation === this.#generation) this.#ended("failed", error);
        else this.#logger.warn({ err: error }, "told of a failure after its run was over");
      },
    };
  }

  async #step(
    phase: StartPhase | StopPhase,
    run: ((signal: AbortSignal) => unknown) | undefined,
    signal: AbortSignal,
    grace: number,
    timeout = phase.startsWith("start") ? this.spec.startTimeout : this.spec.stopTimeout,
  ): Promise<Outcome> {
    if (run === undefined) return { kind: "done" };
    this.#phase = phase;
    try {
      return await bounded(run, { clock: this.#host.clock, signal, timeout, grace, what: `${this.name}'s ${phase}` });
    } finally {
      this.#phase = undefined;
    }
  }

  #throwUnlessDone(outcome: Outcome, phase: StartPhase, signal: AbortSignal): void {
    if (outcome.kind === "done") return;
    const error = outcome.kind === "failed" ? outcome.error : (signal.reason ?? startOverrun(this.name, phase));
    this.#lastError = error;
    // Given up because the host stops, it has not failed.
    if (!this.#stopAsked) this.#to({ kind: "faulted", error });
    throw error;
  }

  #errorsOf(outcome: Outcome, phase: StopPhase): readonly unknown[] {
    if (outcome.kind === "done") return [];
    if (outcome.kind === "failed") {
      this.#lastError = outcome.error;
      this.#logger.error({ err: outcome.error }, `${phase} failed`);
      return [outcome.error];
    }
    const doing = this.#pulse.doing ?? `in ${phase}`;
    this.#to({ kind: "abandoned", doing });
    this.#logger.error({ doing, phase }, "abandoned: it did not stop in time");
    return [abandoned(this.name, phase, doing)];
  }

  #to(state: ServiceState): void {
    const from = this.#state;
    this.#state = state;
    this.#since = this.#host.clock.now();
    this.#host.onChange(this, from);
  }
}
