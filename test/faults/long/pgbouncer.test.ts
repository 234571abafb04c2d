/**
 * The real PgBouncer. It is no npm package: install it (`apt-get install pgbouncer`, `brew install pgbouncer`), or name
 * the program in NIGHTSHIFT_TEST_PGBOUNCER. The ordinary tests use a small pooler of our own in its place.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startProgram } from "../../support/child.ts";
import { eventually } from "../../support/eventually.ts";
import { freshSchema, rawClient, startPostgres } from "../../support/postgres.ts";
import { assertAllOnce, Load, openStore } from "../postgres-support.ts";

const NOBODY = 65_534;

function findPgBouncer(): string {
  const given = process.env["NIGHTSHIFT_TEST_PGBOUNCER"];
  for (const path of given ? [given] : ["pgbouncer", "/usr/sbin/pgbouncer", "/usr/local/sbin/pgbouncer"]) {
    try {
      execFileSync(path, ["--version"], { stdio: "pipe" });
      return path;
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOENT") throw error;
    }
  }
  const advice = "apt-get install pgbouncer, or set NIGHTSHIFT_TEST_PGBOUNCER to its path.";
  return assert.fail(`PgBouncer is not installed. ${advice}`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address !== null ? address.port : assert.fail("no port");
}

test("behind PgBouncer in transaction mode, killed and cut off under load, every accepted job succeeds once", async (t) => {
  const program = findPgBouncer();
  const server = await startPostgres();
  const home = mkdtempSync(join(tmpdir(), "pgbouncer-of-tests-"));
  const port = await freePort();
  const config = join(home, "pgbouncer.ini");
  const settings = {
    ...{ listen_addr: "127.0.0.1", listen_port: port, unix_socket_dir: "", auth_type: "any" },
    ...{ pool_mode: "transaction", default_pool_size: 3, max_client_conn: 100 },
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const database = `postgres = host=127.0.0.1 port=${server.port} dbname=postgres user=postgres`;
  writeFileSync(config, `[databases]\n${database}\n[pgbouncer]\n${lines.join("\n")}\n`);
  chmodSync(home, 0o755);
  const asRoot = process.getuid?.() === 0;
  if (asRoot) chownSync(home, NOBODY, NOBODY);
  const start = () => startProgram(program, [...(asRoot ? ["-u", "nobody"] : []), config]);
  let bouncer = start();
  try {
    await bouncer.until(/process up/);
    const schema = freshSchema();
    const through = `postgres://postgres@127.0.0.1:${port}/postgres`;
    const open = () => openStore({ connectionString: through, schema, pooler: true });
    const [store, other] = [await open(), await open()];
    using load = new Load(store).start(4, 3);
    using more = new Load(other).start(2, 2);
    for (let round = 0; round < 3; round++) {
      await load.more(200);
      bouncer.process.kill("SIGKILL");
      await bouncer.ended;
      bouncer = start();
      await bouncer.until(/process up/);
      await more.more(100);
      const raw = await rawClient(server.url);
      await raw.query("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()");
      await raw.end();
    }
    await Promise.all([load.finish(), more.finish()]);
    const accepted = [...load.accepted, ...more.accepted];
    await assertAllOnce(server.url, schema, accepted);
    t.diagnostic(`${accepted.length} accepted, ${load.refusals + more.refusals} refused or unknown`);
    let polled = 0;
    other.subscribe(({ what }) => what === "unknown" && polled++);
    await eventually(() => assert.ok(polled > 1));
    await store.close();
    await other.close();
  } finally {
    await bouncer[Symbol.asyncDispose]();
    await server.dispose();
    rmSync(home, { recursive: true, force: true });
  }
});
