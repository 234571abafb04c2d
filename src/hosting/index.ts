/** The host: starts, watches and stops the services of a process. */
export { isCancellation } from "./abort.ts";
export type { BackgroundQueue, BackgroundQueueOptions, Work, WorkItem } from "./background-queue.ts";
export { BackgroundService } from "./background-service.ts";
export { type AddHostedService, type AnyService, type Build, HostBuilder } from "./builder.ts";
export { Configuration, type ConfigurationSources } from "./configuration.ts";
export type { Events } from "./emitter.ts";
export { Host, type HostCall, type HostParts, type StartCheck } from "./host.ts";
export type { Executable, HostedService, ServiceContext } from "./hosted-service.ts";
export { HostLifetime, type LifetimeCallback } from "./lifetime.ts";
export type { HostOptions, OnServiceFailure, ProcessLifetime, ServiceOptions } from "./options.ts";
export type { HostEvents, HostSnapshot, HostState, ServiceSnapshot, ServiceStateName } from "./snapshot.ts";
export type { Backoff, RestartPolicy, RestartWord } from "./supervision.ts";
export type { GroupStrategy } from "./supervisor.ts";
export { type TickerOptions, type TickInfo, ticker } from "./ticker.ts";
export type { Tick, TimedOptions, TimedRun } from "./timed-service.ts";
