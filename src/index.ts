/** The front door: what an application imports. */
export { createHost } from "./create-host.ts";
export { ERROR_CODES, type ErrorCode, NightshiftError } from "./errors/index.ts";
export {
  type BackgroundQueue,
  type BackgroundQueueOptions,
  BackgroundService,
  type Host,
  HostBuilder,
  type HostEvents,
  type HostedService,
  HostLifetime,
  type HostOptions,
  type HostSnapshot,
  type RestartPolicy,
  type ServiceContext,
  type ServiceOptions,
  type ServiceSnapshot,
  type Tick,
  type TimedOptions,
  ticker,
  type Work,
} from "./hosting/index.ts";
export {
  all,
  Clock,
  type Container,
  type Dependency,
  type ForeignContainer,
  type Instance,
  type Key,
  optional,
  type Resolved,
  Resolver,
  type Scope,
  ScopeFactory,
  Services,
  type Token,
  token,
} from "./services/index.ts";
export {
  type ConsoleLoggerOptions,
  consoleLogger,
  Logger,
  type LoggerLike,
  type LogLevel,
  silentLogger,
} from "./telemetry/index.ts";
export {
  type CronOptions,
  cron,
  type Duration,
  formatDuration,
  interval,
  once,
  parseDuration,
  systemClock,
  type Trigger,
} from "./time/index.ts";
