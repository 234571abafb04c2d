/** What went wrong in the database, in three sorts: try again, the connection is gone, or it is the caller's. */
import { type ErrorCode, messageOf, NightshiftError } from "../../errors/index.ts";

/**
 * - `conflict`: rolled back for the sake of another transaction; safe to repeat
 * - `refused`: never began, the server could not be reached; safe to repeat
 * - `lost`: the connection broke with the statement under way; its outcome is unknown
 * - `data`: this statement's values cannot be stored
 * - `other`: anything else
 */
export type FailureKind = "conflict" | "refused" | "lost" | "data" | "other";

/** Serialization, deadlock, lock timeout: PostgreSQL rolled this one back. */
const CONFLICTS = new Set(["40001", "40P01", "55P03"]);
/** Full, starting, shutting down, not writable now: said before anything was begun. */
const REFUSALS = new Set(["53300", "57P03", "08001", "08004", "25006", "57P05"]);
/** 08P01 is what PgBouncer says when its server is gone, or has no connection in time; PostgreSQL, that a message is wrong. */
const LOSSES = new Set(["57P01", "57P02", "08000", "08003", "08006", "08007", "08P01", "25P03", "25P04"]);
/** This PgBouncer says, with the same code, to whoever sets something for the session: it would say so for ever. */
const REFUSED_SETTING = /unsupported startup parameter/i;
/** The sources of PostgreSQL that read what clients send: whatever they refuse, they refuse again. */
const READERS = new Set(["postgres.c", "pqformat.c", "fastpath.c"]);
/** A schema, function, table or column is not there, which a store that could be opened had found. */
const ABSENT = new Set(["3F000", "42883", "42P01", "42703"]);
const NET = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/** Thrown by ourselves where an answer did not come in time. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** The driver's or the server's code of an error: SQLSTATE, or a system error. */
export function codeOf(error: unknown): string | null {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : null;
  return typeof code === "string" ? code : null;
}

/** What was thrown, as an error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Where in its sources PostgreSQL found the fault. */
function fileOf(error: unknown): string {
  const file = typeof error === "object" && error !== null && "file" in error ? error.file : null;
  return typeof file === "string" ? file : "";
}

/** @param sent whether the statement was handed to the connection */
export function failureKind(error: unknown, sent: boolean): FailureKind {
  const code = codeOf(error);
  if (code !== null) {
    if (CONFLICTS.has(code)) return "conflict";
    if (REFUSED_SETTING.test(messageOf(error))) return "other";
    if (REFUSALS.has(code)) return "refused";
    if (code === "08P01" && READERS.has(fileOf(error))) return "other";
    if (LOSSES.has(code) || NET.has(code)) return sent ? "lost" : "refused";
    if (/^(22|23|54)/.test(code)) return "data";
    return "other";
  }
  // The driver's own errors carry no code. This one it says before it sends anything.
  if (/not queryable/i.test(messageOf(error))) return "refused";
  // A broken connection, a timeout, an ended client.
  const broken = /connection|timeout|terminated|socket/i.test(messageOf(error));
  if (error instanceof NoAnswer || broken) return sent ? "lost" : "refused";
  return "other";
}

/** The error that callers see. */
export function toNightshiftError(error: unknown, location: string, sent: boolean): NightshiftError {
  if (error instanceof NightshiftError) return error;
  const code = codeOf(error);
  const text = messageOf(error);
  const make = (ours: ErrorCode, message: string, details: Record<string, unknown> = {}) =>
    new NightshiftError(ours, message, { cause: error, details: { sqlState: code, ...details } });
  if (code === "53100" || code === "53200" || code === "ENOSPC") {
    return make("NS_STORE_FULL", `PostgreSQL at ${location} has no room left (${text}). Free space, then try again.`);
  }
  if (code === "57014" || code === "55P03") {
    return make(
      "NS_STORE_BUSY",
      `PostgreSQL at ${location} did not finish in time (${text}). Look for locks and load there.`,
    );
  }
  if (code === "42501") {
    return make("NS_STORE_UNAVAILABLE", `PostgreSQL at ${location} denied it (${text}). ${adviceOnDenial(text)}`);
  }
  if (REFUSED_SETTING.test(text)) {
    const advice =
      "Say pooler: true in the options of postgres(); give commands the address of the server itself, which is behind it.";
    return make("NS_OPTION_INVALID", `PostgreSQL at ${location} is a pooler, PgBouncer say (${text}). ${advice}`);
  }
  if (code === "25006") {
    const advice = "Point the connection at the primary; this store goes on by itself when it can write again.";
    return make(
      "NS_STORE_UNAVAILABLE",
      `PostgreSQL at ${location} is read-only: a standby, or a primary that was made one (${text}). ${advice}`,
    );
  }
  switch (failureKind(error, sent)) {
    case "conflict":
      return make("NS_STORE_BUSY", `PostgreSQL at ${location} rolled back in favour of others, repeatedly (${text}).`);
    case "lost": {
      const advice = "Whether it was carried out is unknown.";
      return make("NS_STORE_UNAVAILABLE", `The connection to PostgreSQL at ${location} was lost (${text}). ${advice}`, {
        unknown: true,
      });
    }
    case "refused":
      return make(
        "NS_STORE_UNAVAILABLE",
        `PostgreSQL at ${location} cannot be reached (${text}). Nothing was written. Look whether the server runs, and whether the address is right.`,
      );
    case "data":
      return make("NS_OPTION_INVALID", `PostgreSQL cannot store this (${text}).`);
    case "other":
      if (code === "3D000") {
        const advice = "Create it (createdb), or give the address of another one.";
        return make("NS_STORE_UNAVAILABLE", `PostgreSQL at ${location} has no such database (${text}). ${advice}`);
      }
      // The driver itself finds out that there is no password, and gives that no code.
      if (code?.startsWith("28") || /password must be a/i.test(text)) {
        const advice = "Look at the user and the password in the address, or in PGUSER and PGPASSWORD.";
        return make("NS_STORE_UNAVAILABLE", `PostgreSQL at ${location} lets nobody in like this (${text}). ${advice}`);
      }
      if (ABSENT.has(code ?? "")) {
        const causes = "A newer version of nightshift migrated them, or somebody dropped or restored them";
        const advice = `${causes}: restart this process, in the first case with that version.`;
        return make("NS_STORE_UNAVAILABLE", `The tables in PostgreSQL at ${location} changed (${text}). ${advice}`);
      }
      return make("NS_STORE_UNAVAILABLE", `PostgreSQL at ${location} failed (${text}).`);
  }
}

/** The server names the database when a schema cannot be made in it; the usual grants would not help then. */
function adviceOnDenial(text: string): string {
  const [, database] = /permission denied for database (.*)/.exec(text) ?? [];
  if (database === undefined) return "Grant the role what docs/guides/postgres.md lists.";
  const name = /^\w+$/.test(database) ? database : "<it>";
  return `The schema is to be made there: grant create on database ${name} to the role, or run nightshift migrate with a role that may and give this one what docs/guides/postgres.md lists.`;
}
