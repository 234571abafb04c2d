/** The options of the host and of a service: what people write, checked, with every default decided. */
import { type Problems, show } from "../errors/index.ts";
import { hasMethods, isCallable, oneOf, textOf } from "../errors/option-checks.ts";
import type { AbstractClass } from "../services/index.ts";
import { LOG_LEVELS, LOGGER_METHODS, type LoggerLike, type LogLevel } from "../telemetry/index.ts";
import { type Clock, type Duration, formatDuration, parseDuration } from "../time/index.ts";
import type { ConfigurationSources } from "./configuration.ts";
import { refuseSignals, STOP_SIGNALS } from "./process.ts";
import { type RestartPolicy, type RestartWord, readSupervision, type Supervision } from "./supervision.ts";

/** What happens when a service fails and its policy does not restart it (any more). */
export type OnServiceFailure = "stop-host" | "ignore";

/** A place to hold the start back and to be told of the end: a service manager, for example. */
export interface ProcessLifetime {
  /** No service starts before it resolves. */
  waitForStart?(signal: AbortSignal): Promise<void> | void;
  /** Called once, after everything has stopped. */
  stop?(signal: AbortSignal): Promise<void> | void;
}

/** The options of a host. */
export interface HostOptions {
  /** The application's name, in logs and health. Default `"app"`. */
  readonly name?: string;
  /** `"Production"`, `"Development"` or a word of your own. Default: `NIGHTSHIFT_ENVIRONMENT`, else `"Production"`. */
  readonly environment?: string;
  /** A pino-compatible logger. Default: one readable line per entry on the console. */
  readonly logger?: LoggerLike;
  /** The lowest level that the default logger writes. Default `"info"`. */
  readonly logLevel?: LogLevel | "silent";
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Where operators set options: a file and the environment. `false` reads neither. What is set in code stands above both. */
  readonly configuration?: ConfigurationSources | false;
  /** The signals that stop the application; `false` installs no handlers. Default SIGINT, SIGTERM and SIGQUIT. */
  readonly signals?: false | readonly NodeJS.Signals[];
  /** Whether an uncaught exception or unhandled rejection stops the host and makes `run()` reject. Default `"stop-host"`; `"ignore"` leaves them to Node. Without signal handlers they are left to Node too. */
  readonly unhandledErrors?: OnServiceFailure;
  /** The time for the whole stop. Default 25 s: within the 30 s that Kubernetes gives. */
  readonly shutdownTimeout?: Duration;
  /** The time for the whole start. Default: no limit. */
  readonly startupTimeout?: Duration;
  /** How long the application goes on serving after it was asked to stop, with readiness failing, so that load balancers notice. Default 0. */
  readonly drainDelay?: Duration;
  /** Start services that do not wait for each other together. Default `false`: one after the other. */
  readonly startConcurrently?: boolean;
  /** Stop services that do not wait for each other together. Default `false`. */
  readonly stopConcurrently?: boolean;
  /** What happens when a service fails for good. Default `"stop-host"`: `run()` rejects with its error. */
  readonly onServiceFailure?: OnServiceFailure;
  /** After a failed start: stop what had started, or leave it to the disposal of the host. Default `"roll-back"`. */
  readonly onStartFailure?: "roll-back" | "abandon";
  /** Stop when every background service has completed, `daemon` ones aside: run to completion. Default `false`. */
  readonly stopWhenAllCompleted?: boolean;
  /** Log the lines that tell of start and stop. Default `true`. */
  readonly lifetimeMessages?: boolean;
  /** Holds the start back and is told of the end. */
  readonly processLifetime?: ProcessLifetime;
  /** Where randomness (back-off, jitter) comes from: from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** How leadership works for a service. */
export interface LeaderOptions {
  /** What is led. Services of the same role exclude each other. Default: the service's name. */
  readonly role?: string;
  /** How long a lease holds when its holder vanishes. Default 15 s. */
  readonly ttl?: Duration;
}

/** The options of one hosted service. */
export interface ServiceOptions {
  /** Its name in logs, health and dashboard; different names make several instances of one class. Default: the class's name. */
  readonly name?: string;
  /** Whether it is stopped and started again when it ends. Default `"never"`. */
  readonly restart?: RestartWord | RestartPolicy;
  /** Services that must have started before it, by class or name. What it injects comes before it anyway. */
  readonly after?: readonly (AbstractClass | string)[];
  /** The time for each phase of its start. Default: the host's. */
  readonly startTimeout?: Duration;
  /** The time for each phase of its stop, within the host's. Default: the host's. */
  readonly stopTimeout?: Duration;
  /** Whether the application is only ready while it runs. Default `true`. */
  readonly required?: boolean;
  /** It serves the others and has no end of its own: `stopWhenAllCompleted` does not wait for it. Default `false`. */
  readonly daemon?: boolean;
  /** The longest time between two beats: unhealthy after that. Default: no beats are expected. */
  readonly heartbeat?: Duration;
  /** Run it in one process at a time: in the one that holds the lease of its role. Default `false`; the role is the service's name, and a lease holds for 15 s. */
  readonly leaderOnly?: boolean | LeaderOptions;
  /** The group whose members are restarted together; see `addServiceGroup`. */
  readonly group?: string;
}

/** The host's options, decided. */
export interface DecidedHostOptions {
  readonly name: string;
  readonly environment: string;
  readonly signals: readonly NodeJS.Signals[];
  readonly unhandledErrors: boolean;
  readonly shutdownTimeout: number;
  readonly startupTimeout: number | undefined;
  readonly drainDelay: number;
  readonly startConcurrently: boolean;
  readonly stopConcurrently: boolean;
  readonly onServiceFailure: OnServiceFailure;
  readonly onStartFailure: "roll-back" | "abandon";
  readonly stopWhenAllCompleted: boolean;
  readonly lifetimeMessages: boolean;
  readonly processLifetime: ProcessLifetime | undefined;
  readonly random: () => number;
}

/** The options of a service, decided. */
export interface DecidedServiceOptions {
  readonly supervision: Supervision;
  readonly startTimeout: number | undefined;
  readonly stopTimeout: number | undefined;
  readonly required: boolean;
  readonly daemon: boolean;
  readonly heartbeat: number | undefined;
  readonly group: string | undefined;
  readonly leader: { readonly role: string | undefined; readonly ttl: number } | undefined;
}

const HOST_OPTIONS: readonly (keyof HostOptions)[] = [
  "name",
  "environment",
  "logger",
  "logLevel",
  "clock",
  "configuration",
  "signals",
  "unhandledErrors",
  "shutdownTimeout",
  "startupTimeout",
  "drainDelay",
  "startConcurrently",
  "stopConcurrently",
  "onServiceFailure",
  "onStartFailure",
  "stopWhenAllCompleted",
  "lifetimeMessages",
  "processLifetime",
  "random",
];

const SERVICE_OPTIONS: readonly (keyof ServiceOptions)[] = [
  "name",
  "restart",
  "after",
  "startTimeout",
  "stopTimeout",
  "required",
  "daemon",
  "heartbeat",
  "leaderOnly",
  "group",
];

/** Checks and decides the host's options. */
export function readHostOptions(given: HostOptions, problems: Problems): DecidedHostOptions {
  problems.unknownOptions("createHost()", given, HOST_OPTIONS);
  const time = timeReader("the host", problems);
  const flag = (name: keyof HostOptions) => {
    const value = given[name] ?? false;
    oneOf(value, [true, false], `The host's ${name}`, problems);
    return value === true;
  };
  const onServiceFailure = given.onServiceFailure ?? "stop-host";
  oneOf(onServiceFailure, ["stop-host", "ignore"], "The host's onServiceFailure", problems);
  const unhandledErrors = given.unhandledErrors ?? "stop-host";
  oneOf(unhandledErrors, ["stop-host", "ignore"], "The host's unhandledErrors", problems);
  const onStartFailure = given.onStartFailure ?? "roll-back";
  oneOf(onStartFailure, ["roll-back", "abandon"], "The host's onStartFailure", problems);
  oneOf(given.logLevel ?? "info", [...LOG_LEVELS, "silent"], "The host's logLevel", problems);
  const lifetimeMessages = given.lifetimeMessages ?? true;
  oneOf(lifetimeMessages, [true, false], "The host's lifetimeMessages", problems);
  const signals = given.signals ?? STOP_SIGNALS;
  if (signals !== false && !Array.isArray(signals)) {
    problems.add(
      "NS_OPTION_INVALID",
      `The host's signals is ${show(signals)}. Give false or a list such as ["SIGTERM"].`,
    );
  } else if (signals !== false) refuseSignals(signals, problems);
  checkParts(given, problems);
  const shutdownTimeout = time("shutdownTimeout", given.shutdownTimeout ?? "25s");
  const drainDelay = time("drainDelay", given.drainDelay ?? 0);
  if (drainDelay > 0 && drainDelay >= shutdownTimeout && problems.found.length === 0) {
    const times = `drainDelay (${formatDuration(drainDelay)}) leaves nothing of its shutdownTimeout (${formatDuration(shutdownTimeout)})`;
    problems.add("NS_OPTION_INVALID", `The host's ${times}. The stop needs time after the delay.`);
  }
  return {
    name: textOf(given.name ?? "app", "The host's name", "app", problems),
    environment: textOf(given.environment ?? "Production", "The host's environment", "Production", problems),
    signals: Array.isArray(signals) ? signals : [],
    unhandledErrors: signals !== false && unhandledErrors === "stop-host",
    shutdownTimeout,
    startupTimeout: given.startupTimeout === undefined ? undefined : time("startupTimeout", given.startupTimeout),
    drainDelay,
    startConcurrently: flag("startConcurrently"),
    stopConcurrently: flag("stopConcurrently"),
    onServiceFailure,
    onStartFailure,
    stopWhenAllCompleted: flag("stopWhenAllCompleted"),
    lifetimeMessages,
    processLifetime: given.processLifetime,
    random: given.random ?? Math.random,
  };
}

/** What is given to the host to be called. */
function checkParts({ logger, clock, random, processLifetime }: HostOptions, problems: Problems): void {
  if (logger !== undefined) {
    const advice = "Give a pino-compatible logger, or consoleLogger().";
    hasMethods(logger, LOGGER_METHODS, "The host's logger", advice, problems);
  }
  if (clock !== undefined) {
    const advice = "Give systemClock, or the VirtualClock of a test.";
    hasMethods(clock, ["now", "monotonic", "setTimer"], "The host's clock", advice, problems);
  }
  if (random !== undefined) isCallable(random, "The host's random", problems);
  if (processLifetime !== undefined && (typeof processLifetime !== "object" || processLifetime === null)) {
    const advice = "Give an object with waitForStart() or stop().";
    problems.add("NS_OPTION_INVALID", `The host's processLifetime is ${show(processLifetime)}. ${advice}`);
  }
}

/** Checks and decides the options of one service; `own` are the names that its kind of service has beside these. */
export function readServiceOptions(
  given: ServiceOptions,
  what: string,
  onServiceFailure: OnServiceFailure,
  problems: Problems,
  own: readonly string[] = [],
): DecidedServiceOptions {
  problems.unknownOptions(what, given, [...SERVICE_OPTIONS, ...own]);
  for (const name of ["required", "daemon"] as const) {
    if (given[name] !== undefined) oneOf(given[name], [true, false], `${what}'s ${name}`, problems);
  }
  if (given.heartbeat === 0) {
    problems.add("NS_OPTION_INVALID", `${what}'s heartbeat is 0. Give the longest time between two beats.`);
  }
  if (given.group !== undefined) textOf(given.group, `${what}'s group`, "", problems);
  const time = timeReader(what, problems);
  const optionalTime = (name: "startTimeout" | "stopTimeout" | "heartbeat") => {
    const value = given[name];
    return value === undefined ? undefined : time(name, value);
  };
  const escalate = onServiceFailure === "ignore" ? "give-up" : "stop-host";
  return {
    supervision: readSupervision(given.restart, escalate, what, problems),
    startTimeout: optionalTime("startTimeout"),
    stopTimeout: optionalTime("stopTimeout"),
    required: given.required ?? true,
    daemon: given.daemon ?? false,
    heartbeat: optionalTime("heartbeat"),
    group: given.group,
    leader: readLeader(given.leaderOnly, what, problems),
  };
}

/** A lease shorter than this could not be renewed in time on a busy machine. */
const SHORTEST_LEASE = 100;

function readLeader(given: boolean | LeaderOptions | undefined, what: string, problems: Problems) {
  if (given === undefined || given === false) return undefined;
  if (given !== true && (typeof given !== "object" || given === null)) {
    problems.add("NS_OPTION_INVALID", `${what}'s leaderOnly is ${show(given)}. Give true, or { role, ttl }.`);
    return undefined;
  }
  const options = given === true ? {} : given;
  if (options.role !== undefined) textOf(options.role, `${what}'s leaderOnly.role`, "", problems);
  problems.unknownOptions(`${what}'s leaderOnly`, options, ["role", "ttl"]);
  const ttl = timeReader(`${what}'s leaderOnly`, problems)("ttl", options.ttl ?? "15s");
  if (ttl < SHORTEST_LEASE) {
    problems.add(
      "NS_OPTION_INVALID",
      `${what}'s leaderOnly.ttl is ${show(options.ttl)}. Give ${SHORTEST_LEASE} ms or more.`,
    );
  }
  return { role: options.role, ttl };
}

function timeReader(what: string, problems: Problems): (name: string, value: Duration) => number {
  return (name, value) => problems.attempt(() => parseDuration(value, `${what}'s ${name}`)) ?? 0;
}
