import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { renameSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../support/folder.ts";
import { freshSchema, startPostgres } from "../../support/postgres.ts";
import { assertAllOnce, names, newJob, openStore, worker } from "../postgres-support.ts";

test("a PostgreSQL whose write-ahead log has no room left goes down, loses nothing, and is found again (needs the right to mount)", async (t) => {
  using folder = temporaryFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=112m,mode=1777", "tmpfs", folder.path]);
  const server = await startPostgres({ settings: { max_wal_size: "64MB", min_wal_size: "32MB" } });
  try {
    await server.halt("fast");
    const log = join(server.dataDirectory, "pg_wal");
    execFileSync("cp", ["-a", log, join(folder.path, "pg_wal")]);
    renameSync(log, `${log}.before`);
    symlinkSync(join(folder.path, "pg_wal"), log);
    await server.resume();
    const schema = freshSchema();
    const store = await openStore({ connectionString: server.url, schema, patience: "1s" });
    const filler = join(folder.path, "filler");
    const { bavail, bsize } = statfsSync(folder.path);
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - 4_000_000)));
    const accepted: string[] = [];
    const text = JSON.stringify(Array.from({ length: 1_500 }, () => Math.random().toString(36)).join(""));
    const fill = async () => {
      for (;;) accepted.push(...(await store.enqueue(Array.from({ length: 20 }, () => newJob({ input: text })))));
    };
    // The server stops for its data's sake (PANIC), and cannot start again: to a client, it is gone.
    await assert.rejects(fill(), (error: { code: string; message: string }) => {
      t.diagnostic(`${error.code}: ${error.message}`);
      return error.code === "NS_STORE_UNAVAILABLE" || error.code === "NS_STORE_FULL";
    });
    t.diagnostic(`${accepted.length} jobs accepted before the log was full`);
    await server.halt("immediate");
    rmSync(filler);
    await server.resume();
    accepted.push(...(await store.enqueue([newJob()])));
    const me = await store.register(worker, 600_000);
    for (;;) {
      const [lease] = await store.claim(me, { wants: [{ queue: "q", limit: 1_000 }], names });
      if (lease === undefined) break;
      const outcomes = lease.jobs.map(({ id }) => ({ job: id, type: "succeeded", ms: 0 }) as const);
      assert.deepEqual((await store.settle(me, [{ lease: lease.id, outcomes }])).refused, []);
    }
    await assertAllOnce(server.url, schema, accepted);
    await store.close();
  } finally {
    await server.dispose();
    execFileSync("umount", ["-l", folder.path]);
  }
});
