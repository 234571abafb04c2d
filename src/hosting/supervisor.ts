/** All the services of a host: their phases in order, their restarts alone or as a group, and what failed for good. */
import { type Container, throwCollected } from "../services/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import type { Clock } from "../time/index.ts";
import type { StartPhase, StopPhase } from "./hosted-service.ts";
import { type ServiceState, ServiceUnit, type UnitSpec } from "./unit.ts";

/** Who is restarted when one member of a group is: it alone, all, or it and those that started after it. */
export type GroupStrategy = "one-for-one" | "one-for-all" | "rest-for-one";

/** What the supervisor needs to know, and whom it tells. */
export interface SupervisorParts {
  readonly specs: readonly UnitSpec[];
  /** Indices into `specs`: level after level. */
  readonly levels: readonly (readonly number[])[];
  readonly groups: ReadonlyMap<string, GroupStrategy>;
  readonly startConcurrently: boolean;
  readonly stopConcurrently: boolean;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly random: () => number;
  readonly onChange: (unit: ServiceUnit, from: ServiceState) => void;
  /** A service failed, and its policy is to stop the host. */
  readonly onFatal: (unit: ServiceUnit, error: unknown) => void;
  /** A service ended for good, whether it failed or not. */
  readonly onEnded: () => void;
}

/** The services of a host. */
export class Supervisor {
  readonly units: readonly ServiceUnit[];
  readonly #parts: SupervisorParts;
  /** Aborted at the stop and at the disposal: no restart begins or goes on after that. */
  readonly #restarts = new AbortController();
  /** Members that were stopped because another one failed, until they are started again with it. */
  readonly #stoppedWith = new Map<ServiceUnit, Promise<readonly ServiceUnit[]>>();

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const { clock, logger, random, onChange } = parts;
    this.units = parts.specs.map((spec) => {
      return new ServiceUnit(spec, {
        clock,
        logger,
        random,
        onChange,
        onFailed: (unit, error) => {
          if (unit.spec.supervision.escalate === "stop-host") parts.onFatal(unit, error);
          else parts.onEnded();
        },
        onCompleted: () => parts.onEnded(),
        onBackingOff: (unit) => this.#stopCompanions(unit),
        restart: (unit) => this.#restart(unit),
      });
    });
  }

  /** Makes every instance. */
  create(container: Container): void {
    for (const unit of this.units) unit.create(container);
  }

  /** Runs one phase of the start: level after level, in order or together. Throws what failed. */
  async startPhase(phase: StartPhase, signal: AbortSignal): Promise<void> {
    for (const units of this.#levels()) {
      if (this.#parts.startConcurrently) {
        const outcomes = await Promise.allSettled(units.map((unit) => unit.startPhase(phase, signal)));
        const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
        throwCollected(errors, "Several services failed to start.");
      } else for (const unit of units) await unit.startPhase(phase, signal);
    }
  }

  /** Runs one phase of the stop, in reverse; gives back what went wrong. */
  async stopPhase(phase: StopPhase, signal: AbortSignal): Promise<unknown[]> {
    if (phase === "stop") this.#restarts.abort();
    const errors: unknown[] = [];
    for (const units of this.#levels().reverse()) {
      const together: Promise<readonly unknown[]>[] = [];
      for (const unit of units.reverse()) {
        const stopped = unit.stopPhase(phase, signal);
        // When the time is over nobody waits for its turn: all are told at once, and share what is left.
        if (this.#parts.stopConcurrently || signal.aborted) together.push(stopped);
        else errors.push(...(await stopped));
      }
      errors.push(...(await Promise.all(together)).flat());
    }
    return errors;
  }

  /** Whether any service has a stop owed to it. */
  get anyStarted(): boolean {
    return this.units.some((unit) => unit.wasStarted);
  }

  /** Whether every service with an execution has ended it, daemons aside, and there is one. */
  get allCompleted(): boolean {
    const background = this.units.filter((unit) => unit.isBackground && !unit.spec.daemon);
    return (
      background.length > 0 && background.every(({ state }) => state.kind === "completed" || state.kind === "faulted")
    );
  }

  /** Ends what still runs, without waiting. */
  abandon(): void {
    this.#restarts.abort();
    for (const unit of this.units) unit.abandonExecution();
  }

  #levels(): ServiceUnit[][] {
    return this.#parts.levels.map((level) => level.flatMap((index) => this.units[index] ?? []));
  }

  #stopCompanions(failed: ServiceUnit): void {
    const companions = this.#companions(failed).filter((unit) => unit.isUp);
    if (companions.length === 0) return;
    const stop = async () => {
      for (const unit of companions.toReversed()) await unit.stopForRestart(this.#restarts.signal);
      return companions;
    };
    this.#stoppedWith.set(failed, stop());
  }

  async #restart(unit: ServiceUnit): Promise<void> {
    const companions = (await this.#stoppedWith.get(unit)) ?? [];
    this.#stoppedWith.delete(unit);
    const order = this.#levels().flat();
    for (const each of order) {
      if (this.#restarts.signal.aborted) return;
      if (each === unit || companions.includes(each)) await each.restart(this.#restarts.signal);
    }
  }

  #companions(failed: ServiceUnit): ServiceUnit[] {
    const { group } = failed.spec;
    const strategy = group === undefined ? undefined : this.#parts.groups.get(group);
    if (strategy === undefined || strategy === "one-for-one") return [];
    const members = this.#levels()
      .flat()
      .filter((unit) => unit.spec.group === group);
    const from = strategy === "rest-for-one" ? members.indexOf(failed) + 1 : 0;
    return members.slice(from).filter((unit) => unit !== failed);
  }
}
