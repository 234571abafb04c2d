/** The host: starts, watches and stops the services of a process. */
export { isCancellation } from "./abort.ts";
export type { BackgroundQueue, BackgroundQueueOptions, Work, WorkItem } from "./background-queue.ts";
export { BackgroundService } from "./background-service.ts";
export { type AddHostedService, type Build, HostBuilder } from "./builder.ts";
export { Configuration, type ConfigurationSources } from "./configuration.ts";
export type { AnyService } from "./declared.ts";
export type { Events } from "./emitter.ts";
export { Health, type HealthCheck, type HealthCheckOptions, type HealthReport, type Probe } from "./health.ts";
export type { HealthEndpointOptions } from "./health-endpoint.ts";
export type { HealthWarning, HealthWarnings } from "./health-warnings.ts";
export { Host } from "./host.ts";
export type { HostCall, HostParts, StartCheck } from "./host-parts.ts";
export type { Executable, HostedService, ServiceContext } from "./hosted-service.ts";
export { drainHttpServer, type HttpServer, type ListenOptions } from "./http-server.ts";
export { LeaderElector, type LeaderTerm } from "./leader.ts";
export { HostLifetime, type LifetimeCallback } from "./lifetime.ts";
export type { HostOptions, LeaderOptions, OnServiceFailure, ProcessLifetime, ServiceOptions } from "./options.ts";
export type { GroupStrategy, ServiceGroupOptions } from "./service-group.ts";
export {
  type HostEvents,
  type HostSnapshot,
  type HostState,
  SERVICE_STATES,
  type ServiceSnapshot,
  type ServiceStateName,
} from "./snapshot.ts";
export type { Backoff, RestartPolicy, RestartWord } from "./supervision.ts";
export { type ThreadContext, type ThreadedOptions, threaded } from "./threaded.ts";
export { type TickerOptions, type TickInfo, ticker } from "./ticker.ts";
export type { Tick, TimedOptions, TimedRun } from "./timed-service.ts";
export { HostView } from "./view.ts";
