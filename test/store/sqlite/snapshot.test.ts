/** A moment of the file that a process reads on between two commits of one turn, and what others do to the file meanwhile. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Store } from "../../../src/store/contract.ts";
import { eventually } from "../../../src/testing/store-conformance/harness.ts";
import { countsOf, enqueueOne, newJob, succeeded, TestWorker } from "../../../src/testing/store-conformance/worker.ts";
import { TestFolder } from "./files.ts";

/** Enqueues one after the other until the process keeps its place in the log between two commits, which an empty log shows. */
async function untilPlaceIsKept(store: Store, other: DatabaseSync): Promise<void> {
  await eventually("a place that is kept between two commits", async () => {
    for (let n = 0; n < 3; n++) await enqueueOne(store);
    return !canEmptyTheLog(other);
  });
}

function canEmptyTheLog(other: DatabaseSync): boolean {
  return other.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 0;
}

test("who writes one by one keeps a place in the log from commit to commit, and nothing once the turn is over", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ durability: "normal" });
  const other = new DatabaseSync(folder.file());
  await untilPlaceIsKept(store, other);
  await new Promise(setImmediate);
  assert.equal(canEmptyTheLog(other), true);
  other.close();
});

test("a commit of somebody else between two commits of a turn is seen, and no id is given twice", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ durability: "normal" });
  const other = new DatabaseSync(folder.file());
  const ids: number[] = [];
  for (let n = 0; n < 20; n++) {
    await untilPlaceIsKept(store, other);
    other.exec("BEGIN IMMEDIATE");
    const between = store.enqueue([newJob()], { tx: other });
    other.exec("COMMIT");
    const after = store.enqueue([newJob()]);
    ids.push(...[...(await between), ...(await after)].map(Number));
  }
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(ids).size, 40);
  other.close();
});

test("a process that opens the file between two commits of a turn hears of the next one", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ durability: "normal" });
  const other = new DatabaseSync(folder.file());
  await untilPlaceIsKept(store, other);
  other.close();
  const second = await folder.open({ pollInterval: 60_000 });
  const heard = new EventEmitter();
  using _ = second.subscribe(() => heard.emit("wake"));
  const wake = once(heard, "wake");
  await enqueueOne(store);
  await wake;
});

/** What somebody else may do; what is not allowed while the file is open is an error of theirs alone. */
const others: readonly ((other: DatabaseSync, folder: TestFolder) => void)[] = [
  (other) => other.exec("CREATE TABLE own (a)"),
  (other) =>
    other.exec("ALTER TABLE nightshift_job ADD COLUMN later TEXT; CREATE INDEX later ON nightshift_job (later)"),
  (other) => other.exec("VACUUM"),
  (other, folder) => other.exec(`VACUUM INTO '${folder.file("copy.db")}'`),
  (other) => other.exec("BEGIN EXCLUSIVE; COMMIT"),
  (other) => void other.prepare("PRAGMA wal_checkpoint(RESTART)").get(),
  (other) => void other.prepare("PRAGMA wal_checkpoint(PASSIVE)").get(),
  (other) => assert.throws(() => other.exec("PRAGMA journal_mode = DELETE"), /locked/),
];

test("a new schema, a copy, a vacuum or a checkpoint by somebody else between two commits of a turn costs no job", async () => {
  for (const act of others) {
    await using folder = new TestFolder();
    const store = await folder.open({ durability: "normal" });
    const other = new DatabaseSync(folder.file());
    await untilPlaceIsKept(store, other);
    act(other, folder);
    await store.enqueue([newJob()]);
    const last = await enqueueOne(store);
    const worker = await TestWorker.register(store, "w");
    const lease = await worker.claim();
    assert.deepEqual(
      lease.jobs.map(({ id }) => Number(id)),
      Array.from({ length: Number(last) }, (_, n) => n + 1),
    );
    await worker.settle(lease, ...lease.jobs.map(({ id }) => succeeded(id)));
    assert.equal((await countsOf(store)).ready, 0);
    assert.deepEqual((await store.verify()).findings, []);
    await eventually("a log that can be emptied", () => canEmptyTheLog(other));
    other.close();
  }
});

test("what was written in a turn is read in it, though the writer reads on an older moment", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ durability: "normal" });
  const other = new DatabaseSync(folder.file());
  await untilPlaceIsKept(store, other);
  const before = (await countsOf(store)).ready;
  const id = await enqueueOne(store);
  assert.equal((await store.getJob(id))?.state, "ready");
  assert.equal((await countsOf(store)).ready, before + 1);
  other.close();
});
