/** Pausing and resuming: one schedule or thousands, a commit for each page of them. */
import type { Fire, Store, StoredSchedule } from "../store/contract.ts";
import { countRun } from "./backlog.ts";
import { staleSchedule, TRIES } from "./contention.ts";
import { cursorOf, linesOf, seenUntil } from "./decide.ts";
import { type StoredDefinition, writeDefinition } from "./definition.ts";
import { leftOut, reaching } from "./past.ts";
import type { Reader } from "./readable.ts";
import type { NamedCalendars } from "./timing.ts";

/** What it is done with. */
export interface PausingParts {
  readonly store: Store;
  readonly reader: Reader;
  /** The instance's name, for the history. */
  readonly by: string;
}

/** Pauses schedules; gives all of them as they stand now (those that exist), and how many were not paused before. */
export async function pauseThem(parts: PausingParts, schedules: readonly StoredSchedule[]): Promise<Done> {
  const now = schedules.length > 0 ? await parts.store.now() : 0;
  return change(parts, schedules, async (found) =>
    found.map((stored) => ({ ...stored, paused: true, definition: seenWaiting(parts.reader, stored, now) })),
  );
}

/**
 * Ends the pause of schedules; those whose pause cannot be skipped, since this process cannot read them, stay paused.
 *
 * @param missed `skip`: what the pause held back is left out, with a line in the history
 */
export async function resumeThem(
  parts: PausingParts,
  schedules: readonly StoredSchedule[],
  missed: "skip" | "policy",
): Promise<Done & { readonly unreadable: ReadonlyMap<string, unknown> }> {
  const unreadable = new Map<string, unknown>();
  const done = await change(parts, schedules, async (found) => {
    const skipped = missed === "skip" ? await skipPause(parts, found, unreadable) : found;
    return skipped.map((stored) => (unreadable.has(stored.id) ? stored : { ...stored, paused: false }));
  });
  return { ...done, unreadable };
}

/** What was changed. */
export interface Done {
  readonly schedules: readonly StoredSchedule[];
  readonly changed: number;
}

/** @param to what becomes of those that are to be changed; those left out of it were changed meanwhile */
async function change(
  { store }: PausingParts,
  schedules: readonly StoredSchedule[],
  to: (found: readonly StoredSchedule[]) => Promise<readonly StoredSchedule[]>,
): Promise<Done> {
  const done = new Map<string, StoredSchedule>();
  let found = schedules;
  let changed = 0;
  for (let turn = 0; turn < TRIES && found.length > 0; turn++) {
    const wanted = await to(found);
    const stands = new Map(found.map((stored) => [stored.id, stored]));
    const writes = wanted.filter(({ id, paused }) => stands.get(id)?.paused !== paused);
    for (const each of wanted) if (!writes.includes(each)) done.set(each.id, each);
    const saved = await store.saveSchedules(
      writes,
      writes.map(({ revision }) => revision),
    );
    for (const written of saved) {
      if (written === null) continue;
      done.set(written.id, written);
      changed++;
    }
    const left = found.flatMap(({ id }) => (done.has(id) ? [] : [id]));
    found = left.length === 0 ? [] : await store.getSchedules(left);
  }
  const [restless] = found;
  if (restless !== undefined) throw staleSchedule(restless.id);
  return { schedules: [...done.values()], changed };
}

/** The definition of a schedule that is paused now: what waits (overlap `queue`) waits on, whatever becomes of the pause. */
function seenWaiting(reader: Reader, stored: StoredSchedule, now: number): string {
  const definition = readIfPossible(reader, stored);
  const { nextAt } = stored;
  if (stored.paused || nextAt === null || definition?.state.held === undefined) return stored.definition;
  const { spec: policies, state } = definition;
  const { from, until } = definition.state.held;
  const held = { from, until: seenUntil({ policies, state, nextAt, now }) ?? until };
  return writeDefinition({ ...definition, state: { ...state, held } });
}

/** Moves paused schedules over the times of their pause, and says so in their history; gives those that nobody else moved. */
async function skipPause(
  { store, reader, by }: PausingParts,
  found: readonly StoredSchedule[],
  unreadable: Map<string, unknown>,
): Promise<readonly StoredSchedule[]> {
  const now = await store.now();
  const calendars = await reader.calendarsFor(store, found);
  const fires = found.flatMap((stored) => {
    try {
      return skip(reader, stored, calendars, now) ?? [];
    } catch (error) {
      unreadable.set(stored.id, error);
      return [];
    }
  });
  if (fires.length === 0) return found;
  const revisions = new Map<string, number | null>();
  for (const fired of await store.fire(fires, by)) revisions.set(fired.schedule, fired.stale ? null : fired.revision);
  const moves = new Map(fires.map((fire) => [fire.schedule, fire]));
  return found.flatMap((stored) => {
    const { nextAt = stored.nextAt, definition = stored.definition } = moves.get(stored.id) ?? {};
    const revision = revisions.has(stored.id) ? (revisions.get(stored.id) ?? null) : stored.revision;
    return revision === null ? [] : [{ ...stored, nextAt, definition, revision }];
  });
}

/** What waited before the pause still does; what came due in it is left out. */
function skip(reader: Reader, stored: StoredSchedule, calendars: NamedCalendars, now: number): Fire | undefined {
  if (!stored.paused || stored.nextAt === null) return undefined;
  const { timeline, spec, state, owner } = reader.read(stored, calendars);
  const cursor = cursorOf(state, stored.nextAt);
  const { held, past, ...rest } = state;
  const begin = held === undefined ? cursor : Math.max(cursor, held.until + 1);
  const first = timeline.atOrAfter(begin);
  if (first === null || first >= now) return undefined;
  const occurrences = linesOf(timeline, countRun(timeline, first, now - 1), "paused");
  const waits = held !== undefined && cursor <= held.until;
  const kept = waits ? leftOut(past, first, now - 1) : reaching(past, now);
  const after = {
    ...rest,
    ...(kept === undefined ? {} : { past: kept }),
    ...(waits ? { held: { from: cursor, until: now - 1 } } : {}),
  };
  return {
    ...{ schedule: stored.id, revision: stored.revision, occurrences },
    nextAt: waits ? now : timeline.atOrAfter(now),
    definition: writeDefinition({ spec, state: after, ...(owner ? { owner } : {}) }),
  };
}

function readIfPossible(reader: Reader, stored: StoredSchedule): StoredDefinition | null {
  try {
    return reader.definition(stored);
  } catch {
    // A definition of a newer version: it is paused as it is.
    return null;
  }
}
