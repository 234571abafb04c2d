/** A recurrence rule that can search the wall clock, forwards and backwards, without walking from its start. */
import { DAY, dayOf, HOUR, MINUTE, SECOND } from "../civil.ts";
import { EARLIEST, LATEST } from "../rule-trigger.ts";
import type { WallRule } from "../zoned-search.ts";
import { completeDays, type DayFilter, dayFilter } from "./day-filter.ts";
import type { RecurrenceParts } from "./parts.ts";
import { type Periods, periodsOf } from "./periods.ts";

/** Days looked at without finding one before a search gives up: dates repeat after 400 years. */
const MOST_DAYS = 146_100;
/** Periods looked at before a search gives up: more than any step of seconds needs to have met every time of day. */
const MOST_PERIODS = 100_000;

/** The readings of a rule, from its start on. */
export class RecurrenceRule implements WallRule {
  readonly interval: boolean;
  readonly #parts: RecurrenceParts;
  readonly #start: number;
  readonly #days: DayFilter;
  readonly #periods: Periods;
  /** Offsets inside a day, or inside a period shorter than a day, in order. */
  readonly #times: readonly number[];
  readonly #short: boolean;
  #last: number | undefined;

  constructor(parts: RecurrenceParts, start: number) {
    this.#parts = completeDays(parts, dayOf(start));
    this.#start = start;
    this.#days = dayFilter(this.#parts);
    this.#periods = periodsOf(parts.freq, parts.weekStart);
    this.#times = timesOf(parts, start);
    this.#short = ["HOURLY", "MINUTELY", "SECONDLY"].includes(parts.freq);
    this.interval = this.#short;
  }

  next(local: number): number | undefined {
    const found = this.#nextUncounted(Math.max(local, this.#start));
    return found === undefined || found > this.#lastCounted() ? undefined : found;
  }

  previous(local: number): number | undefined {
    const found = this.#search(Math.min(local, this.#lastCounted()), -1);
    return found === undefined || found < this.#start ? undefined : found;
  }

  /** The reading that COUNT ends with; walked to once. */
  #lastCounted(): number {
    const { count } = this.#parts;
    if (count === undefined) return Infinity;
    if (this.#last !== undefined) return this.#last;
    let last: number | undefined;
    for (let n = 0, at: number | undefined = this.#start; n < count; n++) {
      at = this.#nextUncounted(n === 0 ? this.#start : (last ?? 0) + SECOND);
      if (at === undefined) break;
      last = at;
    }
    return (this.#last = last ?? -Infinity);
  }

  #nextUncounted(local: number): number | undefined {
    return this.#search(local, 1);
  }

  #search(local: number, direction: 1 | -1): number | undefined {
    const inOrder = (a: number, b: number) => (direction > 0 ? a >= b : a <= b);
    let index = this.#align(this.#periods.indexOf(local), direction);
    let days = 0;
    for (let periods = 0; periods < MOST_PERIODS && days < MOST_DAYS; periods++) {
      const start = this.#periods.startOf(index);
      const end = this.#periods.startOf(index + 1);
      if (start > LATEST + DAY || end < EARLIEST - DAY || (direction < 0 && end <= this.#start)) return undefined;
      if (this.#short) {
        const skipped = this.#skip(start, direction);
        if (skipped !== undefined) {
          days += Math.abs(dayOf(skipped) - dayOf(start));
          index = this.#align(this.#periods.indexOf(skipped), direction);
          continue;
        }
      } else days += (end - start) / DAY;
      const found = this.#inPeriod(start, end, local, direction);
      if (found !== undefined && inOrder(found, local)) return found;
      index += direction * this.#parts.interval;
    }
    return undefined;
  }

  /** The nearest period of the sequence that INTERVAL makes, in the direction of the search. */
  #align(index: number, direction: 1 | -1): number {
    const { interval } = this.#parts;
    const ahead = (index - this.#periods.indexOf(this.#start)) % interval;
    const past = ahead < 0 ? ahead + interval : ahead;
    if (past === 0) return index;
    return direction > 0 ? index + interval - past : index - past;
  }

  /** For a period shorter than a day that cannot match: a reading from which it is worth looking again. */
  #skip(start: number, direction: 1 | -1): number | undefined {
    const day = dayOf(start);
    if (!this.#days(day)) {
      let other = day + direction;
      for (let n = 0; n < MOST_DAYS && !this.#days(other); n++) other += direction;
      return direction > 0 ? other * DAY : (other + 1) * DAY - SECOND;
    }
    const { freq, byHour, byMinute, bySecond } = this.#parts;
    const time = start - day * DAY;
    const beyond = (unit: number) => start - (time % unit) + (direction > 0 ? unit : -SECOND);
    if (byHour.length > 0 && !byHour.includes(Math.floor(time / HOUR))) return beyond(HOUR);
    if (freq === "HOURLY") return undefined;
    if (byMinute.length > 0 && !byMinute.includes(Math.floor((time % HOUR) / MINUTE))) return beyond(MINUTE);
    if (freq === "MINUTELY") return undefined;
    return bySecond.length > 0 && !bySecond.includes(Math.floor((time % MINUTE) / SECOND)) ? beyond(SECOND) : undefined;
  }

  /** The reading of a period that is nearest to `local` in the direction of the search. */
  #inPeriod(start: number, end: number, local: number, direction: 1 | -1): number | undefined {
    const { bySetPos } = this.#parts;
    if (bySetPos.length > 0) return this.#chosen(start, end, local, direction);
    if (this.#short) return pick(this.#times, start, local, direction);
    const [first, last] = [dayOf(start), dayOf(end) - 1];
    const from = direction > 0 ? Math.max(first, dayOf(local)) : Math.min(last, dayOf(local));
    for (let day = from; day >= first && day <= last; day += direction) {
      if (!this.#days(day)) continue;
      const found = pick(this.#times, day * DAY, local, direction);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** With BYSETPOS: positions in the period's readings, worked out without writing the readings down. */
  #chosen(start: number, end: number, local: number, direction: 1 | -1): number | undefined {
    const bases: number[] = [];
    if (this.#short) bases.push(start);
    else for (let day = dayOf(start); day * DAY < end; day++) if (this.#days(day)) bases.push(day * DAY);
    const total = bases.length * this.#times.length;
    const chosen: number[] = [];
    for (const position of this.#parts.bySetPos) {
      const index = position > 0 ? position - 1 : total + position;
      if (index < 0 || index >= total) continue;
      const base = bases[Math.floor(index / this.#times.length)] ?? 0;
      chosen.push(base + (this.#times[index % this.#times.length] ?? 0));
    }
    chosen.sort((a, b) => a - b);
    return direction > 0 ? chosen.find((at) => at >= local) : chosen.findLast((at) => at <= local);
  }
}

/** The first of `base + times` at or after `local`, or the last at or before it. */
function pick(times: readonly number[], base: number, local: number, direction: 1 | -1): number | undefined {
  const [first = 0] = times;
  const last = times.at(-1) ?? 0;
  if (direction > 0) {
    if (base + first >= local) return base + first;
    if (base + last < local) return undefined;
  } else {
    if (base + last <= local) return base + last;
    if (base + first > local) return undefined;
  }
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = direction > 0 ? (low + high) >> 1 : (low + high + 1) >> 1;
    const at = base + (times[middle] ?? 0);
    if (direction > 0) at >= local ? (high = middle) : (low = middle + 1);
    else at <= local ? (low = middle) : (high = middle - 1);
  }
  return base + (times[low] ?? 0);
}

/** The times of day of a rule; of the hour, minute or second, when that is its frequency. */
function timesOf(parts: RecurrenceParts, start: number): number[] {
  const time = start - dayOf(start) * DAY;
  const or = (values: readonly number[], fallback: number) => (values.length > 0 ? values : [fallback]);
  const long = !["HOURLY", "MINUTELY", "SECONDLY"].includes(parts.freq);
  const hours = long ? or(parts.byHour, Math.floor(time / HOUR)) : [0];
  const minutes = long || parts.freq === "HOURLY" ? or(parts.byMinute, Math.floor((time % HOUR) / MINUTE)) : [0];
  const seconds = parts.freq === "SECONDLY" ? [0] : or(parts.bySecond, Math.floor((time % MINUTE) / SECOND));
  const times = hours.flatMap((hour) =>
    minutes.flatMap((minute) => seconds.map((second) => hour * HOUR + minute * MINUTE + second * SECOND)),
  );
  return times.sort((a, b) => a - b);
}
