/** A store to measure, as durable as an application's: an SQLite file, or PostgreSQL on a server of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../src/store/contract.ts";
import { postgres } from "../src/store/postgres/index.ts";
import { sqlite } from "../src/store/sqlite/index.ts";
import { startPostgres } from "../test/support/postgres.ts";

/** As durable as a server is out of the box. */
const DURABLE = { fsync: "on", synchronous_commit: "on", full_page_writes: "on" };

/** The store, not opened, and what goes away after it. */
export interface DurableStore {
  readonly store: Store;
  /** How a report names it. */
  readonly name: string;
  /** The server's address; null for a file. */
  readonly url: string | null;
  dispose(): Promise<void>;
}

/** `full` and `normal` are an SQLite file of that durability; `postgres` is a server that waits for its disk. */
export async function durableStore(kind: string): Promise<DurableStore> {
  if (kind === "postgres") {
    const { url, dispose } = await startPostgres({ settings: DURABLE });
    return { store: postgres({ connectionString: url }), name: "PostgreSQL", url, dispose };
  }
  const folder = mkdtempSync(join(tmpdir(), "nightshift-bench-"));
  return {
    store: sqlite({ path: join(folder, "bench.db"), durability: kind === "normal" ? "normal" : "full" }),
    name: `SQLite, ${kind} durability`,
    url: null,
    dispose: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
