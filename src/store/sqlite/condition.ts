/** How the file is: its log, its free pages, and whether what must hold does. */
import { statSync } from "node:fs";
import type { Finding, Verification } from "../contract.ts";
import { brokenInvariant, type Invariant } from "../shared/invariants.ts";
import type { Connection } from "./connection.ts";
import type { Reading } from "./inspection.ts";
import * as SQL from "./sql/condition.ts";

/** A log this large means that somebody reads an old moment and keeps it from being taken in, in bytes. */
const LARGE_LOG = 128 * 1_024 * 1_024;
/** Free pages worth giving back: this many bytes, and this share of the file. */
const MUCH_FREE = 64 * 1_024 * 1_024;
const FREE_SHARE = 0.25;

export function findings({ on }: Reading, path: string, limits = { log: LARGE_LOG, free: MUCH_FREE }): Finding[] {
  const found: Finding[] = [];
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (log > limits.log) {
    const message = `The log of ${path} has ${megabytes(log)} MB: some connection keeps a read transaction open, so that it cannot be taken into the file. Look for long queries, open iterators and forgotten transactions.`;
    found.push({ what: "large log", severity: "warning", message, details: { bytes: log } });
  }
  const free = pragma(on, "freelist_count") * pragma(on, "page_size");
  const all = pragma(on, "page_count") * pragma(on, "page_size");
  if (free > limits.free && free > all * FREE_SHARE) {
    const message = `${path} has ${megabytes(free)} MB of free pages in ${megabytes(all)} MB. They are used again; to give them back to the disk, stop the processes and run VACUUM.`;
    found.push({ what: "free pages", severity: "warning", message, details: { free, bytes: all } });
  }
  return found;
}

/** Synchronous, as all reading of the file is: seconds for a large one. The command runs it in a process of its own. */
export function verify({ on }: Reading, path: string): Verification {
  const found: Finding[] = [];
  for (const row of on.all<Record<string, string>>("PRAGMA integrity_check(10)")) {
    const [said = ""] = Object.values(row);
    if (said === "ok") continue;
    const message = `${path} is damaged: ${said}. Restore a backup.`;
    found.push({ what: "damaged file", severity: "damage", message, details: { said } });
  }
  for (const [what, sql] of Object.entries(SQL.BROKEN) as [Invariant, string][]) {
    const examples = on.all<{ id: number }>(`SELECT id FROM (${sql}) LIMIT 5`).map(({ id }) => String(id));
    const count = examples.length === 0 ? 0 : (on.get<{ n: number }>(`SELECT count(*) AS n FROM (${sql})`)?.n ?? 0);
    found.push(...brokenInvariant(what, count, examples));
  }
  return { jobs: on.get<{ n: number }>(SQL.ALL_JOBS)?.n ?? 0, findings: found };
}

function pragma(on: Connection, name: string): number {
  return Number(Object.values(on.get<Record<string, number>>(`PRAGMA ${name}`) ?? {})[0] ?? 0);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
