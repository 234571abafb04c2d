/** Calendars kept in the store under a name: saving one moves the schedules that use it. */
import { messageOf, NightshiftError, show } from "../errors/index.ts";
import type { Store, StoredSchedule } from "../store/contract.ts";
import { type Calendar, type CalendarJSON, calendarFromJSON } from "../time/index.ts";
import { TRIES } from "./contention.ts";
import { cursorOf, isSpent } from "./decide.ts";
import { allSchedules } from "./paging.ts";
import { isGroupMark } from "./paused-groups.ts";
import { isId } from "./read-options.ts";
import { namedCalendars, type Reader } from "./readable.ts";
import { namesIn, nextTime } from "./timing.ts";

/** A calendar in the store. */
export interface CalendarInfo {
  readonly name: string;
  /** What it leaves out, in words; null when this process cannot read it. */
  readonly description: string | null;
  /** Its stored form, for `calendarFromJSON()`; null when it is not even JSON. */
  readonly calendar: CalendarJSON | null;
  readonly problem: string | null;
}

/** Saves it and moves the schedules that use it; gives how many. */
export async function saveCalendar(store: Store, reader: Reader, name: string, calendar: Calendar): Promise<number> {
  if (!isId(name) || isGroupMark(name)) {
    const why = isId(name) ? "That beginning is the library's own." : "Give text of 1 to 200 characters.";
    throw new NightshiftError("NS_CALENDAR_INVALID", `A calendar's name is ${show(name)}. ${why}`);
  }
  if (typeof calendar?.excludes !== "function" || typeof calendar.toJSON !== "function") {
    const advice = "Give one such as weeklyCalendar(...) or holidayCalendar(...).";
    throw new NightshiftError("NS_CALENDAR_INVALID", `Calendar ${show(name)} is ${show(calendar)}. ${advice}`);
  }
  const since = await store.now();
  await store.saveCalendar(name, JSON.stringify(calendarFromJSON(calendar.toJSON()).toJSON()));
  let moved = 0;
  for await (const stored of usersOf(store, reader, name)) {
    if (await move(store, reader, stored, since)) moved++;
  }
  return moved;
}

/** False when there was none. @throws NS_CALENDAR_INVALID while schedules use it */
export async function removeCalendar(store: Store, reader: Reader, name: string): Promise<boolean> {
  for await (const { id } of usersOf(store, reader, name)) {
    const message = `Calendar ${show(name)} is used by schedule ${show(id)}. Take it off the schedules first.`;
    throw new NightshiftError("NS_CALENDAR_INVALID", message, { details: { schedule: id } });
  }
  return !isGroupMark(name) && (await store.removeCalendar(name));
}

export async function listCalendars(store: Store): Promise<readonly CalendarInfo[]> {
  return [...(await namedCalendars(store))].map(([name, definition]) => {
    let calendar: CalendarJSON | null = null;
    try {
      calendar = JSON.parse(definition) as CalendarJSON;
      return { name, description: calendarFromJSON(calendar).describe(), calendar, problem: null };
    } catch (error) {
      return { name, description: null, calendar, problem: messageOf(error) };
    }
  });
}

async function* usersOf(store: Store, reader: Reader, name: string): AsyncGenerator<StoredSchedule> {
  const text = JSON.stringify(name);
  for await (const stored of allSchedules(store)) {
    // Most use none: they need not be read to know that.
    if (!stored.definition.includes(text)) continue;
    let names: readonly string[] = [];
    try {
      names = namesIn(reader.definition(stored).spec);
    } catch {
      // What cannot be read here is not moved here; the process that fires it reads the calendar anew.
      continue;
    }
    if (names.includes(name)) yield stored;
  }
}

/**
 * Always written, even where the next time stays: the new revision refuses a scheduler that decided with the old
 * calendar and has not written yet. What is due is judged by the new one when it is fired.
 *
 * @param since before the calendar was saved: what it no longer leaves out from then on may have come due meanwhile
 */
async function move(store: Store, reader: Reader, found: StoredSchedule, since: number): Promise<boolean> {
  let stored: StoredSchedule | undefined = found;
  for (let turn = 0; turn < TRIES && stored !== undefined; turn++) {
    const { timeline, spec, state } = reader.read(stored, await namedCalendars(store));
    const due = stored.nextAt !== null && cursorOf(state, stored.nextAt) <= since;
    const nextAt = due || isSpent(spec, state) ? stored.nextAt : nextTime(timeline, stored, await store.now(), since);
    const [written] = await store.saveSchedules([{ ...stored, nextAt }], [stored.revision]);
    if (written) return true;
    [stored] = await store.getSchedules([found.id]);
  }
  return false;
}
