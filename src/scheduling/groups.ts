/** Schedules that are listed, paused and resumed together. */
import { NightshiftError } from "../errors/index.ts";
import type { ScheduleQuery, Store } from "../store/contract.ts";
import { allSchedules } from "./paging.ts";
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
  const groups = new Map([...pausedGroups].map((group) => [group, { schedules: 0, paused: 0 }]));
  for await (const { group, paused } of allSchedules(store)) {
    const counts = groups.get(group) ?? { schedules: 0, paused: 0 };
    counts.schedules++;
    if (paused) counts.paused++;
    groups.set(group, counts);
  }
  const all = [...groups].map(([group, counts]) => ({ group, ...counts, startsPaused: pausedGroups.has(group) }));
  return all.sort((a, b) => (a.group < b.group ? -1 : 1));
}

/** Does something to each of the schedules that the query names at the moment; gives to how many. */
export async function eachOf(
  store: Store,
  query: Omit<ScheduleQuery, "limit" | "cursor">,
  act: (id: string) => Promise<unknown>,
): Promise<number> {
  const ids: string[] = [];
  for await (const { id } of allSchedules(store, query)) ids.push(id);
  let count = 0;
  for (const id of ids) {
    try {
      await act(id);
      count++;
    } catch (error) {
      // Removed since it was listed: nothing to do for it.
      if (!(error instanceof NightshiftError && error.code === "NS_SCHEDULE_NOT_FOUND")) throw error;
    }
  }
  return count;
}
