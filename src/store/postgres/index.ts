/** `nightshift/postgres`: a store in PostgreSQL, for many processes on many machines. */
import { refuseMore } from "../../errors/option-checks.ts";
import type { Store } from "../contract.ts";
import type { PgPool } from "./driver.ts";
import { type PostgresOptions, settingsOf } from "./options.ts";
import { hasShards, type PostgresShardsOptions, shardedPostgres } from "./sharding.ts";
import { PostgresStore } from "./store.ts";

export type { PgClient, PgPool, PgPoolClient, PgQueryable } from "./driver.ts";
export type { PostgresCommonOptions, PostgresOptions } from "./options.ts";
export type { PostgresShard, PostgresShardsOptions } from "./sharding.ts";

/** Said for editors, which then offer what goes with what is written already, and nothing of the others. */
type Only<Options, Others extends string> = Options & { readonly [Name in Others]?: never };

/**
 * A store in PostgreSQL 14 or newer, through the package `pg`. It keeps to a schema of its own, which it creates and
 * migrates when it is opened.
 *
 * `enqueue(jobs, { tx })` takes any client with `query(text, values)` on which the caller's transaction is open, in the
 * same database.
 *
 * With `shards` it is several databases as one store: each queue lives in one of them, chosen by its name or pinned.
 *
 * Options are checked at once; the server is asked when the store is opened, by the host or the first call. That rejects
 * with NS_STORE_UNAVAILABLE (away for longer than `patience`, no such database, wrong password, a right is missing: the
 * message says which), NS_STORE_UNSUPPORTED (older than 14, or no package `pg`), NS_STORE_VERSION (a newer schema, or one to
 * be migrated by others), NS_STORE_BUSY (a migration got no lock within a minute: the message says who had it),
 * NS_STORE_FOREIGN (the schema holds other tables) or NS_STORE_SHARDS, and is safe to repeat.
 *
 * @param options a URL, a `pg` pool, or options
 * @throws NS_OPTION_UNKNOWN, NS_OPTION_INVALID
 * @example
 * ```ts
 * import { postgres } from "nightshift/postgres";
 *
 * const store = postgres({ connectionString: "postgres://app@localhost/shop", schema: "jobs" });
 * console.log(store.info().durability); // power-loss
 *
 * const sharded = postgres({
 *   shards: [
 *     { name: "one", connectionString: "postgres://app@db-1/shop" },
 *     { name: "two", connectionString: "postgres://app@db-2/shop" },
 *   ],
 *   queues: { mail: "one" }, // the others by their names
 * });
 * console.log(sharded.info().location); // one: db-1:5432/shop, two: db-2:5432/shop
 * ```
 */
export function postgres(
  options:
    | string
    | Only<PgPool, "connectionString" | "shards">
    | Only<PostgresOptions, "shards">
    | PostgresShardsOptions,
): Store;
export function postgres(
  options: string | Only<PgPool, "connectionString" | "shards"> | PostgresOptions | PostgresShardsOptions,
  ...more: readonly unknown[]
): Store {
  refuseMore("postgres()", more, 'Give one object: postgres({ connectionString: "postgres://…", … }).');
  if (typeof options === "object" && options !== null && hasShards(options)) return shardedPostgres(options);
  return new PostgresStore(settingsOf(options));
}
