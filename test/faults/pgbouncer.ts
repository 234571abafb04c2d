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
import { startProgram } from "../support/child.ts";

export interface PgBouncer {
  readonly url: string;
  /** SIGKILL, and another one in its place. */
  killAndStart(): Promise<void>;
  dispose(): Promise<void>;
}

const NOBODY = 65_534;

/** In transaction mode, with so many connections to the server on that port. */
export async function startPgBouncer(serverPort: number, connections = 3): Promise<PgBouncer> {
  const program = findPgBouncer();
  const home = mkdtempSync(join(tmpdir(), "pgbouncer-of-tests-"));
  const port = await freePort();
  const config = join(home, "pgbouncer.ini");
  const settings = {
    ...{ listen_addr: "127.0.0.1", listen_port: port, unix_socket_dir: "", auth_type: "any" },
    ...{ pool_mode: "transaction", default_pool_size: connections, max_client_conn: 100, server_login_retry: 1 },
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const database = `postgres = host=127.0.0.1 port=${serverPort} dbname=postgres user=postgres`;
  writeFileSync(config, `[databases]\n${database}\n[pgbouncer]\n${lines.join("\n")}\n`);
  chmodSync(home, 0o755);
  const asRoot = process.getuid?.() === 0;
  if (asRoot) chownSync(home, NOBODY, NOBODY);
  const start = async () => {
    const started = startProgram(program, [...(asRoot ? ["-u", "nobody"] : []), config]);
    await started.until(/process up/);
    return started;
  };
  let bouncer = await start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async killAndStart() {
      bouncer.process.kill("SIGKILL");
      await bouncer.ended;
      bouncer = await start();
    },
    async dispose() {
      await bouncer[Symbol.asyncDispose]();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

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
