/** Stored schedules made ready for work: their text read and their timeline built, once per version of the text. */
import type { Store, StoredSchedule } from "../store/contract.ts";
import { noSuchSchedule } from "./contention.ts";
import { readDefinition, type StoredDefinition } from "./definition.ts";
import { groupsIn, isGroupMark } from "./paused-groups.ts";
import type { Timeline } from "./timeline.ts";
import { type NamedCalendars, NO_CALENDARS, namesIn, timelineWithPast } from "./timing.ts";

/** A schedule that can be worked with. */
export interface Readable extends StoredDefinition {
  readonly stored: StoredSchedule;
  readonly timeline: Timeline;
}

interface Known {
  readonly text: string;
  readonly definition: StoredDefinition;
  /** The names of the store's calendars that it uses. */
  readonly names: readonly string[];
  timeline?: { readonly value: Timeline; readonly calendars: string };
}

/** Enough for most applications to read each schedule once; beyond it, what is needed is read again. */
const MOST_KNOWN = 20_000;

/** Reads schedules, and remembers. */
export class Reader {
  readonly #known = new Map<string, Known>();

  /** @throws NS_SCHEDULE_INVALID */
  definition(stored: StoredSchedule): StoredDefinition {
    return this.#know(stored).definition;
  }

  /** @param named the calendars that {@link calendarsFor} gave. @throws NS_SCHEDULE_INVALID, and what {@link timelineWithPast} throws */
  read(stored: StoredSchedule, named: NamedCalendars): Readable {
    const known = this.#know(stored);
    const calendars = known.names.map((name) => named.get(name)).join("\n");
    if (known.timeline?.calendars !== calendars) {
      known.timeline = { value: timelineWithPast(known.definition, named), calendars };
    }
    return { ...known.definition, stored, timeline: known.timeline.value };
  }

  /** A schedule of the store, read. @throws NS_SCHEDULE_NOT_FOUND, and what {@link read} throws */
  async find(store: Store, id: string): Promise<Readable> {
    const [stored] = await store.getSchedules([id]);
    if (stored === undefined) throw noSuchSchedule(id);
    return this.read(stored, await this.calendarsFor(store, [stored]));
  }

  /** The store's calendars, if any of the schedules uses one: read anew each time, since another process may have changed them. */
  async calendarsFor(store: Store, schedules: readonly StoredSchedule[]): Promise<NamedCalendars> {
    return schedules.some((stored) => this.#usesNamed(stored)) ? namedCalendars(store) : NO_CALENDARS;
  }

  #usesNamed(stored: StoredSchedule): boolean {
    try {
      return this.#know(stored).names.length > 0;
    } catch {
      // Whoever reads the schedule is told why it cannot be read.
      return false;
    }
  }

  #know(stored: StoredSchedule): Known {
    const known = this.#known.get(stored.id);
    if (known?.text === stored.definition) return known;
    const definition = readDefinition(stored.id, stored.definition);
    const read: Known = { text: stored.definition, definition, names: namesIn(definition.spec) };
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(stored.id, read);
    return read;
  }
}

/** All calendars of the store. */
export async function namedCalendars(store: Store): Promise<NamedCalendars> {
  return (await readNamed(store)).calendars;
}

/** What the store keeps by name, in one look: its calendars, and the groups that are paused as a whole. */
export async function readNamed(store: Store) {
  const texts = await store.listCalendars();
  const calendars: NamedCalendars = new Map(
    texts.filter(({ name }) => !isGroupMark(name)).map(({ name, definition }) => [name, definition]),
  );
  return { calendars, pausedGroups: groupsIn(texts) };
}
