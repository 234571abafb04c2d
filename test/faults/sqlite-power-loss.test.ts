/**
 * What a power cut leaves: the file as it was synced last, and of the log what the disk had taken, or a torn piece of it.
 * No power is cut here. Copies of the log are cut off and scrambled at any byte instead, which is what SQLite then finds.
 * That FULL syncs each commit before it answers is SQLite's own promise; that the store asks for FULL is tested too.
 */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { enqueueOne, newJob, TestWorker } from "../../src/testing/store-conformance/worker.ts";
import { TestFolder } from "../store/sqlite/files.ts";
import { eventually } from "../support/eventually.ts";
import { assertIntact } from "./sqlite-support.ts";

/** A small generator, so that each run cuts at the same places. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

for (const damage of ["cut off", "torn"] as const) {
  test(`a log ${damage} anywhere loses the last commits at most: each one that was on the disk when it was answered is there`, async () => {
    await using folder = new TestFolder();
    const store = await folder.open();
    const wal = folder.file("test.db-wal");
    const accepted: { readonly id: string; readonly upTo: number }[] = [];
    for (let n = 0; n < 60; n++) {
      const id = await enqueueOne(store, { input: JSON.stringify("x".repeat((n * 97) % 3_000)) });
      accepted.push({ id, upTo: statSync(wal).size });
    }
    const random = seeded(7);
    const bytes = readFileSync(wal);
    for (let cut = 0; cut < 25; cut++) {
      const at = Math.floor(random() * bytes.length);
      await using copy = new TestFolder();
      copyFileSync(folder.file(), copy.file());
      const left = damage === "cut off" ? bytes.subarray(0, at) : Buffer.from(bytes);
      if (damage === "torn")
        for (let byte = at; byte < Math.min(at + 512, left.length); byte++) left[byte] = Math.floor(random() * 256);
      writeFileSync(copy.file("test.db-wal"), left);
      const after = await copy.open().catch((error: unknown) => error as Error);
      const durable = accepted.filter(({ upTo }) => upTo <= at);
      // Before the first commit that made the tables there is no store in the file.
      if (after instanceof Error) assert.equal(durable.length, 0, String(after));
      else {
        const states = await after.statesOf(accepted.map(({ id }) => id));
        const there = accepted.map(({ id }) => states.has(id));
        assert.ok(there.slice(0, durable.length).every(Boolean), `cut at ${at}`);
        assert.ok(
          !there.slice(there.indexOf(false) === -1 ? there.length : there.indexOf(false)).some(Boolean),
          "a hole",
        );
        await enqueueOne(after);
        await after.close();
        assertIntact(copy.file());
      }
    }
  });
}

test("FULL asks SQLite to sync each commit, NORMAL only each checkpoint", async () => {
  for (const [durability, synchronous, told] of [
    ["full", 2, "power-loss"],
    ["normal", 1, "process"],
  ] as const) {
    await using folder = new TestFolder();
    const statements: string[] = [];
    const { exec } = DatabaseSync.prototype;
    DatabaseSync.prototype.exec = function (sql: string) {
      statements.push(sql);
      return exec.call(this, sql);
    };
    try {
      const store = await folder.open({ durability });
      assert.equal(store.info().durability, told);
    } finally {
      DatabaseSync.prototype.exec = exec;
    }
    const asked =
      statements
        .join("\n")
        .match(/synchronous\s*=\s*(\w+)/gi)
        ?.at(-1) ?? "";
    assert.match(asked, synchronous === 2 ? /(FULL|2)$/i : /(NORMAL|1)$/i);
  }
});

/** What SQLite was told to sync at each commit that the store makes from now on. */
function syncsOfCommits(): { readonly seen: number[] } & Disposable {
  const seen: number[] = [];
  const { prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = function (sql: string) {
    const statement = prepare.call(this, sql);
    if (sql !== "COMMIT") return statement;
    const { get } = statement;
    const asked = prepare.call(this, "PRAGMA synchronous");
    statement.get = () => {
      seen.push(Number(asked.get()?.["synchronous"]));
      return Reflect.apply(get, statement, []);
    };
    return statement;
  };
  return { seen, [Symbol.dispose]: () => void (DatabaseSync.prototype.prepare = prepare) };
}

test("what a power cut makes void waits for no disk: a claim, a heartbeat; what was promised always does", async () => {
  await using folder = new TestFolder();
  using commits = syncsOfCommits();
  const store = await folder.open();
  const [normal, full] = [1, 2];
  const during = async <T>(work: Promise<T>): Promise<readonly [T, number[]]> => {
    commits.seen.length = 0;
    return [await work, [...commits.seen]];
  };
  const [worker, registering] = await during(TestWorker.register(store));
  assert.deepEqual(registering, [full]);
  await during(store.enqueue([newJob(), newJob(), newJob()]));
  const [lease, claiming] = await during(worker.claim(1));
  assert.deepEqual(claiming, [normal]);
  assert.deepEqual((await during(store.heartbeat(worker.instance, 10_000)))[1], [normal]);
  assert.deepEqual((await during(store.enqueue([newJob()])))[1], [full]);
  assert.equal(lease.jobs.length, 1);
  const together = Promise.all([worker.claim(1), store.enqueue([newJob()])]);
  assert.deepEqual((await during(together))[1], [full], "one commit for both");
});

test("a claim that the disk did not take leaves its job ready, as if it had never been", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const worker = await TestWorker.register(store);
  const id = await enqueueOne(store);
  const before = statSync(folder.file("test.db-wal")).size;
  const lease = await worker.claim(1);
  assert.equal(lease.jobs[0]?.attempt, 1);
  await using copy = new TestFolder();
  copyFileSync(folder.file(), copy.file());
  writeFileSync(copy.file("test.db-wal"), readFileSync(folder.file("test.db-wal")).subarray(0, before));
  const after = await copy.open();
  assert.equal((await after.statesOf([id])).get(id), "ready");
  const again = await (await TestWorker.register(after)).claim(1);
  assert.deepEqual([again.jobs[0]?.id, again.jobs[0]?.attempt], [id, 1]);
});

test("threads of one process that have the file open of their own, and are ended, lose no accepted job", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const source = `
    const { parentPort, workerData } = await import("node:worker_threads");
    const { sqlite } = await import(workerData.sqlite);
    const { systemClock } = await import(workerData.time);
    const { silentLogger } = await import(workerData.telemetry);
    const store = sqlite({ path: workerData.path });
    await store.open({ clock: systemClock, logger: silentLogger });
    for (;;) parentPort.postMessage(await store.enqueue([workerData.job]));`;
  const at = (path: string) => new URL(`../../src/${path}`, import.meta.url).href;
  const workerData = {
    ...{ path: folder.file(), job: newJob(), sqlite: at("store/sqlite/index.ts") },
    ...{ time: at("time/index.ts"), telemetry: at("telemetry/index.ts") },
  };
  const accepted: string[] = [];
  const module = `data:text/javascript,${encodeURIComponent(source)}`;
  const threads = [1, 2, 3].map(() => new Worker(new URL(module), { workerData }));
  for (const thread of threads) thread.on("message", (ids: string[]) => accepted.push(...ids));
  await eventually(() => assert.ok(accepted.length > 60));
  for (const thread of threads) await thread.terminate();
  accepted.push(await enqueueOne(store));
  const states = await store.statesOf(accepted);
  assert.deepEqual(
    accepted.filter((id) => states.get(id) !== "ready"),
    [],
  );
  await store.close();
  assertIntact(folder.file());
});
