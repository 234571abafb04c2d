/** Roll-ups: finished work counted per minute, so that graphs and totals never look at the history. */
import { NightshiftError, show } from "../../errors/index.ts";
import type { HistoryEntry, ThroughputPoint } from "../contract.ts";

/** What is counted. */
export type Counted = "succeeded" | "retried" | "dead" | "cancelled";

const MINUTE = 60_000;
/** More points than any graph can show. */
const MOST_POINTS = 10_000;

/** The minute that an instant belongs to, by its beginning. */
export function minuteOf(at: number): number {
  return Math.floor(at / MINUTE) * MINUTE;
}

/** What a line of history counts as; null for what is not counted. */
export function countedAs(what: HistoryEntry["what"]): Counted | null {
  switch (what) {
    case "succeeded":
    case "dead":
    case "cancelled":
      return what;
    case "retry":
      return "retried";
    default:
      return null;
  }
}

/** One counter of one minute. */
export interface RollupRow {
  readonly minute: number;
  readonly what: Counted;
  readonly count: number;
}

/** The points of a graph; `from` is taken back to its minute's beginning. Rows outside are passed over. */
export function throughputPoints(
  rows: Iterable<RollupRow>,
  from: number,
  to: number,
  step: number,
): readonly ThroughputPoint[] {
  const start = minuteOf(from);
  const points = Array.from({ length: Math.max(0, Math.ceil((to - start) / step)) }, (_, index) => ({
    at: start + index * step,
    succeeded: 0,
    retried: 0,
    dead: 0,
    cancelled: 0,
  }));
  for (const { minute, what, count } of rows) {
    const point = minute < to ? points[Math.floor((minute - start) / step)] : undefined;
    if (point !== undefined) point[what] += count;
  }
  return points;
}

/** Refuses a span or step that makes no graph. */
export function checkThroughput(from: number, to: number, step: number): void {
  const whole = Number.isInteger(step) && step >= MINUTE && step % MINUTE === 0;
  if (!whole) {
    throw new NightshiftError("NS_OPTION_INVALID", `step is ${show(step)}. Give a multiple of a minute (60000).`);
  }
  if (!(Number.isFinite(from) && Number.isFinite(to) && (to - from) / step <= MOST_POINTS)) {
    const advice = `Give finite instants at most ${MOST_POINTS} steps apart.`;
    throw new NightshiftError("NS_OPTION_INVALID", `from ${show(from)} to ${show(to)}: ${advice}`);
  }
}
