import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { freshSchema, rawClient, startPostgres } from "../../support/postgres.ts";
import { names, newJob, openStore, worker } from "../postgres-support.ts";

test("a PostgreSQL whose disk is full says so, loses nothing, and goes on as soon as there is space (needs the right to mount)", async (t) => {
  using folder = temporaryFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m,mode=1777", "tmpfs", folder.path]);
  const server = await startPostgres();
  try {
    const raw = await rawClient(server.url);
    // The tables stand on the small disk; the write-ahead log, without which no server runs at all, does not.
    const space = join(folder.path, "space");
    execFileSync("install", [
      "-d",
      "-m",
      "700",
      ...(process.getuid?.() === 0 ? ["-o", "65534", "-g", "65534"] : []),
      space,
    ]);
    await raw.query(`create tablespace small location '${space}'`);
    await raw.query("create database jobs tablespace small");
    const url = new URL(server.url);
    url.pathname = "/jobs";
    const store = await openStore({ connectionString: url.href, schema: freshSchema() });
    const me = await store.register(worker, 600_000);
    await store.enqueue([newJob({ input: '"first"' })]);
    const { bavail, bsize } = statfsSync(folder.path);
    writeFileSync(join(folder.path, "filler"), Buffer.alloc(Math.max(0, bavail * bsize - 4_000_000)));
    const text = JSON.stringify(Array.from({ length: 1_500 }, () => Math.random().toString(36)).join(""));
    let accepted = 1;
    const fill = async () => {
      for (; ; accepted += 20) await store.enqueue(Array.from({ length: 20 }, () => newJob({ input: text })));
    };
    await assert.rejects(fill(), (error: { code: string; message: string }) => {
      assert.equal(error.code, "NS_STORE_FULL", error.message);
      assert.match(error.message, /no room left .* Free space, then try again/);
      return true;
    });
    t.diagnostic(`${accepted} jobs accepted before the disk was full`);
    assert.equal((await store.counts()).queues[0]?.ready, accepted);
    rmSync(join(folder.path, "filler"));
    await eventually(async () => assert.equal((await store.enqueue([newJob()])).length, 1));
    assert.equal((await store.counts()).queues[0]?.ready, accepted + 1);
    const leases = await store.claim(me, { wants: [{ queue: "q", limit: 5_000 }], names });
    assert.equal(leases[0]?.jobs.length, accepted + 1);
    await store.close();
    await raw.end();
  } finally {
    await server.dispose();
    execFileSync("umount", ["-l", folder.path]);
  }
});
