/** Others may change a schedule between reading and writing it: how often it is tried again, and what is said in the end. */
import { NightshiftError, show } from "../errors/index.ts";

/** More than people and schedulers together move one schedule within a few round trips. */
export const TRIES = 20;

export function staleSchedule(id: string): NightshiftError {
  const message = `Schedule ${show(id)} was changed meanwhile. Read it again with schedules.get() and decide anew.`;
  return new NightshiftError("NS_SCHEDULE_STALE", message);
}

export function noSuchSchedule(id: string): NightshiftError {
  return new NightshiftError(
    "NS_SCHEDULE_NOT_FOUND",
    `No schedule ${show(id)} exists. schedules.list() names them all.`,
  );
}
