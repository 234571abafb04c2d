/** Conformance: staying alive, vanishing, and being rescued. */
import assert from "node:assert/strict";
import { type StoreHarness, storeTest } from "./harness.ts";
import * as W from "./worker.ts";

export function rescuing(harness: StoreHarness): void {
  storeTest(harness, "a heartbeat keeps an instance and its leases alive", async ({ store, passTime, virtual }) => {
    // Where time is real only in part, a slow machine must not use it up.
    const ttl = virtual ? 40_000 : 400;
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store, "steady", ttl);
    const lease = await worker.claim();
    for (let round = 0; round < 4; round++) {
      assert.deepEqual(await store.heartbeat(worker.instance, ttl), { alive: true, cancelled: [] });
      await passTime(ttl * 0.4);
      assert.deepEqual(await store.rescue(100), []);
    }
    assert.deepEqual(await worker.settle(lease, W.succeeded(id)), { refused: [] });
  });

  storeTest(harness, "an instance whose time ran out is told so, and cannot revive", async ({ store, passTime }) => {
    const worker = await W.TestWorker.register(store);
    await worker.expire(passTime);
    assert.deepEqual(await store.heartbeat(worker.instance, W.LONG), { alive: false });
    assert.deepEqual(await store.heartbeat(worker.instance, W.LONG), { alive: false });
    assert.deepEqual(await store.heartbeat("no such", W.LONG), { alive: false });
  });

  storeTest(
    harness,
    "jobs of an expired instance are ready again, their attempt counted",
    async ({ store, passTime }) => {
      const [a, b] = (await store.enqueue([W.newJob(), W.newJob({ name: "b" })])) as [string, string];
      const lost = await W.TestWorker.register(store, "lost");
      const lease = await lost.claim();
      await lost.settle(lease, W.succeeded(a));
      await lost.expire(passTime);
      const rescued = await store.rescue(100);
      assert.deepEqual(rescued, [{ job: b, name: "b", queue: "q", attempt: 1, instance: "lost", now: "ready" }]);
      assert.deepEqual(await store.rescue(100), []);
      assert.equal((await store.counts()).retried, 1, "an attempt that is made again");
      assert.deepEqual(await store.listInstances(), []);
      const other = await W.TestWorker.register(store);
      assert.equal((await other.claim()).jobs[0]?.attempt, 2);
      assert.deepEqual([await W.historyOf(store, a), await W.historyOf(store, b)], [["succeeded"], ["lost"]]);
      assert.equal((await store.getJob(b))?.history[0]?.instance, "lost");
    },
  );

  storeTest(harness, "a zombie's outcomes are refused and leave no trace", async ({ store, passTime }) => {
    const id = await W.enqueueOne(store);
    const zombie = await W.TestWorker.register(store, "zombie");
    const lease = await zombie.claim();
    await zombie.expire(passTime);
    await store.rescue(100);
    const other = await W.TestWorker.register(store, "other");
    const second = await other.claim();
    for (const outcome of [
      W.succeeded(id),
      W.retried(id),
      W.died(id),
      W.released(id),
      W.snoozed(id),
      W.cancelled(id),
    ]) {
      assert.deepEqual(await zombie.settle(lease, outcome), { refused: [lease.id] });
    }
    assert.deepEqual(await W.historyOf(store, id), ["lost"]);
    assert.deepEqual(await other.settle(second, W.succeeded(id)), { refused: [] });
    assert.deepEqual(await zombie.settle(lease, W.died(id)), { refused: [lease.id] });
    assert.equal(await W.stateOf(store, id), "succeeded");
  });

  storeTest(harness, "an expired instance may settle until it is rescued", async ({ store, passTime }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim();
    await worker.expire(passTime);
    assert.deepEqual(await worker.settle(lease, W.succeeded(id)), { refused: [] });
    assert.deepEqual(await store.rescue(100), []);
    assert.deepEqual(await W.historyOf(store, id), ["succeeded"]);
  });

  storeTest(harness, "a job that keeps killing its workers is dead after its crashes", async ({ store, passTime }) => {
    const id = await W.enqueueOne(store, { maxCrashes: 2, maxAttempts: 50 });
    const neighbour = await W.enqueueOne(store, { maxCrashes: 50 });
    for (const now of ["ready", "dead"] as const) {
      const worker = await W.TestWorker.register(store, "poisoned");
      await worker.claim();
      await worker.expire(passTime);
      const rescued = await store.rescue(100);
      assert.deepEqual(rescued.find(({ job }) => job === id)?.now, now);
    }
    const job = await store.getJob(id);
    assert.deepEqual([job?.state, await W.historyOf(store, id)], ["dead", ["lost", "lost", "dead"]]);
    assert.match(job?.error ?? "", /NS_WORKER_LOST/);
    assert.equal(await W.stateOf(store, neighbour), "ready");
    const counts = await store.counts();
    assert.deepEqual([counts.finished.dead, counts.retried], [1, 3], "the last loss is not made again");
  });

  storeTest(harness, "a lost worker on the last attempt makes the job dead", async ({ store, passTime }) => {
    const id = await W.enqueueOne(store, { maxAttempts: 1 });
    const worker = await W.TestWorker.register(store);
    await worker.claim();
    await worker.expire(passTime);
    assert.equal((await store.rescue(100))[0]?.now, "dead");
    assert.equal(await W.stateOf(store, id), "dead");
  });

  storeTest(harness, "a lost job whose cancellation was asked for is cancelled", async ({ store, passTime }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    await worker.claim();
    await store.cancel([id], "user left");
    await worker.expire(passTime);
    assert.equal((await store.rescue(100))[0]?.now, "cancelled");
    assert.deepEqual(await W.historyOf(store, id), ["lost", "cancelled"]);
    assert.equal((await store.getJob(id))?.cancelRequested, null);
  });

  storeTest(
    harness,
    "a rescue takes at most the leases asked for, and goes on next time",
    async ({ store, passTime }) => {
      await store.enqueue([W.newJob(), W.newJob(), W.newJob()]);
      const worker = await W.TestWorker.register(store);
      for (let n = 0; n < 3; n++) await worker.claim(1);
      await worker.expire(passTime);
      assert.equal((await store.rescue(2)).length, 2);
      assert.equal((await store.rescue(2)).length, 1);
      assert.deepEqual(await store.rescue(2), []);
      assert.deepEqual(await store.listInstances(), []);
    },
  );

  storeTest(harness, "concurrent rescues share the work without doing it twice", async ({ store, passTime }) => {
    await store.enqueue(Array.from({ length: 40 }, () => W.newJob()));
    const worker = await W.TestWorker.register(store);
    for (let n = 0; n < 8; n++) await worker.claim(5);
    await worker.expire(passTime);
    const rescued = await Promise.all([store.rescue(3), store.rescue(100), store.rescue(100)]);
    const ids = rescued.flat().map(({ job }) => job);
    assert.deepEqual([ids.length, new Set(ids).size], [40, 40]);
    assert.equal((await W.countsOf(store)).ready, 40);
  });

  storeTest(harness, "who leaves hands its jobs back uncounted", async ({ store }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim();
    await store.deregister(worker.instance);
    await store.deregister(worker.instance);
    await store.deregister("no such");
    assert.deepEqual(await store.heartbeat(worker.instance, W.LONG), { alive: false });
    assert.deepEqual(await worker.settle(lease, W.succeeded(id)), { refused: [lease.id] });
    assert.equal((await (await W.TestWorker.register(store)).claim()).jobs[0]?.attempt, 1);
    assert.deepEqual(await W.historyOf(store, id), []);
  });

  storeTest(harness, "instances are listed with what they said and hold", async ({ store }) => {
    await store.enqueue([W.newJob(), W.newJob()]);
    const worker = await W.TestWorker.register(store, "shop@web-1");
    await worker.claim();
    const [instance, ...others] = await store.listInstances();
    assert.deepEqual(others, []);
    assert.ok(instance !== undefined);
    const { startedAt, expiresAt, ...rest } = instance;
    assert.deepEqual(rest, { ...W.newInstance("shop@web-1"), id: worker.instance, running: 2 });
    assert.ok(Math.abs(expiresAt - startedAt - W.LONG) < 5);
  });

  storeTest(harness, "instance ids are never used twice", async ({ store }) => {
    const seen = new Set<string>();
    for (let n = 0; n < 5; n++) {
      const { instance } = await W.TestWorker.register(store);
      assert.equal(seen.has(instance), false);
      seen.add(instance);
      await store.deregister(instance);
    }
  });

  storeTest(harness, "a step of the wall clock kills nobody and revives nobody", async ({ store, passTime, jump }) => {
    if (jump === null) return; // a store whose clock is its server's: nobody here can set it
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store, "steady", 60_000);
    const lease = await worker.claim();
    jump(3_600_000);
    assert.deepEqual(await store.rescue(100), []);
    assert.equal((await store.heartbeat(worker.instance, 60_000)).alive, true);
    jump(-7_200_000);
    await passTime(60_001);
    assert.equal((await store.heartbeat(worker.instance, 60_000)).alive, false);
    assert.equal((await store.rescue(100)).length, 1);
    assert.deepEqual(await worker.settle(lease, W.succeeded(id)), { refused: [lease.id] });
  });
}
