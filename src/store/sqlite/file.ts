/** The file before SQLite sees it: whether it may be opened at all, decided without touching it. */
import { closeSync, existsSync, lstatSync, openSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, NightshiftError } from "../../errors/index.ts";
import { Connection } from "./connection.ts";
import { DatabaseSync } from "./driver.ts";
import { translate } from "./errors.ts";
import { inspectSchema } from "./migrate.ts";

/** Types of network file systems, where locks and shared memory do not hold: NFS, SMB (three), AFS, Ceph, Lustre, GFS2, OCFS2. */
const NETWORK = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
]);

/** Which file it is, whatever its path. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
}

/**
 * Makes sure that the file exists and may become the store's: an empty or new file, a database without nightshift_*
 * tables, or one with ours. A new file is created for its owner alone (0600); SQLite gives -wal and -shm the same mode.
 *
 * @throws NS_STORE_UNAVAILABLE, NS_STORE_FOREIGN, NS_STORE_CORRUPT, NS_STORE_VERSION, NS_STORE_UNSUPPORTED
 */
export function prepareFile(path: string): void {
  const link = lstatSync(path, { throwIfNoEntry: false });
  if (link?.isSymbolicLink()) unavailable(path, "is a symbolic link. Give the path of the file itself.");
  if (link?.isDirectory()) unavailable(path, "is a folder. Give the path of a file.");
  if (link !== undefined && !link.isFile()) unavailable(path, "is not a regular file. Give the path of a file.");
  refuseNetwork(path);
  if (link === undefined) create(path);
  else if (link.size > 0) inspect(path);
}

/** The identity of the file at a path; null when there is none. */
export function identityOf(path: string): FileIdentity | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : { device: found.dev, inode: found.ino };
}

export function sameFile(a: FileIdentity | null, b: FileIdentity | null): boolean {
  return a !== null && b !== null && a.device === b.device && a.inode === b.inode;
}

function create(path: string): void {
  if (!existsSync(dirname(path))) unavailable(path, `is in a folder that does not exist. Create ${dirname(path)}.`);
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch (cause) {
    unavailable(path, `cannot be created (${messageOf(cause)}). Check the permissions of ${dirname(path)}.`, cause);
  }
}

/**
 * Through SQLite and never through a file descriptor of our own: closing one drops the locks that any other connection
 * of this process holds on the same file. SQLite itself tells what is no database, encrypted, or cut off.
 */
function inspect(path: string): void {
  // With an empty or missing -wal the file is all there is, and can be read without a lock or a trace.
  const wal = statSync(`${path}-wal`, { throwIfNoEntry: false });
  const url = pathToFileURL(path);
  if ((wal?.size ?? 0) === 0) url.search = "immutable=1";
  let database: DatabaseSync | null = null;
  try {
    database = openToRead(path, url);
    inspectSchema(new Connection(database), path);
  } catch (error) {
    throw translate(error, path);
  } finally {
    database?.close();
  }
}

/** Before Node.js 22.15 a database is opened by its path alone: then reading one in WAL mode may touch its -shm file. */
function openToRead(path: string, url: URL): DatabaseSync {
  try {
    return new DatabaseSync(url, { readOnly: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return new DatabaseSync(path, { readOnly: true });
  }
}

function refuseNetwork(path: string): void {
  if (process.platform !== "linux" || !existsSync(dirname(path))) return;
  const name = NETWORK.get(statfsSync(dirname(path)).type >>> 0);
  if (name === undefined) return;
  const message = `${path} is on a network file system (${name}), where SQLite's locks do not hold and data would be lost. Use a local disk, or the PostgreSQL store for several machines.`;
  throw new NightshiftError("NS_STORE_UNSUPPORTED", message, { details: { path, fileSystem: name } });
}

function unavailable(path: string, what: string, cause?: unknown): never {
  throw new NightshiftError("NS_STORE_UNAVAILABLE", `${path} ${what}`, { cause, details: { path } });
}
