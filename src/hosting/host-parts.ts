/** What a host is made of, and what its calls take. */
import type { Container, Resolver } from "../services/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import type { Clock } from "../time/index.ts";
import type { DeclaredCheck, Health } from "./health.ts";
import type { DeclaredWarnings } from "./health-warnings.ts";
import type { HostLifetime } from "./lifetime.ts";
import type { DecidedHostOptions } from "./options.ts";
import type { DecidedGroup } from "./service-group.ts";
import type { UnitSpec } from "./unit-parts.ts";
import type { HostView } from "./view.ts";

/** A check that runs before any service starts. Throw to refuse the start. */
export type StartCheck = (services: Resolver, signal: AbortSignal) => Promise<void> | void;

/** What a host is made of: the builder's work. */
export interface HostParts {
  readonly options: DecidedHostOptions;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly container: Container;
  readonly specs: readonly UnitSpec[];
  /** Indices into `specs`: who may start together, level after level. */
  readonly levels: readonly (readonly number[])[];
  readonly groups: ReadonlyMap<string, DecidedGroup>;
  readonly checks: readonly StartCheck[];
  /** Connects what was registered before there was a host: its lifetime, and itself. */
  readonly attach: (host: HostView, lifetime: HostLifetime, health: Health) => void;
  readonly health: {
    readonly checks: readonly DeclaredCheck[];
    readonly warnings: readonly DeclaredWarnings[];
    readonly maxLag: number;
  };
}

/** What `start`, `stop` and `run` take. */
export interface HostCall {
  /** For `start` and `stop`: gives up early. For `run`: stops the application. */
  readonly signal?: AbortSignal | undefined;
}
