/**
 * What a schedule's times were before they became what they are: kept as long as something of it is due and not dealt
 * with. A schedule is one cursor over a timeline; this makes the timeline say what it said when an occurrence came due,
 * so that a change of the rule takes nothing back that was due before it.
 */
import type { CalendarJSON, TriggerJSON } from "../time/index.ts";
import { NO_TIMES, spliced, type Timeline } from "./timeline.ts";

/** When a schedule fired: nothing in it stands for something kept elsewhere. */
export interface Rule {
  readonly trigger: TriggerJSON;
  readonly calendars?: readonly CalendarJSON[];
  readonly start?: number;
  readonly end?: number;
}

/** The times after the stretch before this one, up to `until`. */
export interface Stretch {
  readonly until: number;
  /** `own`: what the schedule's rule says. `none`: nothing, it was dealt with. Else what an earlier rule says. */
  readonly times: "own" | "none" | Rule;
}

export type Past = readonly Stretch[];

/** What nobody reaches: as many changes or pauses while one and the same job holds a schedule up. */
const MOST = 100;

/** The rule changes now: what is due up to `until` stays what the old one said. */
export function changedAt(past: Past | undefined, rule: Rule, until: number): Past {
  const before = (past ?? []).map((each) => (each.times === "own" ? { ...each, times: rule } : each));
  // Not before what was dealt with already: a clock may have been set back.
  return bounded([...before, { until: Math.max(until, before.at(-1)?.until ?? until), times: rule }]);
}

/** The times from one instant to another were dealt with, those before them were not. */
export function leftOut(past: Past = [], from: number, until: number): Past {
  const before = { until: from - 1, times: past.find((each) => each.until >= from - 1)?.times ?? "own" };
  const [earlier, later] = [past.filter((each) => each.until < from - 1), past.filter((each) => each.until > until)];
  return bounded([...earlier, before, { until, times: "none" }, ...later]);
}

/** What is still of use when everything before `cursor` is dealt with; undefined for nothing. */
export function reaching(past: Past | undefined, cursor: number | null): Past | undefined {
  const kept = cursor === null ? [] : (past?.filter(({ until }) => until >= cursor) ?? []);
  return kept.length === 0 ? undefined : kept;
}

/** Up to when an earlier rule counts; undefined when none does. */
export function oldRuleUntil(past: Past | undefined): number | undefined {
  return past?.findLast(({ times }) => typeof times === "object")?.until;
}

/** The times of the rule as it is, and before those what they were. */
export function withPast(past: Past | undefined, own: Timeline, read: (rule: Rule) => Timeline): Timeline {
  return (past ?? []).reduceRight((then, { until, times }) => {
    const before = times === "own" ? own : times === "none" ? NO_TIMES : read(times);
    return spliced(before, until, then);
  }, own);
}

/** Beyond the most, the oldest stretch counts by the rule of the one behind it. */
function bounded(past: Past): Past {
  return past.slice(-MOST);
}
