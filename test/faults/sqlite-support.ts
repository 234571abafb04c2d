/** What the fault tests on SQLite share: processes on a file, and the account that is drawn up at the end. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { Store } from "../../src/store/contract.ts";
import { type Child, startNode } from "../support/child.ts";

const PROGRAM = fileURLToPath(new URL("sqlite-process.ts", import.meta.url));

export function startOn(
  path: string,
  mode: "produce" | "work" | "hold",
  options: Record<string, string | number> = {},
): Child {
  return startNode([PROGRAM, mode, path, ...Object.entries(options).map(([key, value]) => `${key}=${value}`)]);
}

/** The ids that a producer said were accepted. The last line may be half written when it was killed. */
export function acceptedBy(child: Child): string[] {
  const lines = child.output().split("\n").slice(0, -1);
  return lines.flatMap((line) => (line.startsWith("accepted ") ? line.slice(9).split(" ") : []));
}

/** SQLite's own opinion of the file. */
export function assertIntact(path: string): void {
  const database = new DatabaseSync(path);
  try {
    assert.deepEqual({ ...database.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
  } finally {
    database.close();
  }
}

/** Every job that exists is in one place; each accepted one ended, and succeeded exactly once. */
export async function assertAllSucceededOnce(store: Store, path: string, accepted: readonly string[]): Promise<void> {
  const states = await store.statesOf(accepted);
  const unfinished = accepted.filter((id) => states.get(id) !== "succeeded");
  assert.deepEqual(unfinished, [], "accepted, and not succeeded");
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const sql = "SELECT job_id FROM nightshift_finished WHERE what = 's' GROUP BY job_id HAVING count(*) > 1";
    assert.deepEqual(database.prepare(sql).all(), [], "succeeded twice");
    const counted = database.prepare("SELECT count(*) AS count FROM nightshift_finished WHERE what = 's'").get();
    assert.equal((await store.counts()).finished.succeeded, counted?.["count"], "the roll-up agrees with the history");
  } finally {
    database.close();
  }
}
