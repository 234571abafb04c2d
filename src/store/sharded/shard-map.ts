/**
 * The list of shards, kept in each of them: what a process was given is compared with it, so that a shard that is
 * missing, renamed or mixed up is found out before anything is written. Pure, save for reading and writing it.
 */
import { NightshiftError, show } from "../../errors/index.ts";
import type { Store } from "../contract.ts";
import { notEmptyOf } from "./left-behind.ts";

/** Where it is kept: beside the calendars, as every store has these. */
export const MAP_NAME = "nightshift:shards";

/** What all shards agree on. */
export interface ShardMap {
  /** Grows with every change. */
  readonly version: number;
  /** The shard that keeps who leads. */
  readonly leader: string;
  readonly shards: readonly { readonly name: string; readonly draining: boolean }[];
  /** Pinned queues. */
  readonly queues: Readonly<Record<string, string>>;
  /** Draining shards that have not been seen empty, and those that were taken out so. */
  readonly notEmpty?: readonly string[];
}

/** What one shard keeps. */
export interface KeptMap {
  /** The name under which this database is known. */
  readonly self: string;
  readonly map: ShardMap;
}

/** The list that a process was given. */
export type GivenMap = Omit<ShardMap, "version" | "leader" | "notEmpty"> & { readonly leader: string | null };

/** What is to be done about the lists. */
export interface Comparison {
  readonly map: ShardMap;
  /** The shards to which it must be written. */
  readonly write: readonly string[];
  /** Shards that were not in the list before, when there was one. */
  readonly added: readonly string[];
  /** Whether the list is another than before. */
  readonly changed: boolean;
}

/**
 * @param current what was agreed on with other shards before, when this one could not be reached
 * @param kept what each reachable shard keeps; null where nothing is kept yet
 * @throws NS_STORE_SHARDS
 */
export function compareMaps(
  given: GivenMap,
  kept: ReadonlyMap<string, KeptMap | null>,
  current: ShardMap | null = null,
): Comparison {
  for (const [name, entry] of kept) if (entry !== null && entry.self !== name) throw mixedUp(name, entry.self);
  const maps = [...kept.values()].flatMap((entry) => (entry === null ? [] : [entry.map]));
  if (current !== null && current.version > 0) maps.push(current);
  const newest = maps.reduce<ShardMap | null>((best, map) => (best && best.version >= map.version ? best : map), null);
  const names = new Set(given.shards.map(({ name }) => name));
  const missing = newest?.shards.filter(({ name, draining }) => !draining && !names.has(name)) ?? [];
  if (missing.length > 0) throw missingShards(missing.map(({ name }) => name));
  const stays = newest !== null && names.has(newest.leader) ? newest.leader : null;
  const leader = given.leader ?? stays ?? given.shards.find(({ draining }) => !draining)?.name ?? "";
  const { shards, queues } = given;
  const changed = newest === null || textOf(newest) !== textOf({ leader, shards, queues });
  const notEmpty = notEmptyOf(newest, shards);
  const map = { version: (newest?.version ?? 0) + (changed ? 1 : 0), leader, shards, queues, notEmpty };
  return {
    map,
    write: [...kept].filter(([, entry]) => entry?.map.version !== map.version).map(([name]) => name),
    added: newest === null ? [] : [...names].filter((name) => !newest.shards.some((shard) => shard.name === name)),
    changed,
  };
}

/** The list's meaning as text: the order in which shards are written down does not count. */
export function textOf({ leader, shards, queues }: Omit<ShardMap, "version" | "notEmpty">): string {
  const sorted = [...shards].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, draining }) => [name, draining]);
  const pins = Object.entries(queues).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([leader, sorted, pins]);
}

/** What a shard keeps; null when it keeps nothing. */
export async function readMap(store: Store): Promise<KeptMap | null> {
  const found = (await store.listCalendars()).find(({ name }) => name === MAP_NAME);
  return found === undefined ? null : (JSON.parse(found.definition) as KeptMap);
}

export async function writeMap(store: Store, self: string, map: ShardMap): Promise<void> {
  await store.saveCalendar(MAP_NAME, JSON.stringify({ self, map } satisfies KeptMap));
}

function mixedUp(name: string, self: string): NightshiftError {
  const why = "The names are part of ids and say which queue lives where: give each database the name it had.";
  const message = `The database of shard ${show(name)} is known as shard ${show(self)}. ${why}`;
  return new NightshiftError("NS_STORE_SHARDS", message, { details: { shard: name, known: self } });
}

function missingShards(names: readonly string[]): NightshiftError {
  const list = names.map((name) => show(name)).join(", ");
  const advice = "Put it back with draining: true, wait until it is empty, and take it out then.";
  const message = `The list of shards lacks ${list}, which may still have jobs: they would never run. ${advice}`;
  return new NightshiftError("NS_STORE_SHARDS", message, { details: { missing: names } });
}
