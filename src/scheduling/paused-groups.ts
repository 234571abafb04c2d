/**
 * Groups that are paused as a whole: what is added to one starts paused, wherever it is added. Kept as texts among the
 * store's calendars, under names that no calendar may have: a store keeps both without reading them.
 */
import { createHash } from "node:crypto";
import type { Store, StoredSchedule } from "../store/contract.ts";
import { TRIES } from "./contention.ts";

const PREFIX = "nightshift:paused-group:";

/** What the store has under names: calendars, and marks of paused groups. */
type NamedText = Awaited<ReturnType<Store["listCalendars"]>>[number];

/** Whether a name among the store's calendars is a mark of ours. */
export function isGroupMark(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** The groups that are paused as a whole. */
export function groupsIn(texts: readonly NamedText[]): ReadonlySet<string> {
  return new Set(
    texts.filter(({ name }) => isGroupMark(name)).map(({ definition }) => String(JSON.parse(definition).group)),
  );
}

/** From now on the group is paused as a whole. Schedules without a group belong to none. */
export async function markGroup(store: Store, group: string): Promise<void> {
  if (group !== "") await store.saveCalendar(markOf(group), JSON.stringify({ type: "paused-group", group }));
}

/** What is added to the group from now on starts as it is written. */
export async function unmarkGroup(store: Store, group: string): Promise<void> {
  if (group !== "") await store.removeCalendar(markOf(group));
}

/**
 * Pauses what was written running into a group that was paused between the look and the write: whoever pauses the group
 * may not have seen it, and whoever wrote it may not have seen the pause, but never both.
 */
export async function pauseLatecomers(
  store: Store,
  written: readonly StoredSchedule[],
): Promise<readonly StoredSchedule[]> {
  if (!written.some(({ group, paused }) => group !== "" && !paused)) return written;
  const groups = groupsIn(await store.listCalendars());
  const settled: StoredSchedule[] = [];
  for (const schedule of written) {
    let now: StoredSchedule | undefined = schedule;
    for (let turn = 0; turn < TRIES && now !== undefined && !now.paused && groups.has(now.group); turn++) {
      const [paused] = await store.saveSchedules([{ ...now, paused: true }], [now.revision]);
      now = paused ?? (await store.getSchedules([now.id]))[0];
    }
    settled.push(now ?? schedule);
  }
  return settled;
}

/** A group's name may be as long as a calendar's, so the mark has its fingerprint. */
function markOf(group: string): string {
  return PREFIX + createHash("sha256").update(group).digest("hex").slice(0, 32);
}
