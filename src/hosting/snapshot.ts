/** How a host and its services are at one moment, as plain data; and the events that tell of changes. */
import type { DecidedHostOptions } from "./options.ts";
import type { ServiceUnit } from "./unit.ts";
import type { ServiceState } from "./unit-parts.ts";

/** Where a host is in its life. `failed`: its start failed. */
export type HostState = "built" | "starting" | "running" | "stopping" | "stopped" | "failed" | "disposed";

/** The word for what a service is doing. */
export type ServiceStateName = ServiceState["kind"];

/** All of them. */
export const SERVICE_STATES: readonly ServiceStateName[] = [
  ...(["registered", "starting", "running", "backing-off", "completed", "faulted"] as const),
  ...(["stopping", "stopped", "abandoned"] as const),
];

/** One service at one moment. */
export interface ServiceSnapshot {
  readonly name: string;
  readonly state: ServiceStateName;
  /** Since when it is in that state. */
  readonly since: Date;
  /** How often it was restarted. */
  readonly restarts: number;
  /** What it threw last, also when it was restarted since. */
  readonly lastError: unknown;
  /** When it last called `beat()`, or started. */
  readonly lastHeartbeat: Date | undefined;
  /** What it said at its last beat that it is doing. */
  readonly doing: string | undefined;
  /** Whether it beats as often as it promised (true when it promised nothing). */
  readonly alive: boolean;
  /** When it is started again, while it is backing off. */
  readonly restartsAt: Date | undefined;
  /** Whether the application is ready only while it runs. */
  readonly required: boolean;
  /** Whether this process leads, for a leader-only service; `undefined` for others. */
  readonly leading: boolean | undefined;
}

/** A host at one moment. */
export interface HostSnapshot {
  readonly name: string;
  readonly environment: string;
  readonly state: HostState;
  /** When every service had started; undefined before. */
  readonly startedAt: Date | undefined;
  /** In the order of registration. */
  readonly services: readonly ServiceSnapshot[];
}

/** What `host.events` tells. */
export interface HostEvents {
  /** A service changed its state. */
  readonly service: {
    readonly service: string;
    readonly from: ServiceStateName;
    readonly to: ServiceStateName;
    /** What it threw last. */
    readonly error: unknown;
    readonly at: Date;
  };
  /** The host changed its state. */
  readonly host: { readonly from: HostState; readonly to: HostState; readonly at: Date };
}

/** Puts a snapshot together. */
export function snapshotOf(
  { name, environment }: DecidedHostOptions,
  state: HostState,
  startedAt: number | undefined,
  units: readonly ServiceUnit[],
): HostSnapshot {
  return { name, environment, state, startedAt: dateOf(startedAt), services: units.map(serviceSnapshot) };
}

function serviceSnapshot(unit: ServiceUnit): ServiceSnapshot {
  return {
    name: unit.name,
    state: unit.state.kind,
    since: new Date(unit.since),
    restarts: unit.restarts,
    lastError: unit.lastError,
    lastHeartbeat: dateOf(unit.lastBeat),
    doing: unit.doing,
    alive: unit.overdue() === undefined,
    restartsAt: unit.state.kind === "backing-off" ? new Date(unit.state.until) : undefined,
    required: unit.spec.required,
    leading: unit.leading,
  };
}

function dateOf(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
