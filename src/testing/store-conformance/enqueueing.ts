/** Conformance: accepting jobs. */
import assert from "node:assert/strict";
import type { NewJob } from "../../store/contract.ts";
import { type StoreHarness, storeTest } from "./harness.ts";
import { countsOf, enqueueAll, enqueueOne, hasCode, idsOf, newJob, stateOf, TestWorker } from "./worker.ts";

export function enqueueing(harness: StoreHarness): void {
  storeTest(harness, "an accepted job is ready, and comes to a worker as it was given", async ({ store }) => {
    const body = newJob({ priority: -3, input: '{"to":"ø 🚀 ﷽ \\u0000"}', meta: '{"trace":"1"}', maxAttempts: 7 });
    const before = await store.now();
    const [id] = await store.enqueue([body]);
    assert.ok(id !== undefined);
    assert.equal(await stateOf(store, id), "ready");
    const lease = await (await TestWorker.register(store)).claim();
    const [job] = lease.jobs;
    assert.ok(job !== undefined);
    const { createdAt, ...rest } = job;
    const { name, priority, input, meta, maxAttempts } = body;
    assert.deepEqual(rest, { id, name, priority, input, meta, attempt: 1, maxAttempts });
    assert.ok(createdAt >= before - 1 && createdAt <= (await store.now()));
  });

  storeTest(harness, "a job without meta comes without meta", async ({ store }) => {
    await enqueueOne(store);
    const [job] = (await (await TestWorker.register(store)).claim()).jobs;
    assert.equal(job !== undefined && "meta" in job, false);
  });

  storeTest(harness, "many jobs of several queues get distinct ids in the order given", async (given) => {
    const { store } = given;
    const isOdd = (n: number) => Math.floor(n / 100) % 2 === 1;
    const jobs = Array.from({ length: 1_000 }, (_, n) =>
      newJob({ queue: isOdd(n) ? "odd" : "even", input: String(n) }),
    );
    const ids = await enqueueAll(given, jobs);
    assert.equal(new Set(ids).size, 1_000);
    const worker = await TestWorker.register(store);
    const even = await worker.claim(1_000, "even");
    assert.deepEqual(
      even.jobs.map(({ input }) => Number(input)),
      jobs.flatMap((_, n) => (isOdd(n) ? [] : [n])),
    );
    assert.deepEqual(
      idsOf(even.jobs),
      ids.filter((_, n) => !isOdd(n)),
    );
  });

  storeTest(harness, "enqueueing nothing gives nothing", async ({ store }) => {
    assert.deepEqual(await store.enqueue([]), []);
  });

  storeTest(harness, "a job due later is scheduled, by a wait or by an instant", async ({ store }) => {
    const now = await store.now();
    const waits = await enqueueOne(store, { due: { in: 60_000 } });
    const instant = await enqueueOne(store, { due: { at: now + 90_000 } });
    assert.equal(await stateOf(store, waits), "scheduled");
    assert.equal((await store.getJob(instant))?.at, now + 90_000);
    assert.deepEqual(await countsOf(store), { ready: 0, parked: 0, scheduled: 2, running: 0 });
  });

  storeTest(harness, "a time that has passed means at once", async ({ store }) => {
    const now = await store.now();
    const past = await enqueueOne(store, { due: { at: now - 1_000 } });
    const negative = await enqueueOne(store, { due: { in: -1_000 } });
    assert.equal(await stateOf(store, past), "ready");
    assert.equal(await stateOf(store, negative), "ready");
  });

  storeTest(harness, "times beyond 2038 and up to the last date are kept exactly", async ({ store }) => {
    for (const at of [2_147_483_648_000, Date.parse("9999-12-31T23:59:59.999Z")]) {
      const id = await enqueueOne(store, { due: { at } });
      assert.equal((await store.getJob(id))?.at, at);
    }
  });

  const refused: readonly (readonly [string, Partial<NewJob>])[] = [
    ["an empty name", { name: "" }],
    ["an empty queue", { queue: "" }],
    ["a name that is too long", { name: "x".repeat(256) }],
    ["a NUL character in the input", { input: "a\0b" }],
    ["a NUL character in the name", { name: "a\0b" }],
    ["a NUL character in the meta", { meta: "a\0b" }],
    ["half a surrogate pair", { input: "\ud800" }],
    ["a priority out of range", { priority: 101 }],
    ["a priority that is not whole", { priority: 0.5 }],
    ["no attempt at all", { maxAttempts: 0 }],
    ["no crash at all", { maxCrashes: 0 }],
    ["a wait that is not a number", { due: { in: Number.NaN } }],
    ["an instant beyond the last date", { due: { at: 8_640_000_000_000_001 } }],
  ];
  for (const [what, overrides] of refused) {
    storeTest(harness, `${what} is refused at enqueue`, async ({ store }) => {
      await assert.rejects(store.enqueue([newJob(overrides)]), hasCode("NS_OPTION_INVALID"));
      assert.deepEqual(await countsOf(store), { ready: 0, parked: 0, scheduled: 0, running: 0 });
    });
  }

  storeTest(harness, "of many jobs with one bad one none is kept, and the error names its index", async ({ store }) => {
    const jobs = Array.from({ length: 5_000 }, (_, n) => newJob(n === 2_501 ? { queue: "" } : {}));
    await assert.rejects(store.enqueue(jobs), /job 2501: queue/);
    assert.equal((await countsOf(store)).ready, 0);
  });

  storeTest(harness, "concurrent calls share a turn, and each fails or succeeds on its own", async ({ store }) => {
    const calls = Array.from({ length: 50 }, (_, n) => store.enqueue([newJob(n === 20 ? { priority: 1_000 } : {})]));
    const results = await Promise.allSettled(calls);
    const failed = results.flatMap(({ status }, n) => (status === "rejected" ? [n] : []));
    assert.deepEqual(failed, [20]);
    assert.equal((await countsOf(store)).ready, 49);
  });

  storeTest(harness, "what is no transaction is refused as tx", async ({ store }) => {
    for (const tx of [{}, 1, "tx", null]) {
      await assert.rejects(store.enqueue([newJob()], { tx }), hasCode("NS_STORE_TX"));
    }
    assert.equal((await countsOf(store)).ready, 0);
  });

  storeTest(harness, "names that look like code are only names", async ({ store }) => {
    const worker = await TestWorker.register(store);
    for (const name of ["__proto__", "constructor", "'; DROP TABLE jobs; --", '"', "%_", "日本語", "a\nb"]) {
      const id = await enqueueOne(store, { name, queue: name });
      const lease = await worker.claim(1, name, [name]);
      assert.deepEqual([lease.queue, lease.jobs[0]?.name, lease.jobs[0]?.id], [name, name, id]);
    }
  });
}
