/**
 * The slow truth: walks every minute of a window, asks `Intl` what the clock shows, and applies the written rules to
 * it. Shares nothing with the engine.
 */
import type { Random } from "./random.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** Transitions are found to the second. */
const SECOND = 1_000;

export type Gap = "end" | "shift" | "skip";

/** One field as text and as a question. */
interface Field {
  readonly text: string;
  readonly interval: boolean;
  has(value: number): boolean;
}

/** An expression of minutes and hours, every day. */
export interface TimeExpression {
  readonly text: string;
  readonly interval: boolean;
  matches(local: number): boolean;
}

/** What a clock shows, minute by minute. */
export interface Window {
  readonly zone: string;
  /** Instants, one a minute, and the readings at them. */
  readonly instants: Float64Array;
  readonly locals: Float64Array;
}

function field(random: Random, max: number): Field {
  switch (random.below(6)) {
    case 0:
      return { text: "*", interval: true, has: () => true };
    case 1: {
      const step = 1 + random.below(max);
      return { text: `*/${step}`, interval: true, has: (value) => value % step === 0 };
    }
    case 2: {
      const [from, to] = [random.below(max + 1), random.below(max + 1)];
      const has = (value: number) => (from <= to ? value >= from && value <= to : value >= from || value <= to);
      return { text: `${from}-${to}`, interval: true, has };
    }
    default: {
      const values = Array.from({ length: 1 + random.below(4) }, () => random.below(max + 1));
      return { text: values.join(","), interval: false, has: (value) => values.includes(value) };
    }
  }
}

/** A random expression; its hours are often near the ones at which clocks change. */
export function timeExpression(random: Random): TimeExpression {
  const minute = field(random, 59);
  const near = [0, 1, 2, 3, 23].filter(() => random.below(2) === 0);
  const hour: Field =
    near.length > 0 && random.below(2) === 0
      ? { text: near.join(","), interval: false, has: (value) => near.includes(value) }
      : field(random, 23);
  return {
    text: `${minute.text} ${hour.text} * * *`,
    interval: minute.interval || hour.interval,
    matches: (local) =>
      local % MINUTE === 0 && minute.has(Math.floor(local / MINUTE) % 60) && hour.has(Math.floor(local / HOUR) % 24),
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clock of a zone shows at an instant, in milliseconds as if it were UTC. */
export function localAt(zone: string, instant: number): number {
  let format = formats.get(zone);
  if (!format) {
    const digits = { month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" } as const;
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", ...digits });
    formats.set(zone, format);
  }
  const [month = 0, day = 0, year = 0, ...time] = format.format(instant).split(/\D+/).map(Number);
  return Date.UTC(year, month - 1, day, ...(time as [number, number, number]));
}

/** Looks at a window around an instant. */
export function windowAround(zone: string, instant: number, before: number, after: number): Window {
  // Liberia was 44 minutes and 30 seconds behind until 1972: its minutes begin at half ones.
  const start = Math.floor((instant - before) / MINUTE) * MINUTE;
  const step = localAt(zone, start) % MINUTE === 0 ? MINUTE : MINUTE / 2;
  const count = Math.floor((before + after) / step);
  const instants = Float64Array.from({ length: count }, (_, index) => start + index * step);
  return { zone, instants, locals: instants.map((at) => localAt(zone, at)) };
}

/** The fire times in a window by the written rules. The first 26 hours only tell what was shown before. */
export function bruteForce({ instants, locals }: Window, expression: TimeExpression, gap: Gap): number[] {
  const fires = new Set<number>();
  const shown = new Set<number>();
  for (let index = 1; index < instants.length; index++) {
    const [instant = 0, local = 0, before = 0] = [instants[index], locals[index], locals[index - 1]];
    if (expression.matches(local) && (expression.interval || !shown.has(local))) fires.add(instant);
    const step = instant - (instants[index - 1] ?? 0);
    for (let lost = before + step; lost < local; lost += step) {
      if (!expression.matches(lost)) continue;
      if (gap === "end") fires.add(instant);
      if (gap === "shift" && !expression.interval) fires.add(instant + lost - (before + step));
    }
    shown.add(local);
  }
  return [...fires].sort((a, b) => a - b);
}

/** Instants at which a zone changes its clock, found by looking every six hours; exact to the second. */
export function transitionsOf(zone: string, from: number, to: number): number[] {
  const found: number[] = [];
  const offset = (instant: number) => localAt(zone, instant) - instant;
  const step = 6 * HOUR;
  let known = offset(from);
  for (let at = from + step; at <= to; at += step) {
    const seen = offset(at);
    if (seen === known) continue;
    let [same, changed] = [at - step, at];
    while (changed - same > SECOND) {
      const middle = same + Math.floor((changed - same) / 2 / SECOND) * SECOND;
      if (offset(middle) === known) same = middle;
      else changed = middle;
    }
    found.push(changed);
    known = seen;
  }
  return found;
}
