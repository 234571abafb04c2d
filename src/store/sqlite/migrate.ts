/**
 * Whose tables these are, and bringing them up to date. Everything of ours is named nightshift_*, because applications
 * keep their own tables in the same file; for the same reason application_id and user_version are left alone.
 */
import { NightshiftError, show } from "../../errors/index.ts";
import type { Connection } from "./connection.ts";
import { first } from "./migrations/001-first.ts";
import { operations } from "./migrations/002-operations.ts";
import { APPLIED_MIGRATIONS, CREATE_MIGRATION_TABLE, INSERT_MIGRATION, OUR_OBJECTS } from "./sql/schema.ts";

/** One step of the schema. Never changed once released. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** The oldest version of the schema whose programs still work on this one. */
  readonly compatibleFrom: number;
  readonly sql: string;
}

const MIGRATIONS: readonly Migration[] = [first, operations];
/** The version of the schema that this library was written for. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** What a look at a database found: nothing of ours, or our schema at a version. */
export type Found = { readonly ours: false } | { readonly ours: true; readonly version: number };

/**
 * Looks, and writes nothing.
 *
 * @throws NS_STORE_FOREIGN when there are nightshift_* tables that the library did not make
 * @throws NS_STORE_VERSION when the schema needs a newer library
 */
export function inspectSchema(on: Connection, path: string): Found {
  const objects = on.all<{ name: string; sql: string | null }>(OUR_OBJECTS);
  if (objects.length === 0) return { ours: false };
  const ledger = objects.find(({ name }) => name === "nightshift_migration");
  if (ledger === undefined || !sameSql(ledger.sql, CREATE_MIGRATION_TABLE))
    return foreign(path, objects[0]?.name ?? "");
  const applied = on.all<{ version: number; name: string; compatible_from: number }>(APPLIED_MIGRATIONS);
  for (const { version, name } of applied) {
    const known = MIGRATIONS[version - 1];
    if (known !== undefined && known.name !== name) return foreign(path, `migration ${version}, ${show(name)}`);
  }
  const needs = applied.reduce((most, { compatible_from }) => Math.max(most, compatible_from), 0);
  if (needs > SCHEMA_VERSION) {
    const message = `${path} has a schema that needs version ${needs}; this library knows ${SCHEMA_VERSION}. Update nightshift here; nothing was touched.`;
    throw new NightshiftError("NS_STORE_VERSION", message, { details: { path, needs, knows: SCHEMA_VERSION } });
  }
  return applied.length === 0 ? { ours: false } : { ours: true, version: applied.length };
}

/** Applies what is missing. Runs under the write lock, in the caller's transaction: of two processes, the second finds nothing to do. */
export function migrate(on: Connection, path: string, now: number): void {
  const found = inspectSchema(on, path);
  on.driver.exec(CREATE_MIGRATION_TABLE.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"));
  for (const { version, name, compatibleFrom, sql } of MIGRATIONS.slice(found.ours ? found.version : 0)) {
    on.driver.exec(sql);
    on.run(INSERT_MIGRATION, version, name, compatibleFrom, now);
  }
}

function foreign(path: string, what: string): never {
  const message = `${path} has nightshift_* tables that this library did not make (${what}). Give another path; nothing was touched.`;
  throw new NightshiftError("NS_STORE_FOREIGN", message, { details: { path } });
}

/** SQLite keeps the text of a definition as it was given, "IF NOT EXISTS" left out. */
function sameSql(a: string | null, b: string): boolean {
  const normal = (sql: string) => sql.replaceAll(/\s+/g, " ").trim();
  return a !== null && normal(a) === normal(b);
}

/** All migrations as one script, for a database of its own that somebody else makes. */
export function sqliteMigrationScript(): string {
  const steps = MIGRATIONS.map(({ version, name, compatibleFrom, sql }) => {
    const row = `INSERT INTO nightshift_migration (version, name, compatible_from, applied_at)
  VALUES (${version}, '${name.replaceAll("'", "''")}', ${compatibleFrom}, unixepoch() * 1000);`;
    return `-- ${version}: ${name}\n${sql.replaceAll(/^ {4}/gm, "").trim()}\n${row}\n`;
  });
  return `BEGIN IMMEDIATE;\n${CREATE_MIGRATION_TABLE};\n\n${steps.join("\n")}\nCOMMIT;\n`;
}
