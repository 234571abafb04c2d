/** Conformance: settling. */
import assert from "node:assert/strict";
import { type StoreHarness, storeTest } from "./harness.ts";
import * as W from "./worker.ts";

export function settling(harness: StoreHarness): void {
  storeTest(harness, "a job that succeeded is over, with its result and its history", async ({ store }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store, "shop@web-1");
    const lease = await worker.claim();
    assert.deepEqual(await worker.settle(lease, W.succeeded(id, '{"sent":true}')), { refused: [] });
    const job = await store.getJob(id);
    assert.deepEqual([job?.state, job?.result, job?.attempt, job?.instance], ["succeeded", '{"sent":true}', 1, null]);
    const [line, ...others] = job?.history ?? [];
    assert.deepEqual([line?.what, line?.attempt, line?.ms, line?.instance], ["succeeded", 1, 5, "shop@web-1"]);
    assert.deepEqual(others, []);
    assert.equal(job?.at, line?.at);
  });

  storeTest(harness, "a retry waits its time and counts up", async ({ store, passTime }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    await worker.settle(await worker.claim(), W.retried(id, 100, '{"message":"first"}'));
    assert.equal(await W.stateOf(store, id), "scheduled");
    assert.equal((await store.getJob(id))?.error, '{"message":"first"}');
    assert.equal((await store.promote(W.serving(), 10)).moved, 0);
    await passTime(100);
    assert.equal((await store.promote(W.serving(), 10)).moved, 1);
    assert.equal((await worker.claim()).jobs[0]?.attempt, 2);
  });

  storeTest(harness, "a retry without a wait is ready at once", async ({ store }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    await worker.settle(await worker.claim(), W.retried(id, 0));
    assert.equal((await worker.claim()).jobs[0]?.attempt, 2);
  });

  storeTest(harness, "a dead job keeps its error and is not claimed", async ({ store }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    await worker.settle(await worker.claim(), W.died(id, '{"message":"fatal"}'));
    const job = await store.getJob(id);
    assert.deepEqual([job?.state, job?.error, job?.result], ["dead", '{"message":"fatal"}', null]);
    assert.deepEqual(await worker.claimLeases(), []);
  });

  storeTest(harness, "a cancelled job is over, with the reason", async ({ store }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    await worker.settle(await worker.claim(), W.cancelled(id, "user left"));
    const job = await store.getJob(id);
    assert.deepEqual([job?.state, job?.history[0]?.error, job?.error], ["cancelled", "user left", null]);
  });

  storeTest(harness, "a snoozed attempt does not count, and is in the history", async ({ store, passTime }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    await worker.settle(await worker.claim(), W.snoozed(id, 50));
    assert.equal((await store.getJob(id))?.attempt, 0);
    await passTime(50);
    await store.promote(W.serving(), 10);
    assert.equal((await worker.claim()).jobs[0]?.attempt, 1);
    assert.deepEqual(await W.historyOf(store, id), ["snoozed"]);
  });

  storeTest(harness, "a released job is ready at its old place, uncounted and without history", async ({ store }) => {
    const [first] = await store.enqueue([W.newJob(), W.newJob()]);
    assert.ok(first !== undefined);
    const worker = await W.TestWorker.register(store);
    await worker.settle(await worker.claim(1), W.released(first));
    const lease = await worker.claim(1);
    assert.deepEqual([lease.jobs[0]?.id, lease.jobs[0]?.attempt], [first, 1]);
    assert.deepEqual(await W.historyOf(store, first), []);
  });

  storeTest(harness, "a lease may be settled in parts and ends with the last", async ({ store }) => {
    const ids = await store.enqueue([W.newJob(), W.newJob(), W.newJob()]);
    const [a, b, c] = ids as [string, string, string];
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim();
    assert.deepEqual(await worker.settle(lease, W.succeeded(b)), { refused: [] });
    assert.equal((await W.countsOf(store)).running, 2);
    assert.deepEqual(await worker.settle(lease, W.released(a), W.died(c)), { refused: [] });
    assert.deepEqual(await W.countsOf(store), { ready: 1, parked: 0, scheduled: 0, running: 0 });
    assert.deepEqual(await worker.settle(lease, W.succeeded(a)), { refused: [lease.id] });
    assert.equal(await W.stateOf(store, a), "ready");
  });

  storeTest(
    harness,
    "the same outcomes sent again are harmless, before and after the lease ended",
    async ({ store }) => {
      const [a, b] = (await store.enqueue([W.newJob(), W.newJob()])) as [string, string];
      const worker = await W.TestWorker.register(store);
      const lease = await worker.claim();
      for (let round = 0; round < 2; round++) {
        assert.deepEqual(await worker.settle(lease, W.succeeded(a)), { refused: [] });
      }
      for (let round = 0; round < 3; round++) {
        assert.deepEqual(await worker.settle(lease, W.succeeded(a), W.retried(b, 60_000)), { refused: [] });
      }
      assert.deepEqual([await W.historyOf(store, a), await W.historyOf(store, b)], [["succeeded"], ["retry"]]);
      assert.equal((await store.counts()).finished.succeeded, 1);
    },
  );

  storeTest(harness, "a lease of another instance, or of nobody, is refused whole", async ({ store }) => {
    const id = await W.enqueueOne(store);
    const owner = await W.TestWorker.register(store, "owner");
    const thief = await W.TestWorker.register(store, "thief");
    const lease = await owner.claim();
    assert.deepEqual(await thief.settle(lease, W.succeeded(id)), { refused: [lease.id] });
    for (const nobody of ["0", "999999", "no such"]) {
      assert.deepEqual(await owner.settle({ id: nobody }, W.succeeded(id)), { refused: [nobody] });
    }
    assert.equal(await W.stateOf(store, id), "running");
    assert.deepEqual(await owner.settle(lease, W.succeeded(id)), { refused: [] });
  });

  storeTest(harness, "a refused settlement does not touch the others of the call", async ({ store }) => {
    const [a, b] = (await store.enqueue([W.newJob(), W.newJob()])) as [string, string];
    const worker = await W.TestWorker.register(store);
    const first = await worker.claim(1);
    const second = await worker.claim(1);
    await worker.settle(first, W.succeeded(a));
    const settlements = [
      { lease: first.id, outcomes: [W.died(b)] },
      { lease: second.id, outcomes: [W.succeeded(b)] },
    ];
    assert.deepEqual(await store.settle(worker.instance, settlements), { refused: [first.id] });
    assert.equal(await W.stateOf(store, b), "succeeded");
  });

  storeTest(harness, "a job that the lease does not have is passed over", async (given) => {
    const { store } = given;
    const [a, b] = (await W.enqueueAll(given, [W.newJob(), W.newJob({ queue: "other" })])) as [string, string];
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim();
    assert.deepEqual(await worker.settle(lease, W.succeeded(b), W.succeeded(a), W.succeeded("999999")), {
      refused: [],
    });
    assert.deepEqual([await W.stateOf(store, a), await W.stateOf(store, b)], ["succeeded", "ready"]);
  });

  storeTest(
    harness,
    "an outcome with text that cannot be kept is refused, and nothing is written",
    async ({ store }) => {
      const [a, b] = (await store.enqueue([W.newJob(), W.newJob()])) as [string, string];
      const worker = await W.TestWorker.register(store);
      const lease = await worker.claim();
      await assert.rejects(worker.settle(lease, W.succeeded(a), W.succeeded(b, "\0")), W.hasCode("NS_OPTION_INVALID"));
      assert.equal(await W.stateOf(store, a), "running");
    },
  );

  storeTest(harness, "settling and claiming in one step does both", async ({ store }) => {
    const [a, b] = (await store.enqueue([W.newJob(), W.newJob()])) as [string, string];
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim(1);
    const request = { wants: [{ queue: "q", limit: 5 }], names: new Set(["a"]) };
    const settlements = [
      { lease: lease.id, outcomes: [W.retried(a, 0)] },
      { lease: "999999", outcomes: [W.succeeded(b)] },
    ];
    const step = await store.settleAndClaim(worker.instance, settlements, request);
    assert.deepEqual(step.refused, ["999999"]);
    assert.deepEqual(
      step.leases[0]?.jobs.map(({ id, attempt }) => [id, attempt]),
      [
        [a, 2],
        [b, 1],
      ],
    );
  });

  storeTest(harness, "handed back by reconciling: all but the leases that are held", async ({ store }) => {
    const [a, b] = (await store.enqueue([W.newJob(), W.newJob()])) as [string, string];
    const worker = await W.TestWorker.register(store);
    const kept = await worker.claim(1);
    const lost = await worker.claim(1);
    await store.reconcile(worker.instance, [kept.id]);
    assert.deepEqual([await W.stateOf(store, a), await W.stateOf(store, b)], ["running", "ready"]);
    assert.deepEqual(await worker.settle(lost, W.succeeded(b)), { refused: [lost.id] });
    assert.equal((await worker.claim()).jobs[0]?.attempt, 1);
    await store.reconcile("999999", []);
  });

  storeTest(harness, "results and errors of half a megabyte are kept as they are", async ({ store }) => {
    const [a, b] = (await store.enqueue([W.newJob(), W.newJob()])) as [string, string];
    const worker = await W.TestWorker.register(store);
    const text = JSON.stringify("ø".repeat(250_000));
    await worker.settle(await worker.claim(), W.succeeded(a, text), W.died(b, text));
    assert.equal((await store.getJob(a))?.result, text);
    assert.equal((await store.getJob(b))?.error, text);
  });
}
