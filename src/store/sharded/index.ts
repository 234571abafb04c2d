/** Several stores as one: what `nightshift/postgres` makes of its option `shards`. */
export { heldByMarkOfLeft, isMoved, markOfLeft } from "./moving.ts";
export { checkNames, type NamedShards, type Settings } from "./options.ts";
export type { ShardSpec } from "./shard.ts";
export { MAP_NAME, readMap } from "./shard-map.ts";
export { ShardedStore } from "./sharded-store.ts";
