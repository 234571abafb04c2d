/** All the services of a host: their phases in order, and what failed for good. */
import { type Container, throwCollected } from "../services/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import type { Clock } from "../time/index.ts";
import type { StartPhase, StopPhase } from "./hosted-service.ts";
import { Restarts } from "./restarts.ts";
import type { DecidedGroup } from "./service-group.ts";
import { ServiceUnit } from "./unit.ts";
import type { ServiceState, UnitSpec } from "./unit-parts.ts";

/** What the supervisor needs to know, and whom it tells. */
export interface SupervisorParts {
  readonly specs: readonly UnitSpec[];
  /** Indices into `specs`: level after level. */
  readonly levels: readonly (readonly number[])[];
  readonly groups: ReadonlyMap<string, DecidedGroup>;
  readonly startConcurrently: boolean;
  readonly stopConcurrently: boolean;
  /** The time for the whole stop of the host, in milliseconds. */
  readonly shutdownTimeout: number;
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
  readonly #restarts: Restarts;
  readonly #failedToStart = new Set<string>();

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const { clock, groups, logger, random, onChange, shutdownTimeout } = parts;
    this.#restarts = new Restarts({
      clock,
      groups,
      order: () => this.#levels().flat(),
      onGroupEnded: () => parts.onEnded(),
    });
    this.units = parts.specs.map((spec) => {
      return new ServiceUnit(spec, {
        ...{ clock, logger, random, onChange, shutdownTimeout },
        onFailed: (unit, error, escalate) => {
          if (escalate === "stop-host") parts.onFatal(unit, error);
          else parts.onEnded();
        },
        onCompleted: () => parts.onEnded(),
        restart: (unit, delay, error) => this.#restarts.schedule(unit, delay, error),
      });
    });
  }

  /** Makes every instance. */
  create(container: Container): void {
    for (const unit of this.units) {
      this.#failedToStart.add(unit.name);
      unit.create(container);
      this.#failedToStart.delete(unit.name);
    }
  }

  /** Runs one phase of the start: level after level, in order or together. Throws what failed. */
  async startPhase(phase: StartPhase, signal: AbortSignal): Promise<void> {
    for (const level of this.#levels()) {
      const units = level.filter((unit) => unit.concerns(phase));
      if (this.#parts.startConcurrently) {
        const outcomes = await Promise.allSettled(units.map((unit) => this.#startOne(unit, phase, signal)));
        const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
        throwCollected(errors, "Several services failed to start.");
      } else for (const unit of units) await this.#startOne(unit, phase, signal);
    }
  }

  async #startOne(unit: ServiceUnit, phase: StartPhase, signal: AbortSignal): Promise<void> {
    try {
      await unit.startPhase(phase, signal);
    } catch (error) {
      this.#failedToStart.add(unit.name);
      throw error;
    }
  }

  /** The services that could not be made, or whose start threw. */
  get failedToStart(): readonly string[] {
    return [...this.#failedToStart];
  }

  /** Runs one phase of the stop, in reverse; gives back what went wrong. */
  async stopPhase(phase: StopPhase, signal: AbortSignal): Promise<unknown[]> {
    this.#restarts.end();
    const errors: unknown[] = [];
    for (const units of this.#levels().reverse()) {
      const together: Promise<readonly unknown[]>[] = [];
      for (const unit of units.reverse()) {
        if (!unit.concerns(phase)) {
          unit.passOver(phase);
          continue;
        }
        const stopped = unit.stopPhase(phase, signal);
        // When the time is over nobody waits for its turn: all are told at once, and share what is left.
        if (this.#parts.stopConcurrently || signal.aborted) together.push(stopped);
        else errors.push(...(await stopped));
      }
      errors.push(...(await Promise.all(together)).flat());
    }
    return errors;
  }

  /** The steps that services are in the middle of: "mailer's stop". */
  get underWay(): readonly string[] {
    return this.units.flatMap(({ name, phase }) => (phase === undefined ? [] : [`${name}'s ${phase}`]));
  }

  /** Whether any service has a stop owed to it. */
  get anyStarted(): boolean {
    return this.units.some((unit) => unit.owesStop);
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
    this.#restarts.end();
    for (const unit of this.units) unit.abandonExecution();
  }

  /** Disposes the instances that are no one else's, last made first; gives back what went wrong. */
  async release(): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (const unit of this.units.toReversed()) errors.push(...(await unit.release()));
    return errors;
  }

  #levels(): ServiceUnit[][] {
    return this.#parts.levels.map((level) => level.flatMap((index) => this.units[index] ?? []));
  }
}
