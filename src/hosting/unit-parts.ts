/** What a service under care is made of: its states, its decided options, and what it needs of its host. */
import type { LoggerLike } from "../telemetry/index.ts";
import type { Clock } from "../time/index.ts";
import type { InstanceSource } from "./instance.ts";
import type { DecidedServiceOptions } from "./options.ts";
import type { Verdict } from "./restarts.ts";
import type { Supervision } from "./supervision.ts";
import type { ServiceUnit } from "./unit.ts";

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
export interface UnitSpec extends InstanceSource, Omit<DecidedServiceOptions, "leader"> {
  readonly name: string;
}

/** What a unit needs of its host. */
export interface UnitHost {
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly random: () => number;
  /** The time for the whole stop of the host: no stop before a restart takes longer. */
  readonly shutdownTimeout: number;
  readonly onChange: (unit: ServiceUnit, from: ServiceState) => void;
  /** The service failed for good: its policy does not restart it, or no longer. */
  readonly onFailed: (unit: ServiceUnit, error: unknown, escalate: Supervision["escalate"]) => void;
  /** The service has done all it had to. */
  readonly onCompleted: (unit: ServiceUnit) => void;
  /** Restarts it after the delay, with those of its group, unless the group has had enough. */
  readonly restart: (unit: ServiceUnit, delay: number, error: unknown) => Verdict;
}
