/** A copy of the file as it is at one moment, made while processes work on it. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { NightshiftError, show } from "../../errors/index.ts";
import { Connection } from "./connection.ts";
import { DatabaseSync } from "./driver.ts";
import { translate } from "./errors.ts";
import { inspectSchema } from "./migrate.ts";

/** Every page in one step: a copy made in several begins anew whenever somebody writes between them. */
const ALL_PAGES = 2_147_483_647;

/** What a backup made. */
export interface Backup {
  /** The copy's size. */
  readonly bytes: number;
}

/**
 * Copies a store's file while processes work on it: the copy is what was committed at one moment, the application's own
 * tables in the same file included. It is checked, and has its name only when it is whole and on the disk.
 *
 * To restore: stop the processes, remove `shop.db-wal` and `shop.db-shm`, put the copy in place of `shop.db`. Jobs that
 * were running when it was made are run again, as after a crash.
 *
 * @param path the store's file
 * @param to the copy; must not exist
 * @throws NS_STORE_UNAVAILABLE, NS_STORE_FOREIGN, NS_STORE_CORRUPT, NS_STORE_FULL
 * @example
 * ```ts
 * import { backupSqlite } from "nightshift/sqlite";
 *
 * const { bytes } = await backupSqlite("shop.db", `shop-${new Date().toISOString().slice(0, 10)}.db`);
 * console.log(`${bytes} bytes`);
 * ```
 */
export async function backupSqlite(path: string, to: string): Promise<Backup> {
  for (const [role, given] of Object.entries({ path, to })) {
    if (typeof given === "string" && given !== "") continue;
    throw new NightshiftError(
      "NS_OPTION_INVALID",
      `backupSqlite(): ${role} is ${show(given)}. Give the path of a file.`,
    );
  }
  if (!existsSync(path)) refuse(path, "does not exist. Give the path of a store's file.");
  if (existsSync(to)) refuse(to, "exists already. Give another name; a backup does not replace a file.");
  if (!existsSync(dirname(resolve(to)))) refuse(to, `is in a folder that does not exist. Create ${dirname(to)}.`);
  const partial = `${to}.partial`;
  rmSync(partial, { force: true });
  let source: DatabaseSync | null = null;
  try {
    source = new DatabaseSync(path, { readOnly: true });
    source.exec("PRAGMA busy_timeout = 10000");
    if (!inspectSchema(new Connection(source), path).ours) {
      throw new NightshiftError("NS_STORE_FOREIGN", `${path} has no tables of Nightshift's. Give the path of a store.`);
    }
    closeSync(openSync(partial, "wx", 0o600));
    await copy(source, partial);
    check(partial);
    renameSync(partial, to);
    return { bytes: statSync(to).size };
  } catch (error) {
    rmSync(partial, { force: true });
    throw translate(error, path);
  } finally {
    source?.close();
  }
}

/** SQLite's own backup, on a thread; before Node.js 22.16 by a statement that makes the process wait. */
async function copy(source: DatabaseSync, to: string): Promise<void> {
  const { backup } = process.getBuiltinModule("node:sqlite") as { backup?: typeof import("node:sqlite").backup };
  if (backup === undefined) source.prepare("VACUUM INTO ?").run(to);
  else await backup(source, to, { rate: ALL_PAGES });
}

/** Opened as a file that nobody changes, so that nothing appears beside it. */
function check(path: string): void {
  const url = pathToFileURL(path);
  url.search = "immutable=1";
  let copy: DatabaseSync | null = null;
  try {
    try {
      copy = new DatabaseSync(url, { readOnly: true });
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      copy = new DatabaseSync(path, { readOnly: true }); // before Node.js 22.15
    }
    const [said = ""] = Object.values(copy.prepare("PRAGMA quick_check(1)").get() ?? {});
    if (said !== "ok")
      throw new NightshiftError("NS_STORE_CORRUPT", `The copy is damaged: ${said}. Check the store itself.`);
  } finally {
    copy?.close();
  }
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function refuse(path: string, what: string): never {
  throw new NightshiftError("NS_STORE_UNAVAILABLE", `${path} ${what}`, { details: { path } });
}
