/** The server's own measure of one-row commits: pgbench, one connection, prepared statements. No part of Node in it. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { payload } from "../system.ts";

/** Commits a second. It counts in whole seconds. */
export async function oneRowCommits(connectionString: string, ms: number): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query("create table job (id bigint generated always as identity primary key, body text)");
  await client.end();
  const folder = mkdtempSync(join(tmpdir(), "nightshift-pgbench-"));
  const script = join(folder, "insert.sql");
  writeFileSync(script, `insert into job (body) values ('${JSON.stringify(payload())}');\n`);
  const seconds = String(Math.ceil(ms / 1_000));
  try {
    const flags = ["--no-vacuum", "--client=1", `--time=${seconds}`, "--protocol=prepared", `--file=${script}`];
    const { stdout } = await promisify(execFile)("pgbench", [...flags, connectionString]);
    return Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
