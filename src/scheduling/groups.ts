/** Schedules that are listed, paused and resumed together. */
import type { Store, StoredSchedule } from "../store/contract.ts";
import { pagesOf } from "./paging.ts";
import type { Done } from "./pausing.ts";
import { readNamed } from "./readable.ts";

/** A group of schedules. */
export interface ScheduleGroup {
  readonly group: string;
  readonly schedules: number;
  /** How many of them are paused. */
  readonly paused: number;
  /** Whether the group is paused as a whole: what is added to it starts paused. */
  readonly startsPaused: boolean;
}

/** The groups in the order of their names, those included that are paused as a whole and empty. */
export async function listGroups(store: Store): Promise<readonly ScheduleGroup[]> {
  const { pausedGroups } = await readNamed(store);
  const groups = new Map([...pausedGroups].map((group) => [group, { group, schedules: 0, paused: 0 }]));
  for (const counts of await store.scheduleGroups()) groups.set(counts.group, counts);
  const all = [...groups.values()].map((counts) => ({ ...counts, startsPaused: pausedGroups.has(counts.group) }));
  return all.sort((a, b) => (a.group < b.group ? -1 : 1));
}

/** Pauses or resumes a group's schedules, a page at a time: as many commits as pages. Gives how many it was done to. */
export async function changeGroup(
  store: Store,
  query: { readonly group: string; readonly paused: boolean },
  change: (page: readonly StoredSchedule[]) => Promise<Done>,
): Promise<number> {
  let count = 0;
  for await (const page of pagesOf(store, query)) count += (await change(page)).changed;
  return count;
}
