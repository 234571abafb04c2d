/** `nightshift/postgres`: a store in PostgreSQL, for many processes on many machines. */
import type { Store } from "../contract.ts";
import type { PgPool } from "./driver.ts";
import { type PostgresOptions, settingsOf } from "./options.ts";
import { PostgresStore } from "./store.ts";

export type { PgClient, PgPool, PgPoolClient, PgQueryable } from "./driver.ts";
export type { PostgresOptions } from "./options.ts";

/**
 * A store in PostgreSQL 14 or newer, through the package `pg`. It keeps to a schema of its own, which it creates and
 * migrates when it is opened.
 *
 * `enqueue(jobs, { tx })` takes any client with `query(text, values)` on which the caller's transaction is open, in the
 * same database.
 *
 * @param options a URL, a `pg` pool, or options
 * @throws NS_OPTION_UNKNOWN, NS_OPTION_INVALID
 * @example
 * ```ts
 * import { postgres } from "nightshift/postgres";
 *
 * const store = postgres({ connectionString: "postgres://app@localhost/shop", schema: "jobs" });
 * console.log(store.info().durability); // power-loss
 * ```
 */
export function postgres(options: string | PgPool | PostgresOptions): Store {
  return new PostgresStore(settingsOf(options));
}
