/** The ground floor: time, pure. Nothing here knows a store, a job or a host. */
export { type Clock, sleep, systemClock, type Timer, type TimerOptions } from "./clock.ts";
export { type CronOptions, cron } from "./cron/cron.ts";
export type { GapRule } from "./cron/cron-trigger.ts";
export type { CronDialect } from "./cron/fields.ts";
export { type Duration, type DurationUnit, formatDuration, parseDuration } from "./duration.ts";
export { type IntervalOptions, interval } from "./interval.ts";
export { once } from "./once.ts";
export { withHashKey } from "./rule-trigger.ts";
export type { Moment, SearchOptions, Trigger, TriggerJSON } from "./trigger.ts";
export { triggerFromJSON } from "./trigger-json.ts";
export { VirtualClock } from "./virtual-clock.ts";
