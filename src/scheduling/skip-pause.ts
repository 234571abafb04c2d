/** Moves a paused schedule over the times of its pause, and says so in its history. */
import type { Store } from "../store/contract.ts";
import { countRun } from "./backlog.ts";
import { noSuchSchedule, staleSchedule, TRIES } from "./contention.ts";
import { linesOf } from "./decide.ts";
import { writeDefinition } from "./definition.ts";
import type { Reader } from "./readable.ts";

/** @param by the instance's name, for the history */
export async function skipPause(store: Store, reader: Reader, id: string, by: string): Promise<void> {
  for (let turn = 0; turn < TRIES; turn++) {
    const [stored] = await store.getSchedules([id]);
    if (stored === undefined) throw noSuchSchedule(id);
    const now = await store.now();
    if (!stored.paused || stored.nextAt === null || stored.nextAt >= now) return;
    const calendars = await reader.calendarsFor(store, [stored]);
    const { timeline, spec, state, owner } = reader.read(stored, calendars);
    const from = state.held?.from ?? stored.nextAt;
    const occurrences = linesOf(timeline, countRun(timeline, from, now - 1), "paused");
    const { held: _, ...rest } = state;
    const definition = writeDefinition({ spec, state: rest, ...(owner ? { owner } : {}) });
    const fire = { schedule: id, revision: stored.revision, occurrences, nextAt: timeline.atOrAfter(now), definition };
    const [fired] = await store.fire([fire], by);
    if (fired?.stale === false) return;
  }
  throw staleSchedule(id);
}
