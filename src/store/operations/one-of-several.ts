/** What shards keep beside an application's data: it belongs to one database of several, and goes along nowhere. */
import { NightshiftError } from "../../errors/index.ts";
import type { Store } from "../contract.ts";
import { heldByMarkOfLeft, isMoved, MAP_NAME, markOfLeft, readMap, ShardedStore } from "../sharded/index.ts";

/** A store's calendars, without the list of shards. A store of several does not show that one. */
export async function calendarsOf(store: Store): Promise<Awaited<ReturnType<Store["listCalendars"]>>> {
  return (await store.listCalendars()).filter(({ name }) => name !== MAP_NAME);
}

/** Whether this is the mark of a schedule that went to another shard, and no schedule. */
export const isMark = isMoved;

/** What a move leaves of a schedule on a shard, and what it left on one before: see there. */
export const leftAs = markOfLeft;
export const leftOn = heldByMarkOfLeft;

/**
 * Jobs are written to the shard of their queue, so all of them are needed.
 *
 * @throws NS_STORE_SHARDS
 */
export async function refuseOneOfSeveral(store: Store): Promise<void> {
  if ((await shardOf(store)) === null) return;
  const { location } = store.info();
  const advice = "Give all of them: postgres({ shards }), or shards:<file> to the nightshift command.";
  throw new NightshiftError("NS_STORE_SHARDS", `${location} is one database of several. ${advice}`);
}

/** The name of a store that is, or was, one database of several; null for any other. */
export async function shardOf(store: Store): Promise<string | null> {
  return (await readMap(store))?.self ?? null;
}

/** A shard that was taken out with jobs in it, and is empty now, is nothing to warn of any more. */
export async function noteMovedIn(from: Store, to: Store): Promise<void> {
  const shard = await shardOf(from);
  if (shard !== null && to instanceof ShardedStore) await to.movedIn(shard);
}
