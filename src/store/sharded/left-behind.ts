/**
 * What nobody would run any more: jobs on a shard that was taken out of the list too early. The others cannot ask it, so it
 * is noted in the list, as long as the shard drains, whether it was seen empty. Pure.
 */
import type { Finding } from "../contract.ts";
import type { ShardMap } from "./shard-map.ts";

/** Whoever begins to drain is not empty until it is seen to be; whoever takes jobs again is not spoken of. */
export function notEmptyOf(before: ShardMap | null, shards: ShardMap["shards"]): readonly string[] {
  const drained = new Set(before?.shards.filter(({ draining }) => draining).map(({ name }) => name));
  const begins = shards.filter(({ name, draining }) => draining && !drained.has(name)).map(({ name }) => name);
  const takes = new Set(shards.filter(({ draining }) => !draining).map(({ name }) => name));
  const known = (before?.notEmpty ?? []).filter((name) => !takes.has(name));
  return [...new Set([...known, ...begins])];
}

/** The same list, after a look at one of its shards; null when that changes nothing. */
export function withLook(map: ShardMap, shard: string, isEmpty: boolean): ShardMap | null {
  const { notEmpty = [] } = map;
  if (notEmpty.includes(shard) === !isEmpty) return null;
  const now = isEmpty ? notEmpty.filter((name) => name !== shard) : [...notEmpty, shard];
  return { ...map, version: map.version + 1, notEmpty: now };
}

/** Shards that are not in the list any more and were not seen empty. */
export function leftBehind({ notEmpty = [], shards }: ShardMap): readonly string[] {
  return notEmpty.filter((name) => shards.every((shard) => shard.name !== name));
}

/** What is said of it: in the log at every start, by `stats`, on the dashboard, in the health of processes. */
export function leftBehindFinding(name: string): Finding {
  const look = "nightshift stats --store <its database> says what is left";
  const ways =
    "put it back with draining: true until they are done, or nightshift move --from <its database> --to shards:<file>";
  const message = `Shard ${name} was taken out of the list before it was seen empty. Jobs on it do not run: ${look}; ${ways}.`;
  return { what: "jobs left behind", severity: "warning", message, details: { shard: name } };
}
