/**
 * What a declaration in code does to the store: pure. Several versions of one application may run side by side for a
 * while; the rules below make them settle, not quarrel.
 *
 * - A version that was never seen is newer: it takes the schedules that it declares over at once.
 * - An older version gives way as long as the newer one lives; when that is gone (a roll-back), it takes over.
 * - A schedule that this version does not declare is removed once no version lives that does.
 */
import type { NewSchedule, StoredSchedule } from "../store/contract.ts";
import {
  type Owner,
  queueOf,
  type ScheduleSpec,
  type StoredDefinition,
  sameSpec,
  writeDefinition,
} from "./definition.ts";
import { underNewRule } from "./new-rule.ts";
import type { Timeline } from "./timeline.ts";
import { firstTime, type NamedCalendars, namesIn, nextTime, timelineFor } from "./timing.ts";

/** A schedule as code declares it. */
export interface Declared {
  readonly id: string;
  readonly group: string;
  readonly job: string;
  readonly paused: boolean;
  readonly spec: ScheduleSpec;
}

/** Who declares. */
export interface Declarer {
  readonly app: string;
  readonly version: string;
  /** The versions of this application that some instance runs now; this one included. */
  readonly alive: ReadonlySet<string>;
  readonly now: number;
  /** The store's calendars. */
  readonly calendars: NamedCalendars;
  /** The groups that are paused as a whole. */
  readonly pausedGroups: ReadonlySet<string>;
}

/** What a schedule looks like in the store, as far as this process can read it. */
export interface Standing {
  readonly stored: StoredSchedule;
  readonly definition: StoredDefinition | null;
}

export type Step =
  | {
      readonly kind: "add" | "change" | "adopt";
      readonly schedule: NewSchedule;
      readonly expected: number;
      /** Every calendar that it names is there; else it has no times yet. */
      readonly complete: boolean;
    }
  /** Another version that lives says otherwise. */
  | { readonly kind: "yield"; readonly id: string; readonly to: string }
  | { readonly kind: "remove"; readonly id: string; readonly revision: number }
  /** Declared by a version that lives, by nobody who may remove it, or already as it should be. */
  | { readonly kind: "keep"; readonly id: string };

/** The most former owners that are remembered: as many versions as may be rolled back to without a redeclaration. */
const MOST_BEFORE = 10;

/** What to do about a schedule that this version declares. */
export function stepFor(declared: Declared, standing: Standing | undefined, by: Declarer): Step {
  const { app, version, now, pausedGroups } = by;
  const owner = standing?.definition?.owner;
  const { id, group, job, spec } = declared;
  if (standing === undefined) {
    const timeline = timelineOrNone(spec, by);
    const nextAt = timeline && firstTime(timeline, now, spec.misfireThreshold);
    const definition = writeDefinition({ spec, state: {}, owner: { app, version, before: [] } });
    const schedule = {
      id,
      group,
      source: "code",
      job,
      definition,
      nextAt,
      paused: declared.paused || pausedGroups.has(group),
      queue: queueOf(spec),
    } as const;
    return { kind: "add", schedule, expected: 0, complete: timeline !== null };
  }
  const { stored, definition } = standing;
  const same =
    definition !== null &&
    stored.source === "code" &&
    stored.group === group &&
    stored.job === job &&
    sameSpec(definition.spec, spec);
  if (owner !== undefined && owner.version !== version && owner.app === app && mustYield(owner, by)) {
    return same ? { kind: "keep", id } : { kind: "yield", id, to: owner.version };
  }
  if (same && owner?.app === app && owner.version === version) return { kind: "keep", id };
  const timeline = timelineOrNone(spec, by);
  const { nextAt, state } =
    definition === null
      ? { nextAt: timeline && nextTime(timeline, stored, now), state: {} }
      : underNewRule(stored, definition, spec, timeline, by);
  const text = writeDefinition({ spec, state, owner: nextOwner(owner, app, version) });
  const schedule: NewSchedule = {
    ...{ id, group, source: "code", job, definition: text },
    nextAt,
    // Pausing is up to people: a redeploy does not undo it, and what it moves into a paused group is paused.
    paused: stored.paused || (stored.group !== group && pausedGroups.has(group)),
    queue: queueOf(spec),
  };
  return { kind: same ? "adopt" : "change", schedule, expected: stored.revision, complete: timeline !== null };
}

/** What to do about a schedule of this application that this version does not declare. */
export function stepForUndeclared({ stored, definition }: Standing, by: Declarer): Step {
  const owner = definition?.owner;
  const mine = stored.source === "code" && owner?.app === by.app;
  const orphaned = mine && (owner.version === by.version || !by.alive.has(owner.version));
  return orphaned ? { kind: "remove", id: stored.id, revision: stored.revision } : { kind: "keep", id: stored.id };
}

/** The names of calendars that a declaration uses and nobody saved yet. */
export function missingCalendars(spec: ScheduleSpec, calendars: NamedCalendars): readonly string[] {
  return namesIn(spec).filter((name) => !calendars.has(name));
}

/** A schedule whose calendar is not there yet has no times: saving the calendar gives it some. */
function timelineOrNone(spec: ScheduleSpec, { calendars }: Declarer): Timeline | null {
  return missingCalendars(spec, calendars).length > 0 ? null : timelineFor(spec, calendars);
}

/** An owner that lives and is not older than this version. */
function mustYield(owner: Owner, { version, alive }: Declarer): boolean {
  return alive.has(owner.version) && owner.before.includes(version);
}

function nextOwner(owner: Owner | undefined, app: string, version: string): Owner {
  if (owner === undefined || owner.app !== app) return { app, version, before: [] };
  const before = [owner.version, ...owner.before].filter((each) => each !== version);
  return { app, version, before: before.slice(0, MOST_BEFORE) };
}
