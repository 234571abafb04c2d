/** What SQLite's and the operating system's errors mean to a caller. */
import { statSync } from "node:fs";
import type { ErrorCode } from "../../errors/index.ts";
import { messageOf, NightshiftError } from "../../errors/index.ts";

/** Primary result codes of SQLite (the low byte of an extended one). */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;
/** A write that failed for a reason SQLite has no name for: quota or file size limit reached. The other: no room for the -shm. */
const IOERR_WRITE = 778;
const IOERR_SHMSIZE = 4_874;

/** SQLite's extended result code, from `node:sqlite` (a number) or another driver (a name); null for any other error. */
export function resultCode(error: unknown): number | null {
  if (typeof error !== "object" || error === null) return null;
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode;
  if ("code" in error && typeof error.code === "string") {
    if (error.code.startsWith("SQLITE_BUSY")) return BUSY;
    if (error.code === "SQLITE_FULL") return FULL;
    if (error.code.startsWith("SQLITE_READONLY")) return READONLY;
  }
  return null;
}

/** Whether another connection holds the lock: worth another try. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code !== null && ((code & 0xff) === BUSY || (code & 0xff) === LOCKED);
}

/** Whether the error concerns the file and not one caller's statement: then the whole transaction is lost. */
export function isOfTheFile(error: unknown): boolean {
  const code = resultCode(error);
  return code !== null && [BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB].includes(code & 0xff);
}

/** An error as callers see it; errors of the library's own pass through. */
export function translate(error: unknown, path: string): NightshiftError {
  if (error instanceof NightshiftError) return error;
  const [code, text] = describe(resultCode(error), path);
  return new NightshiftError(code, `${text} (${messageOf(error)})`, { cause: error, details: { path } });
}

function describe(code: number | null, path: string): readonly [ErrorCode, string] {
  if (code === IOERR_WRITE || code === IOERR_SHMSIZE) {
    return ["NS_STORE_FULL", `${path} cannot grow; nothing was written. Check free space, quota and file size limits.`];
  }
  switch (code === null ? null : code & 0xff) {
    case BUSY:
    case LOCKED:
      return ["NS_STORE_BUSY", `${path} stayed locked by another connection. Keep transactions on it short.`];
    case READONLY:
      return ["NS_STORE_UNAVAILABLE", `${path} cannot be written, or its folder cannot. ${whoMay(path)}`];
    case CORRUPT:
      return ["NS_STORE_CORRUPT", `${path} is damaged. Restore a backup; look at it with PRAGMA integrity_check.`];
    case FULL:
      return ["NS_STORE_FULL", `The disk of ${path} is full; nothing was written. Free some space.`];
    case CANTOPEN:
      return ["NS_STORE_UNAVAILABLE", `${path} cannot be opened. ${whoMay(path)}`];
    case NOTADB:
      return ["NS_STORE_FOREIGN", `${path} is not an SQLite database, or is encrypted. Give another path.`];
    default:
      return ["NS_STORE_UNAVAILABLE", `${path} failed.`];
  }
}

/** A file that another user made is the usual reason: stores are made for their owner alone. */
function whoMay(path: string): string {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) return "Check that its folder exists and may be written.";
  const mode = (file.mode & 0o777).toString(8);
  const us = process.getuid === undefined ? "" : `, and this process to user ${process.getuid()}`;
  return `Check that the file and its folder may be read and written: the file belongs to user ${file.uid} (mode ${mode})${us}.`;
}
