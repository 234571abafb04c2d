import assert from "node:assert/strict";
import { renameSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { eventually } from "../../../src/testing/store-conformance/harness.ts";
import {
  countsOf,
  enqueueOne,
  hasCode,
  newJob,
  succeeded,
  TestWorker,
} from "../../../src/testing/store-conformance/worker.ts";
import { sleep, systemClock } from "../../../src/time/index.ts";
import { TestFolder } from "./files.ts";

/** How many commits somebody else sees. */
function commitsSince(path: string): () => number {
  const other = new DatabaseSync(path, { readOnly: true });
  const read = () => Number(other.prepare("PRAGMA data_version").get()?.data_version);
  const before = read();
  return () => read() - before;
}

test("writes requested in one turn share one commit", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const commits = commitsSince(folder.file());
  await Promise.all(Array.from({ length: 200 }, () => store.enqueue([newJob()])));
  assert.equal(commits(), 1);
  assert.equal((await countsOf(store)).ready, 200);
});

test("a busy file is waited for without stopping the process", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const holder = new DatabaseSync(folder.file());
  holder.exec("BEGIN IMMEDIATE");
  let done = false;
  const enqueueing = enqueueOne(store).then(() => (done = true));
  let turns = 0;
  await eventually("many turns of the loop", () => ++turns > 20);
  assert.equal(done, false);
  holder.exec("COMMIT");
  await enqueueing;
  holder.close();
});

test("a file that stays busy for longer than the timeout is an error, and nothing is written", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ busyTimeout: 50 });
  const holder = new DatabaseSync(folder.file());
  holder.exec("BEGIN IMMEDIATE");
  await assert.rejects(enqueueOne(store), hasCode("NS_STORE_BUSY"));
  holder.exec("COMMIT");
  await enqueueOne(store);
  assert.equal((await countsOf(store)).ready, 1);
  holder.close();
});

test("questions are answered while somebody holds the write lock", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  await enqueueOne(store);
  const holder = new DatabaseSync(folder.file());
  holder.exec("BEGIN IMMEDIATE");
  assert.equal((await countsOf(store)).ready, 1);
  holder.exec("ROLLBACK");
  holder.close();
});

test("commits of others wake listeners, one's own are not taken for others'", async () => {
  await using folder = new TestFolder();
  const two = await folder.open({ pollInterval: 60_000 });
  const one = await folder.open({ pollInterval: 60_000 });
  const heard: string[] = [];
  using _subscription = one.subscribe(({ what }) => heard.push(what));
  await enqueueOne(one);
  await sleep(systemClock, 30); // long enough for the file's watch to have seen our own commit
  assert.deepEqual(heard, ["work"]);
  await enqueueOne(two);
  await eventually("the other's commit", () => heard.includes("unknown"));
});

test("where the watch gives no sign, looking now and then tells of others", async () => {
  await using folder = new TestFolder();
  const one = await folder.open({ pollInterval: 10 });
  const two = await folder.open();
  // The watched name is gone, as after a mishap of the file system; the open files go on.
  renameSync(`${folder.file()}-wal`, `${folder.file()}-hidden`);
  await sleep(systemClock, 20);
  let woken = 0;
  using _subscription = one.subscribe(() => woken++);
  await enqueueOne(two);
  await eventually("the other's commit", () => woken > 0);
  renameSync(`${folder.file()}-hidden`, `${folder.file()}-wal`);
});

test("a long reader keeps the log from being emptied, and it is emptied after that", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const reader = new DatabaseSync(folder.file(), { readOnly: true });
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM nightshift_job").get();
  const bulk = () =>
    store.enqueue(Array.from({ length: 3_000 }, () => newJob({ input: JSON.stringify("x".repeat(2_000)) })));
  for (let n = 0; n < 3; n++) await bulk();
  const grown = statSync(`${folder.file()}-wal`).size;
  assert.ok(grown > 10_000_000, `${grown}`);
  reader.exec("COMMIT");
  for (let n = 0; n < 3; n++) await bulk();
  assert.ok(statSync(`${folder.file()}-wal`).size <= grown + 8_500_000);
  reader.close();
});

test("bodies of ten megabytes come in batches that fit in memory", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const input = JSON.stringify("x".repeat(10_000_000));
  for (let n = 0; n < 4; n++) await enqueueOne(store, { input });
  const worker = await TestWorker.register(store);
  const lease = await worker.claim(100);
  assert.equal(lease.jobs.length, 2);
  await worker.settle(lease, ...lease.jobs.map(({ id }) => succeeded(id)));
  assert.equal((await worker.claim(100)).jobs.length, 2);
});
