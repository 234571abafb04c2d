/** Real processes on one SQLite file: killed, told to stop, and side by side. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createJobs } from "../../src/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { startNode } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { definitions, long, note, poison } from "./programs/definitions.ts";

const program = fileURLToPath(new URL("programs/worker.ts", import.meta.url));
const worker = (file: string, env: NodeJS.ProcessEnv = {}) => startNode([program, file], { env });
const client = (file: string) => createJobs({ store: sqlite(file), jobs: definitions });

test("a job that kills its process is found out: dead with the worker's loss as the reason, and others go on", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "jobs.db");
  await using jobs = client(file);
  const handle = await jobs.enqueue(poison);
  const neighbours = await jobs.enqueueMany(
    note,
    [1, 2, 3].map((index) => ({ file: join(folder.path, "notes"), index })),
  );
  for (let life = 0; life < 2; life++) {
    await using child = worker(file);
    assert.deepEqual(await child.ended, { code: null, signal: "SIGKILL" });
  }
  await using last = worker(file);
  await last.until(/ready/);
  await eventually(async () => assert.equal(await handle.state(), "dead"));
  const details = await handle.details();
  assert.equal(details?.attempt, 2);
  assert.match(`${details?.error?.code} ${details?.error?.message}`, /worker/i);
  for (const neighbour of neighbours) {
    await eventually(async () => assert.equal(await neighbour.state(), "succeeded"));
  }
});

test("processes killed in the middle of their work lose no job", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "jobs.db");
  const notes = join(folder.path, "notes");
  await using jobs = client(file);
  const count = 600;
  await jobs.enqueueMany(
    note,
    Array.from({ length: count }, (_, index) => ({ file: notes, index })),
  );
  const lines = () => {
    try {
      return readFileSync(notes, "utf8").trim().split("\n");
    } catch {
      return [];
    }
  };
  for (const enough of [100, 250]) {
    await using child = worker(file);
    await eventually(() => assert.ok(lines().length >= enough));
    child.process.kill("SIGKILL");
    await child.ended;
  }
  await using last = worker(file);
  await last.until(/ready/);
  await eventually(async () => assert.equal((await jobs.counts()).finished.succeeded, count));
  assert.equal(new Set(lines()).size, count);
  // At least once, and hardly more: only what was in the hands of a killed process ran again.
  assert.ok(lines().length < count + 100, `${lines().length} runs of ${count} jobs`);
});

test("on SIGTERM the running job is told, handed back uncounted, and the process ends with code 0", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "jobs.db");
  await using jobs = client(file);
  const handle = await jobs.enqueue(long);
  {
    await using child = worker(file);
    await child.until(/long begins attempt 1/);
    child.process.kill("SIGTERM");
    await child.until(/long was told NS_HOST_STOPPING/);
    assert.deepEqual(await child.ended, { code: 0, signal: null }, child.output());
  }
  assert.deepEqual([await handle.state(), (await handle.details())?.attempt], ["ready", 0]);
  await using next = worker(file, { LONG: "quick" });
  await next.until(/long begins attempt 1/);
  await eventually(async () => assert.equal(await handle.state(), "succeeded"));
});

test("two processes share the work, and a third one cancels what they run", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "jobs.db");
  const notes = join(folder.path, "notes");
  await using jobs = client(file);
  await using first = worker(file);
  await using second = worker(file);
  await Promise.all([first.until(/ready/), second.until(/ready/)]);
  const count = 500;
  await jobs.enqueueMany(
    note,
    Array.from({ length: count }, (_, index) => ({ file: notes, index })),
  );
  const handle = await jobs.enqueue(long, undefined, { priority: 1 });
  await eventually(async () => assert.equal((await jobs.counts()).finished.succeeded, count));
  assert.equal(readFileSync(notes, "utf8").trim().split("\n").length, count);
  await eventually(async () => assert.equal(await handle.state(), "running"));
  assert.match(await jobs.explain(handle.id), /in the hands of a worker on worker@/);
  const cancelled = assert.rejects(handle.result({ timeout: "20s" }), {
    code: "NS_JOB_CANCELLED",
    message: /user left/,
  });
  assert.equal(await handle.cancel("user left"), "requested");
  await cancelled;
  assert.match(first.output() + second.output(), /long was told NS_JOB_CANCELLED/);
});
