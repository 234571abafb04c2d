/** What the host can run: something with start and stop, or something with one long `execute`. */
import type { LoggerLike } from "../telemetry/index.ts";
import type { LeaderTerm } from "./leader.ts";

/** What the host tells a service about itself, and what the service can tell the host. */
export interface ServiceContext {
  /** The service's name in the host. */
  readonly name: string;
  /** A logger that carries the name. */
  readonly logger: LoggerLike;
  /**
   * Says "I am alive", and optionally what is being done. With the option `heartbeat` the service is unhealthy when the
   * last beat is older than that; the text is shown when the service has to be abandoned.
   */
  beat(doing?: string): void;
  /** Reports a failure that no promise carries, such as a server's `error` event. The restart policy decides what follows. */
  fail(error: unknown): void;
  /** The term of leadership of a `leaderOnly` service; its token is the fencing token. */
  readonly term: LeaderTerm | undefined;
}

/**
 * Something the host starts and stops. `start` resolves when the service is ready; work that goes on belongs to a
 * {@link BackgroundService}.
 *
 * Per start of the host, every service's `starting` runs before the first `start`, and every `start` before the first
 * `started`; the same with `stopping`, `stop` and `stopped`, in reverse order. A restart runs all of them for the service
 * alone: each `start` that succeeded is matched by one `stop`.
 */
export interface HostedService {
  /** @param signal aborted when the start is given up: timeout, cancellation, stop. Pass it on to what you await. */
  start(signal: AbortSignal, context: ServiceContext): Promise<void> | void;
  /** @param signal aborted when the time for stopping is over: leave at once then. */
  stop(signal: AbortSignal): Promise<void> | void;
  /** Runs before any service's `start`. */
  starting?(signal: AbortSignal): Promise<void> | void;
  /** Runs after every service's `start`. */
  started?(signal: AbortSignal): Promise<void> | void;
  /** Runs before any service's `stop`. */
  stopping?(signal: AbortSignal): Promise<void> | void;
  /** Runs after every service's `stop`. */
  stopped?(signal: AbortSignal): Promise<void> | void;
  /** The long work, when there is any: the host watches it. {@link BackgroundService} provides it. */
  readonly execution?: Promise<void> | undefined;
  /** The term of leadership, of a service that runs only while its process leads. */
  readonly term?: LeaderTerm | undefined;
}

/** Only an `execute`: the host does the rest. */
export interface Executable {
  execute(stopping: AbortSignal, context: ServiceContext): Promise<void> | void;
}

/** The phases, in the order in which they run. */
export type StartPhase = "starting" | "start" | "started";
export type StopPhase = "stopping" | "stop" | "stopped";
