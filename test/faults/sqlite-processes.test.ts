import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../src/testing/store-conformance/harness.ts";
import * as W from "../../src/testing/store-conformance/worker.ts";
import { TestFolder } from "../store/sqlite/files.ts";
import { acceptedBy, assertAllSucceededOnce, assertIntact, startOn } from "./sqlite-support.ts";

const kill = (child: ReturnType<typeof startOn>, signal: NodeJS.Signals) => {
  assert.ok(child.process.kill(signal));
  return child.ended;
};

test("jobs of a process that was killed are taken over at once, long before its time runs out", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const ids = await store.enqueue([W.newJob(), W.newJob()]);
  await using child = startOn(folder.file(), "hold", { ttl: 3_600_000 });
  await child.until(/holding/);
  assert.deepEqual(await store.rescue(10), []);
  await kill(child, "SIGKILL");
  const rescued = await store.rescue(10);
  assert.deepEqual(
    rescued.map(({ job, attempt, now }) => [job, attempt, now]),
    ids.map((id) => [id, 1, "ready"]),
  );
  assert.equal((await (await W.TestWorker.register(store)).claim()).jobs[0]?.attempt, 2);
  assert.deepEqual(await W.historyOf(store, ids[0] ?? ""), ["lost"]);
});

test("of a batch that was settled in part when its process was killed, only the rest runs again", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const ids = await store.enqueue(Array.from({ length: 5 }, () => W.newJob()));
  await using child = startOn(folder.file(), "hold", { settle: 2 });
  await child.until(/holding/);
  await kill(child, "SIGKILL");
  assert.deepEqual(
    (await store.rescue(10)).map(({ job }) => job),
    ids.slice(2),
  );
  assert.deepEqual([...(await store.statesOf(ids)).values()], ["succeeded", "succeeded", "ready", "ready", "ready"]);
});

test("a process frozen beyond its time finds its outcomes refused when it goes on", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const [id = ""] = await store.enqueue([W.newJob()]);
  await using child = startOn(folder.file(), "hold", { ttl: 300 });
  await child.until(/holding/);
  child.process.kill("SIGSTOP");
  await eventually("the rescue", async () => (await store.rescue(10)).length === 1);
  const worker = await W.TestWorker.register(store);
  const lease = await worker.claim();
  child.process.kill("SIGCONT");
  child.process.kill("SIGUSR2");
  await child.until(/refused 1 alive false/);
  assert.deepEqual(await worker.settle(lease, W.succeeded(id)), { refused: [] });
  assert.deepEqual(await W.historyOf(store, id), ["lost", "succeeded"]);
});

test("a job that kills every process it runs in is dead after so many, and its neighbours are not", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const poison = await W.enqueueOne(store, { maxCrashes: 3, maxAttempts: 100 });
  const neighbour = await W.enqueueOne(store, { maxCrashes: 10 });
  for (let crash = 1; crash <= 3; crash++) {
    await using child = startOn(folder.file(), "hold");
    await child.until(/holding/);
    await kill(child, "SIGKILL");
    const rescued = await store.rescue(10);
    assert.equal(rescued.find(({ job }) => job === poison)?.now, crash === 3 ? "dead" : "ready");
  }
  assert.deepEqual([await W.stateOf(store, poison), await W.stateOf(store, neighbour)], ["dead", "ready"]);
});

test("producers and workers killed in the middle of anything lose no accepted job and run none twice to success", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  const accepted: string[] = [];
  for (let round = 0; round < 4; round++) {
    await using producer = startOn(folder.file(), "produce", { batch: 1 + round * 7 });
    await using worker = startOn(folder.file(), "work", { limit: 10 });
    const enough = 150 + round * 61;
    await eventually(
      "work under way",
      () => acceptedBy(producer).length > enough && worker.output().includes("working"),
      60_000,
    );
    await kill(worker, "SIGKILL");
    await kill(producer, "SIGKILL");
    accepted.push(...acceptedBy(producer));
  }
  await using last = startOn(folder.file(), "work", { limit: 100, idle: 20 });
  await last.until(/done/, 60_000);
  await last.ended;
  await assertAllSucceededOnce(store, folder.file(), accepted);
  assertIntact(folder.file());
});

test("eight processes that open a new file at once, produce and work on it, account for every job", async () => {
  await using folder = new TestFolder();
  const children = Array.from({ length: 8 }, (_, n) =>
    n < 4
      ? startOn(folder.file(), "produce", { count: 200, batch: 1 + n * 5 })
      : startOn(folder.file(), "work", { limit: 15, idle: 200, ttl: 30_000 }),
  );
  try {
    for (const child of children) await child.until(/closed/, 90_000);
    const store = await folder.open();
    const accepted = children.flatMap(acceptedBy);
    assert.ok(accepted.length >= 800);
    await using last = startOn(folder.file(), "work", { idle: 10 });
    await last.until(/closed/, 60_000);
    await assertAllSucceededOnce(store, folder.file(), accepted);
    assert.equal(
      children.some((child) => /stale|expired|refused/.test(child.output())),
      false,
    );
    assertIntact(folder.file());
  } finally {
    for (const child of children) await child[Symbol.asyncDispose]();
  }
});
