/** The ground floor: time, pure. Nothing here knows a store, a job or a host. */
export { type Clock, sleep, systemClock, type Timer, type TimerOptions } from "./clock.ts";
export { type Duration, type DurationUnit, formatDuration, parseDuration } from "./duration.ts";
export { VirtualClock } from "./virtual-clock.ts";
