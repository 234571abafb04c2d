/** The clock as a service: inject it instead of reading the time, and tests can move it. */
import type { Clock as TimeClock } from "../time/index.ts";
import { token } from "./key.ts";

/** A source of time. The library never reads `Date.now()` or sets a timer elsewhere. */
export type Clock = TimeClock;
/** The host's clock, injected. */
export const Clock = token<TimeClock>("Clock");
