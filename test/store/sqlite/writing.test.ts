import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Connection } from "../../../src/store/sqlite/connection.ts";
import { sqlite } from "../../../src/store/sqlite/index.ts";
import { Watcher } from "../../../src/store/sqlite/wake.ts";
import { capturingLogger } from "../../../src/testing/index.ts";
import { eventually } from "../../../src/testing/store-conformance/harness.ts";
import {
  countsOf,
  enqueueOne,
  hasCode,
  newJob,
  succeeded,
  TestWorker,
} from "../../../src/testing/store-conformance/worker.ts";
import { sleep, systemClock, VirtualClock } from "../../../src/time/index.ts";
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

test("a cancellation and a retry of thousands let other writes through on their way", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ durability: "normal" });
  const ids = await store.enqueue(Array.from({ length: 5_000 }, () => newJob()));
  for (const act of [() => store.cancel(ids, "no"), () => store.retry(ids)]) {
    let over = false;
    const all = act().finally(() => (over = true));
    for (let n = 0; n < 3; n++) await enqueueOne(store, { queue: "other" });
    assert.equal(over, false);
    assert.equal((await all).length, 5_000);
  }
  assert.equal((await countsOf(store)).ready, 5_000);
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

test("each commit of another store is heard of, without a look of one's own in between", async () => {
  await using folder = new TestFolder();
  const two = await folder.open({ pollInterval: 60_000 });
  const one = await folder.open({ pollInterval: 60_000 });
  const heard = new EventEmitter();
  using _subscription = one.subscribe(({ what }) => heard.emit(what));
  for (let n = 0; n < 50; n++) {
    const told = once(heard, "unknown", { signal: AbortSignal.timeout(5_000) });
    await enqueueOne(two);
    await told;
  }
});

test("others are told of a commit as soon as there are any, and nobody is told before", async () => {
  await using folder = new TestFolder();
  const one = await folder.open({ pollInterval: 60_000 });
  const touched = () => statSync(folder.file("test.db-shm")).mtimeMs;
  const before = touched();
  for (let n = 0; n < 5; n++) await enqueueOne(one);
  assert.equal(touched(), before);
  const other = await folder.open({ pollInterval: 60_000 });
  const heard = new EventEmitter();
  using _subscription = other.subscribe(({ what }) => heard.emit(what));
  const hearing = once(heard, "unknown", { signal: AbortSignal.timeout(5_000) });
  await enqueueOne(one);
  await hearing;
});

test("once the others have left, nobody is told any more, some commits later", async () => {
  await using folder = new TestFolder();
  const [one, other] = [await folder.open(), await folder.open()];
  const touched = () => statSync(folder.file("test.db-shm")).mtimeMs;
  const before = touched();
  await eventually("a sign to the other", async () => {
    await enqueueOne(one);
    return touched() !== before;
  });
  await other.close();
  for (let n = 0; n < 40; n++) await enqueueOne(one);
  const after = touched();
  for (let n = 0; n < 5; n++) await enqueueOne(one);
  assert.equal(touched(), after);
});

test("stores that take turns on one file give each job an id of its own, in the order of commits", async () => {
  await using folder = new TestFolder();
  const stores = [await folder.open(), await folder.open()];
  const ids: number[] = [];
  for (const store of [...stores, ...stores, ...stores].flatMap((each) => [each, each]))
    ids.push(Number(await enqueueOne(store)));
  assert.deepEqual(
    ids,
    ids.map((_, index) => index + 1),
  );
});

test("where the file cannot be watched, looking now and then tells of others", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const on = new Connection(new DatabaseSync(folder.file()));
  const logger = capturingLogger();
  let changes = 0;
  const options = { on, path: folder.file("nowhere"), pollInterval: 5, logger, check: () => undefined };
  using _watcher = new Watcher({ ...options, onChange: () => changes++ });
  assert.match(JSON.stringify(logger.entries), /cannot be watched/);
  await enqueueOne(store);
  await eventually("the other's commit", () => changes > 0);
});

for (const suffix of ["", "-wal"]) {
  test(`a database${suffix} that is replaced under an open store is noticed, and nothing more is written`, async () => {
    await using folder = new TestFolder();
    const store = await folder.open({ pollInterval: 5 });
    await enqueueOne(store);
    renameSync(folder.file() + suffix, folder.file("moved"));
    writeFileSync(folder.file() + suffix, "");
    const refused = () => enqueueOne(store).then(() => false, hasCode("NS_STORE_UNAVAILABLE"));
    await eventually("the refusal", refused);
    await assert.rejects(store.counts(), /replaced or removed/);
    await store.close();
  });
}

for (const suffix of ["", "-wal"]) {
  test(`nothing is accepted once the database${suffix} is gone, however seldom the store looks on its own`, async () => {
    await using folder = new TestFolder();
    const store = await folder.open({ pollInterval: 60_000 });
    await enqueueOne(store);
    const own = new DatabaseSync(folder.file());
    own.exec("BEGIN IMMEDIATE");
    rmSync(folder.file() + suffix);
    await assert.rejects(store.enqueue([newJob()], { tx: own }), /replaced or removed/);
    own.exec("ROLLBACK");
    own.close();
    await assert.rejects(enqueueOne(store), hasCode("NS_STORE_UNAVAILABLE"));
  });
}

for (const suffix of ["", "-wal"]) {
  test(`a write finds out by itself that the database${suffix} is gone`, async () => {
    await using folder = new TestFolder();
    const store = await folder.open({ pollInterval: 60_000 });
    await enqueueOne(store);
    rmSync(folder.file() + suffix);
    const refused = () => enqueueOne(store).then(() => false, hasCode("NS_STORE_UNAVAILABLE"));
    await eventually("the refusal", refused);
  });
}

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

test("the log stays short while a process writes one by one without a pause", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ durability: "normal" });
  for (let n = 0; n < 5_000; n++) await enqueueOne(store);
  // Some 10,000 pages were written. A checkpoint is due at 1,000, and a turn may go on for a while.
  const pages = statSync(folder.file("test.db-wal")).size / 4_096;
  assert.ok(pages < 3_000, `${pages} pages`);
});

test("a store may be closed by who has just heard of a commit", async () => {
  await using folder = new TestFolder();
  for (let n = 0; n < 10; n++) {
    const store = await folder.open({ durability: "normal" });
    for (let m = 0; m < 3; m++) await enqueueOne(store);
    await store.close();
    await new Promise(setImmediate); // what the turn had still to do is done on a closed file, or was done before
  }
});

test("what is in the log is taken into the file once nothing was written for a moment", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ durability: "normal" });
  const input = JSON.stringify("x".repeat(2_000));
  for (let n = 0; n < 200; n++) await enqueueOne(store, { input });
  // By its size: opening the file here would, when it is closed, drop the store's locks on it.
  await eventually("the jobs' pages in the file", () => statSync(folder.file()).size > 200 * input.length);
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

test("the timeout for a busy file counts from when it was found busy, not from a hang of the process before", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ busyTimeout: 400 });
  const holder = new DatabaseSync(folder.file());
  holder.exec("BEGIN IMMEDIATE");
  const enqueueing = enqueueOne(store);
  const until = systemClock.monotonic() + 500;
  while (systemClock.monotonic() < until);
  setTimeout(() => holder.exec("COMMIT"), 20);
  await enqueueing;
  holder.close();
});

test("a path that cannot be looked at any more is said once, and neither ends the process nor the work", async () => {
  await using folder = new TestFolder();
  mkdirSync(folder.file("in"));
  const store = sqlite({ path: folder.file("in/test.db"), pollInterval: 5 });
  const logger = capturingLogger();
  await store.open({ clock: systemClock, logger });
  renameSync(folder.file("in"), folder.file("out"));
  symlinkSync(folder.file("in"), folder.file("in"));
  const said = () => logger.messages("warn").filter((message) => message === "watching the database file failed");
  await eventually("the warning", () => said().length > 0);
  await enqueueOne(store);
  await sleep(systemClock, 20);
  assert.equal(said().length, 1);
  await store.close();
});

test("a store that is opened again on another file forgets what retention knew of the first", async () => {
  await using folder = new TestFolder();
  const clock = new VirtualClock();
  const store = sqlite(folder.file());
  const finish = async (count: number) => {
    const worker = await TestWorker.register(store);
    await store.enqueue(Array.from({ length: count }, () => newJob()));
    const lease = await worker.claim(count);
    await worker.settle(lease, ...lease.jobs.map(({ id }) => succeeded(id)));
  };
  for (const old of [10, 5]) {
    await store.open({ clock, logger: capturingLogger() });
    await finish(old);
    await clock.advance("2s");
    await finish(1);
    assert.equal(await store.prune({ succeeded: 1_000 }, 100), old);
    await store.close();
    rmSync(folder.file());
  }
});

test("rows are read as arrays also through a driver that gives objects only", () => {
  const database = new DatabaseSync(":memory:");
  const older = {
    exec: (sql: string) => database.exec(sql),
    prepare(sql: string) {
      const statement = database.prepare(sql);
      return {
        run: statement.run.bind(statement),
        get: statement.get.bind(statement),
        all: statement.all.bind(statement),
        iterate: statement.iterate.bind(statement),
      };
    },
  };
  const sql = "SELECT 1 AS b, 'two' AS a, NULL AS c UNION ALL SELECT 3, 'four', 5";
  const rows = [database, older].map((driver) => [...new Connection(driver).iterateArrays(sql)]);
  assert.deepEqual(rows[0], [
    [1, "two", null],
    [3, "four", 5],
  ]);
  assert.deepEqual(rows[1], rows[0]);
  database.close();
});
