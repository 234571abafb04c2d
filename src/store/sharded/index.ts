/** Several stores as one: what `nightshift/postgres` makes of its option `shards`. */
export { checkNames, type NamedShards, type Settings } from "./options.ts";
export type { ShardSpec } from "./shard.ts";
export { ShardedStore } from "./sharded-store.ts";
