/** Where a schedule stands when its rule changes. Pure. */
import type { StoredSchedule } from "../store/contract.ts";
import { cursorOf, isSpent, type ScheduleState, seenUntil } from "./decide.ts";
import { type ScheduleSpec, type StoredDefinition, sameTimes } from "./definition.ts";
import { changedAt, type Past } from "./past.ts";
import type { Timeline } from "./timeline.ts";
import { type NamedCalendars, nextTime, readableRule } from "./timing.ts";

/** What becomes of it. */
export interface Standing {
  readonly nextAt: number | null;
  readonly state: ScheduleState;
}

/**
 * What was due by the old rule, waiting or missed, stays due: it is accepted work, and the policies decide over it. The
 * new rule counts from now on.
 *
 * @param timeline of the new rule; null when it cannot be told yet, for want of a calendar
 */
export function underNewRule(
  stored: Pick<StoredSchedule, "nextAt" | "lastAt" | "updatedAt" | "paused">,
  { spec: old, state }: StoredDefinition,
  spec: ScheduleSpec,
  timeline: Timeline | null,
  { now, calendars }: { readonly now: number; readonly calendars: NamedCalendars },
): Standing {
  const { nextAt } = stored;
  if (sameTimes(old, spec)) return { nextAt, state };
  const { held, past, ...rest } = state;
  const until = Math.max(now, held?.until ?? now);
  const rule = nextAt === null || cursorOf(state, nextAt) > until ? null : readableRule(old, calendars);
  if (nextAt === null || rule === null) {
    return { nextAt: timeline && !isSpent(spec, state) ? nextTime(timeline, stored, now) : null, state: rest };
  }
  const kept: Past = changedAt(past, rule, until);
  const seen = stored.paused ? undefined : seenUntil({ state, policies: old, nextAt, now });
  const waiting = held && { from: held.from, until: seen ?? held.until };
  return { nextAt, state: { ...rest, ...(waiting ? { held: waiting } : {}), past: kept } };
}
