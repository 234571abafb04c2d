import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { eventually } from "../../../src/testing/store-conformance/harness.ts";
import { countsOf, enqueueOne, hasCode, newJob, stateOf } from "../../../src/testing/store-conformance/worker.ts";
import { TestFolder } from "./files.ts";

test("a job enqueued in the caller's transaction exists when that commits, and wakes listeners", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ pollInterval: 60_000 });
  const own = new DatabaseSync(folder.file());
  own.exec("CREATE TABLE customer (name TEXT)");
  let woken = 0;
  using _subscription = store.subscribe(() => woken++);
  own.exec("BEGIN IMMEDIATE; INSERT INTO customer VALUES ('Ada')");
  const [id = ""] = await store.enqueue([newJob({ queue: "new queue", name: "new name" })], { tx: own });
  assert.equal(await stateOf(store, id), undefined);
  woken = 0;
  own.exec("COMMIT");
  await eventually("a wake-up", () => woken > 0);
  assert.equal(await stateOf(store, id), "ready");
  own.close();
});

test("a job enqueued in a transaction that rolls back never was, nor were its names", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const own = new DatabaseSync(folder.file());
  own.exec("BEGIN");
  const [gone] = await store.enqueue([newJob({ queue: "gone", name: "gone" })], { tx: own });
  own.exec("ROLLBACK");
  const id = await enqueueOne(store, { queue: "stays", name: "stays" });
  assert.equal(id, gone, "the number was never given out");
  const job = await store.getJob(id);
  assert.deepEqual([job?.queue, job?.name], ["stays", "stays"]);
  assert.equal((await countsOf(store, "gone")).ready, 0);
  own.close();
});

test("it is written before the promise is returned, so a synchronous transaction can hold it", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const own = new DatabaseSync(folder.file());
  own.exec("BEGIN IMMEDIATE");
  const enqueueing = store.enqueue([newJob()], { tx: own });
  own.exec("COMMIT");
  await enqueueing;
  assert.equal((await countsOf(store)).ready, 1);
  own.close();
});

test("a bad job in the caller's transaction leaves the rest of it whole", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const own = new DatabaseSync(folder.file());
  own.exec("CREATE TABLE customer (name TEXT); BEGIN; INSERT INTO customer VALUES ('Ada')");
  await assert.rejects(store.enqueue([newJob(), newJob({ queue: "" })], { tx: own }), hasCode("NS_OPTION_INVALID"));
  await store.enqueue([newJob()], { tx: own });
  own.exec("COMMIT");
  assert.equal((await countsOf(store)).ready, 1);
  assert.equal(own.prepare("SELECT name FROM customer").all().length, 1);
  own.close();
});

test("a handle on another file, in memory, closed or outside a transaction is refused", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const other = new DatabaseSync(folder.file("other.db"));
  other.exec("BEGIN");
  const memory = new DatabaseSync(":memory:");
  memory.exec("BEGIN");
  const idle = new DatabaseSync(folder.file());
  for (const [tx, message] of [
    [other, /has .*other\.db open/],
    [memory, /in-memory database/],
    [idle, /No transaction is open/],
  ] as const) {
    await assert.rejects(
      store.enqueue([newJob()], { tx }),
      (error) => hasCode("NS_STORE_TX")(error) && message.test(String(error)),
    );
  }
  assert.equal((await countsOf(store)).ready, 0);
  for (const handle of [other, memory, idle]) handle.close();
});

test("a caller's transaction that cannot have the lock is told so, and is left as it is", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const holder = new DatabaseSync(folder.file());
  holder.exec("BEGIN IMMEDIATE");
  const own = new DatabaseSync(folder.file(), { timeout: 1 });
  own.exec("BEGIN");
  await assert.rejects(store.enqueue([newJob()], { tx: own }), hasCode("NS_STORE_BUSY"));
  assert.equal(own.isTransaction, true);
  holder.exec("COMMIT");
  await store.enqueue([newJob()], { tx: own });
  own.exec("COMMIT");
  assert.equal((await countsOf(store)).ready, 1);
  for (const handle of [own, holder]) handle.close();
});

test("a handle that reads BigInts or rows as arrays by default is as good as any", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  await enqueueOne(store);
  for (const options of [{ readBigInts: true }, { returnArrays: true }]) {
    const own = new DatabaseSync(folder.file(), options);
    own.exec("CREATE TABLE IF NOT EXISTS customer (id INTEGER); BEGIN; INSERT INTO customer VALUES (1)");
    const [id = ""] = await store.enqueue([newJob({ name: Object.keys(options).join() })], { tx: own });
    const row: unknown = own.prepare("SELECT id FROM customer").get();
    assert.deepEqual(
      row,
      options.readBigInts ? { __proto__: null, id: 1n } : [1],
      "its own statements stay as they were",
    );
    own.exec("COMMIT; DELETE FROM customer");
    assert.equal((await store.getJob(id))?.name, Object.keys(options).join());
    own.close();
  }
  assert.equal((await countsOf(store)).ready, 3);
});

test("a handle that was closed and opened again can be used again", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const own = new DatabaseSync(folder.file());
  for (const ready of [1, 2]) {
    own.exec("BEGIN");
    await store.enqueue([newJob()], { tx: own });
    own.exec("COMMIT");
    assert.equal((await countsOf(store)).ready, ready);
    own.close();
    if (ready === 1) own.open();
  }
});
