/** Turns what an expression says into what a search needs: sets of seconds, minutes and hours, and a day rule. */
import { DAY, dayOf, SECOND } from "../civil.ts";
import { EARLIEST, LATEST } from "../rule-trigger.ts";
import type { WallRule } from "../zoned-search.ts";
import { type DayParts, DayRule } from "./day-rule.ts";
import { type FieldKind, type FieldName, fieldsOf } from "./fields.ts";
import type { Item } from "./items.ts";
import { NumberSet } from "./number-set.ts";
import { isUnset, type ParsedCron } from "./parse.ts";

/** A cron expression that can search the wall clock. Knows nothing of zones: `local` is milliseconds as if it were UTC. */
export class WallClockRule implements WallRule {
  /** Whether the seconds, minutes or hours have `*`, a range or a step: "every so often" rather than "at". */
  readonly interval: boolean;
  readonly #seconds: NumberSet;
  readonly #minutes: NumberSet;
  readonly #hours: NumberSet;
  readonly #days: DayRule;
  readonly #firstOfDay: number;
  readonly #lastOfDay: number;

  constructor(parsed: ParsedCron) {
    const { fields } = parsed;
    this.interval = [...fields.second, ...fields.minute, ...fields.hour].some((item) => item.kind !== "value");
    this.#seconds = new NumberSet(valuesOf(parsed, "second"), 0, 59);
    this.#minutes = new NumberSet(valuesOf(parsed, "minute"), 0, 59);
    this.#hours = new NumberSet(valuesOf(parsed, "hour"), 0, 23);
    this.#days = new DayRule(dayParts(parsed));
    this.#firstOfDay = timeOfDay(this.#hours.first, this.#minutes.first, this.#seconds.first);
    this.#lastOfDay = timeOfDay(this.#hours.last, this.#minutes.last, this.#seconds.last);
  }

  /** The first matching reading at or after `local`, which is a whole second. */
  next(local: number): number | undefined {
    const day = dayOf(local);
    const time = this.#nextTime((local - day * DAY) / SECOND);
    if (time >= 0 && this.#days.has(day)) return day * DAY + time * SECOND;
    const later = this.#days.next(day + 1);
    return later === undefined ? undefined : later * DAY + this.#firstOfDay * SECOND;
  }

  /** The last matching reading at or before `local`, which is a whole second. */
  previous(local: number): number | undefined {
    const day = dayOf(local);
    const time = this.#previousTime((local - day * DAY) / SECOND);
    if (time >= 0 && this.#days.has(day)) return day * DAY + time * SECOND;
    const earlier = this.#days.previous(day - 1);
    return earlier === undefined ? undefined : earlier * DAY + this.#lastOfDay * SECOND;
  }

  /** The first reading at or after `local` that the expression does not match. */
  nextMiss(local: number): number {
    for (let at = local; ; ) {
      const { day, hour, minute, isHit } = this.#read(at);
      if (!isHit) return at;
      if (this.#seconds.size < 60) at += SECOND;
      else if (this.#minutes.size < 60) at = day * DAY + timeOfDay(hour, minute + 1, 0) * SECOND;
      else if (this.#hours.size < 24) at = day * DAY + timeOfDay(hour + 1, 0, 0) * SECOND;
      else at = (day + 1) * DAY;
      if (at > LATEST + DAY) return at;
    }
  }

  /** The last reading at or before `local` that the expression does not match. */
  previousMiss(local: number): number {
    for (let at = local; ; ) {
      const { day, hour, minute, isHit } = this.#read(at);
      if (!isHit) return at;
      if (this.#seconds.size < 60) at -= SECOND;
      else if (this.#minutes.size < 60) at = day * DAY + timeOfDay(hour, minute, -1) * SECOND;
      else if (this.#hours.size < 24) at = day * DAY + timeOfDay(hour, 0, -1) * SECOND;
      else at = day * DAY - SECOND;
      if (at < EARLIEST - DAY) return at;
    }
  }

  /** A reading in its parts, and whether the expression matches it. */
  #read(at: number) {
    const day = dayOf(at);
    const time = (at - day * DAY) / SECOND;
    const hour = Math.floor(time / 3_600);
    const minute = Math.floor((time % 3_600) / 60);
    const isTime = this.#hours.has(hour) && this.#minutes.has(minute) && this.#seconds.has(time % 60);
    return { day, hour, minute, isHit: isTime && this.#days.has(day) };
  }

  #nextTime(time: number): number {
    const hour = Math.floor(time / 3_600);
    const minute = Math.floor((time % 3_600) / 60);
    if (this.#hours.has(hour)) {
      const second = this.#minutes.has(minute) ? this.#seconds.next(time % 60) : -1;
      if (second >= 0) return timeOfDay(hour, minute, second);
      const later = this.#minutes.next(minute + 1);
      if (later >= 0) return timeOfDay(hour, later, this.#seconds.first);
    }
    const later = this.#hours.next(hour + 1);
    return later < 0 ? -1 : timeOfDay(later, this.#minutes.first, this.#seconds.first);
  }

  #previousTime(time: number): number {
    const hour = Math.floor(time / 3_600);
    const minute = Math.floor((time % 3_600) / 60);
    if (this.#hours.has(hour)) {
      const second = this.#minutes.has(minute) ? this.#seconds.previous(time % 60) : -1;
      if (second >= 0) return timeOfDay(hour, minute, second);
      const earlier = this.#minutes.previous(minute - 1);
      if (earlier >= 0) return timeOfDay(hour, earlier, this.#seconds.last);
    }
    const earlier = this.#hours.previous(hour - 1);
    return earlier < 0 ? -1 : timeOfDay(earlier, this.#minutes.last, this.#seconds.last);
  }
}

const timeOfDay = (hour: number, minute: number, second: number) => hour * 3_600 + minute * 60 + second;

function valuesOf(parsed: ParsedCron, name: FieldName): number[] {
  const kind = fieldsOf(parsed.dialect).find((field) => field.name === name);
  return kind === undefined ? [] : parsed.fields[name].flatMap((item) => expand(item, kind));
}

/** The values of a list's plain elements. A range may run over the end of its field and begin again. */
function expand(item: Item, { min, max, size }: FieldKind): number[] {
  switch (item.kind) {
    case "value":
      return [item.value];
    case "any":
      return steps(min, Math.min(max, min + size - 1), item.step);
    case "range": {
      const to = item.from > item.to ? item.to + size : item.to;
      return steps(item.from, to, item.step).map((value) => ((value - min) % size) + min);
    }
    default:
      return [];
  }
}

function steps(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

function dayParts(parsed: ParsedCron): DayParts {
  const { dialect, fields } = parsed;
  let days = 0;
  for (const day of valuesOf(parsed, "day")) days |= 1 << day;
  const weekdays = valuesOf(parsed, "weekday").map((weekday) => sundayIsZero(parsed, weekday));
  // In quartz only ? leaves a field out; elsewhere everything that begins with a star does.
  const says = (items: readonly Item[]) => (dialect === "quartz" ? !isUnset(items) : items[0]?.kind !== "any");
  const either = dialect !== "cronos" && says(fields.day) && says(fields.weekday);
  return {
    months: new NumberSet(valuesOf(parsed, "month"), 1, 12),
    years:
      fields.year[0]?.kind === "any" && fields.year[0].step === 1
        ? undefined
        : new NumberSet(valuesOf(parsed, "year"), 1970, 2099),
    days,
    weekdays: [...new Set(weekdays)],
    specialDays: fields.day.filter(
      (item) => item.kind === "last" || item.kind === "last-weekday" || item.kind === "nearest",
    ),
    specialWeekdays: fields.weekday
      .filter((item) => item.kind === "nth" || item.kind === "last-of-month")
      .map((item) => ({ ...item, weekday: sundayIsZero(parsed, item.weekday) })),
    combination: either ? "or" : "and",
    clamp: dialect === "quartz",
  };
}

const sundayIsZero = ({ dialect }: ParsedCron, weekday: number) => (dialect === "quartz" ? weekday - 1 : weekday % 7);
