/** The periods that a rule's FREQ and INTERVAL name: which one a reading is in, and where each begins. */
import { civilOf, DAY, dayNumber, dayOf, HOUR, MINUTE, SECOND, weekdayOf } from "../civil.ts";
import type { Frequency } from "./parts.ts";

/** Numbered periods; local readings in milliseconds. */
export interface Periods {
  /** The number of the period that a reading is in. */
  indexOf(local: number): number;
  /** The first reading of a period. */
  startOf(index: number): number;
}

const LENGTHS: Partial<Record<Frequency, number>> = { DAILY: DAY, HOURLY: HOUR, MINUTELY: MINUTE, SECONDLY: SECOND };

/** The periods of a frequency. */
export function periodsOf(freq: Frequency, weekStart: number): Periods {
  const length = LENGTHS[freq];
  if (length !== undefined) {
    return { indexOf: (local) => Math.floor(local / length), startOf: (index) => index * length };
  }
  if (freq === "WEEKLY") {
    // Day 0 was a Thursday; weeks are numbered from the one that holds it.
    const shift = (weekdayOf(0) - weekStart + 7) % 7;
    return {
      indexOf: (local) => Math.floor((dayOf(local) + shift) / 7),
      startOf: (index) => (index * 7 - shift) * DAY,
    };
  }
  if (freq === "MONTHLY") {
    return {
      indexOf(local) {
        const { year, month } = civilOf(dayOf(local));
        return year * 12 + month - 1;
      },
      startOf: (index) => dayNumber(Math.floor(index / 12), (index % 12) + 1, 1) * DAY,
    };
  }
  return {
    indexOf: (local) => civilOf(dayOf(local)).year,
    startOf: (index) => dayNumber(index, 1, 1) * DAY,
  };
}
