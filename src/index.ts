/** The front door: what an application imports. */
export { ERROR_CODES, type ErrorCode, NightshiftError } from "./errors/index.ts";
export { type Clock, type Duration, formatDuration, parseDuration, systemClock } from "./time/index.ts";
