/** What the file says of itself: a log that cannot be taken in, room that is not used. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { findings } from "../../../src/store/sqlite/condition.ts";
import { Connection } from "../../../src/store/sqlite/connection.ts";
import { newJob, succeeded, TestWorker } from "../../../src/testing/store-conformance/worker.ts";
import { TestFolder } from "./files.ts";

test("a log that grows because somebody reads an old moment is found, and so is much free room", async () => {
  await using folder = new TestFolder();
  const store = await folder.open({ durability: "normal" });
  assert.deepEqual(await store.findings(), []);
  const reader = new DatabaseSync(folder.file());
  reader.exec("BEGIN; SELECT count(*) FROM nightshift_job");
  const input = JSON.stringify("x".repeat(20_000));
  for (let n = 0; n < 10; n++) await store.enqueue(Array.from({ length: 50 }, () => newJob({ input })));
  const look = (log: number, free: number) => {
    const on = new Connection(reader);
    return findings({ on, nameOf: () => "" }, folder.file(), { log, free }).map(({ what }) => what);
  };
  assert.deepEqual(look(8_000_000, 1), ["large log"]);
  reader.exec("COMMIT");
  reader.exec("DELETE FROM nightshift_job; DELETE FROM nightshift_ready");
  assert.deepEqual(look(1e12, 1_000_000), ["free pages"]);
  assert.deepEqual(look(1e12, 1e12), []);
  reader.close();
});

test("history whose job is gone is found by the check, with the job's id", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const [, gone = ""] = await store.enqueue([newJob(), newJob()]);
  const worker = await TestWorker.register(store);
  const lease = await worker.claim();
  await worker.settle(lease, ...lease.jobs.map(({ id }) => succeeded(id)));
  assert.deepEqual((await store.verify()).findings, []);
  const raw = new DatabaseSync(folder.file());
  raw.prepare("DELETE FROM nightshift_job WHERE id = ?").run(Number(gone));
  raw.close();
  const { jobs, findings: found } = await store.verify();
  assert.equal(jobs, 1);
  assert.deepEqual(
    found.map(({ what, severity, details }) => [what, severity, details["examples"]]),
    [["history without job", "damage", [gone]]],
  );
});
