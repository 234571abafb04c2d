/** Conformance: promotion, cancellation, retry by hand, pausing, retention. */
import assert from "node:assert/strict";
import type { Outcome } from "../../store/contract.ts";
import { type StoreHarness, storeTest } from "./harness.ts";
import * as W from "./worker.ts";

export function controlling(harness: StoreHarness): void {
  storeTest(
    harness,
    "due jobs become ready, at most as many as asked for, and the next time is told",
    async (given) => {
      const { store, passTime } = given;
      const now = await store.now();
      const later = now + 3_600_000;
      await store.enqueue([500, 500, 500].map((wait) => W.newJob({ due: { in: wait } })));
      await W.enqueueOne(store, { due: { at: later } });
      const early = await store.promote(W.serving(), 10);
      assert.equal(early.moved, 0);
      assert.ok(early.nextAt !== null && early.nextAt >= now + 500 && early.nextAt < later);
      await passTime(510);
      const first = await store.promote(W.serving(), 2);
      assert.equal(first.moved, 2);
      assert.ok(first.nextAt !== null && first.nextAt <= (await store.now()));
      assert.deepEqual(await store.promote(W.serving(), 2), { moved: 1, nextAt: later });
      assert.deepEqual(await W.countsOf(store), { ready: 3, parked: 0, scheduled: 1, running: 0 });
    },
  );

  storeTest(harness, "without scheduled jobs there is no next time", async ({ store }) => {
    assert.deepEqual(await store.promote(W.serving(["a"]), 10), { moved: 0, nextAt: null });
  });

  storeTest(harness, "concurrent promotions move each job once", async ({ store, passTime }) => {
    await store.enqueue(Array.from({ length: 50 }, () => W.newJob({ due: { in: 1 } })));
    await passTime(10);
    const moved = await Promise.all([1, 2, 3, 4].map(() => store.promote(W.serving(), 30)));
    assert.equal(
      moved.reduce((sum, promoted) => sum + promoted.moved, 0),
      50,
    );
    assert.equal((await (await W.TestWorker.register(store)).claim(100)).jobs.length, 50);
  });

  storeTest(harness, "cancelling tells what became of each job", async ({ store }) => {
    const waiting = await W.enqueueOne(store, { queue: "x" });
    const scheduled = await W.enqueueOne(store, { due: { in: 60_000 } });
    const parked = await W.enqueueOne(store, { name: "unknown" });
    const [over, running] = (await store.enqueue([W.newJob(), W.newJob()])) as [string, string];
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim();
    await worker.settle(lease, W.succeeded(over));
    const ids = [waiting, scheduled, parked, over, running, "999999", "no such", "-1", "9007199254740993"];
    const cancelled = "cancelled" as const;
    const expected = [
      cancelled,
      cancelled,
      cancelled,
      "final",
      "requested",
      "missing",
      "missing",
      "missing",
      "missing",
    ];
    assert.deepEqual(await store.cancel(ids, "user left"), expected);
    for (const id of [waiting, scheduled, parked]) {
      assert.equal(await W.stateOf(store, id), "cancelled");
      const [line] = (await store.getJob(id))?.history ?? [];
      assert.deepEqual([line?.what, line?.error, line?.attempt], ["cancelled", "user left", 0]);
    }
    assert.deepEqual(await W.countsOf(store), { ready: 0, parked: 0, scheduled: 0, running: 1 });
    assert.equal((await store.counts()).finished.cancelled, 3);
    assert.deepEqual(await store.heartbeat(worker.instance, W.LONG), {
      alive: true,
      cancelled: [{ job: running, reason: "user left" }],
    });
    assert.equal((await store.getJob(running))?.cancelRequested, "user left");
  });

  for (const [type, outcome] of [
    ["retried", W.retried("", 1_000)],
    ["snoozed", W.snoozed("", 1_000)],
    ["released", W.released("")],
  ] as const) {
    storeTest(harness, `a job to be cancelled that is ${type} becomes cancelled instead`, async ({ store }) => {
      const id = await W.enqueueOne(store);
      const worker = await W.TestWorker.register(store);
      const lease = await worker.claim();
      await store.cancel([id], "stop it");
      await worker.settle(lease, { ...outcome, job: id });
      const job = await store.getJob(id);
      assert.deepEqual([job?.state, job?.cancelRequested, job?.history.at(-1)?.error], ["cancelled", null, "stop it"]);
      assert.deepEqual(await store.heartbeat(worker.instance, W.LONG), { alive: true, cancelled: [] });
      assert.deepEqual(await worker.claimLeases(), []);
    });
  }

  storeTest(harness, "a job to be cancelled that ends otherwise keeps its own end", async ({ store }) => {
    const [a, b] = (await store.enqueue([W.newJob(), W.newJob()])) as [string, string];
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim();
    await store.cancel([a, b], "too late");
    await worker.settle(lease, W.succeeded(a), W.died(b));
    assert.deepEqual([await W.stateOf(store, a), await W.stateOf(store, b)], ["succeeded", "dead"]);
    assert.equal((await store.getJob(a))?.cancelRequested, null);
  });

  storeTest(harness, "who leaves with jobs to be cancelled leaves them cancelled", async ({ store }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    await worker.claim();
    await store.cancel([id], "stop it");
    await store.deregister(worker.instance);
    assert.equal(await W.stateOf(store, id), "cancelled");
  });

  storeTest(
    harness,
    "a final job that is retried by hand goes on counting, with one attempt more",
    async ({ store }) => {
      const id = await W.enqueueOne(store, { maxAttempts: 1 });
      const worker = await W.TestWorker.register(store);
      await worker.settle(await worker.claim(), W.died(id, '{"message":"first"}'));
      assert.deepEqual(await store.retry([id, "999999", "no such"]), [id]);
      assert.deepEqual(await store.retry([id]), []);
      const waiting = await store.getJob(id);
      assert.deepEqual([waiting?.state, waiting?.attempt, waiting?.maxAttempts], ["ready", 1, 2]);
      const lease = await worker.claim();
      assert.deepEqual([lease.jobs[0]?.attempt, lease.jobs[0]?.maxAttempts], [2, 2]);
      await worker.settle(lease, W.succeeded(id));
      assert.deepEqual(await W.historyOf(store, id), ["dead", "requeued", "succeeded"]);
      const { finished } = await store.counts();
      assert.deepEqual([finished.dead, finished.succeeded], [1, 1]);
    },
  );

  storeTest(harness, "succeeded and cancelled jobs can be retried by hand too", async ({ store }) => {
    const [a, b] = (await store.enqueue([W.newJob(), W.newJob()])) as [string, string];
    await store.cancel([b], "no");
    const worker = await W.TestWorker.register(store);
    await worker.settle(await worker.claim(), W.succeeded(a));
    assert.deepEqual(await store.retry([b, a]), [b, a]);
    const jobs = (await worker.claim()).jobs.map(({ id, attempt, maxAttempts }) => [id, attempt, maxAttempts]);
    assert.deepEqual(jobs, [
      [a, 2, 5],
      [b, 1, 5],
    ]);
  });

  storeTest(harness, "a scheduled job can be run now, any other not", async ({ store }) => {
    const scheduled = await W.enqueueOne(store, { due: { in: 3_600_000 } });
    const ready = await W.enqueueOne(store);
    assert.deepEqual(await store.runNow([scheduled, ready, "999999"]), [scheduled]);
    assert.deepEqual(W.idsOf((await (await W.TestWorker.register(store)).claim()).jobs), [scheduled, ready]);
  });

  storeTest(harness, "pausing is told with its reason, and pausing again replaces it", async ({ store }) => {
    await store.pauseQueue("q", "deploy");
    await store.pauseQueue("q");
    const paused = () => store.counts().then(({ queues }) => queues.find(({ queue }) => queue === "q")?.paused ?? null);
    assert.equal((await paused())?.reason, null);
    await store.pauseQueue("q", "incident");
    assert.equal((await paused())?.reason, "incident");
    await store.resumeQueue("q");
    await store.resumeQueue("never paused");
    assert.equal(await paused(), null);
  });

  storeTest(harness, "what has no name, no end, or cannot be kept is refused", async ({ store }) => {
    const long = "x".repeat(300);
    for (const call of [
      () => store.pauseQueue(""),
      () => store.pauseQueue("q", "half a pair: \ud800"),
      () => store.cancel([], "\0"),
      () => store.sweep(0, 10),
      () => store.register(W.newInstance("w"), 0),
      () => store.register(W.newInstance(long), 60_000),
      () => store.campaign("", "me", 60_000),
      () => store.campaign("r", long, 60_000),
      () => store.campaign("r", "me", -1),
      () => store.saveCalendar("", "{}"),
      () => store.saveCalendar("c", "\0"),
    ]) {
      await assert.rejects(call, W.hasCode("NS_OPTION_INVALID"), String(call));
    }
    assert.deepEqual((await store.counts()).queues, []);
  });

  storeTest(harness, "running jobs of a paused queue go on, and are settled", async ({ store }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim();
    await store.pauseQueue("q");
    assert.deepEqual(await worker.settle(lease, W.retried(id)), { refused: [] });
    assert.deepEqual(await worker.claimLeases(), []);
  });

  storeTest(harness, "retention removes old finished jobs of each state, and nothing else", async (given) => {
    const { store, passTime } = given;
    const ids = (await store.enqueue(Array.from({ length: 6 }, () => W.newJob()))) as [string, string, ...string[]];
    const [dead = "", done = "", again = "", running = ""] = ids;
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim(4);
    await worker.settle(lease, W.died(dead), W.succeeded(done), W.died(again));
    await store.retry([again]);
    await passTime(50);
    assert.equal(await store.prune({ succeeded: 3_600_000 }, 100), 0);
    assert.equal(await store.prune({ succeeded: 10 }, 100), 1);
    assert.deepEqual([await store.getJob(done), await W.stateOf(store, dead)], [null, "dead"]);
    assert.equal(await store.prune({ dead: 10, cancelled: 10 }, 100), 1);
    assert.equal((await store.statesOf(ids)).size, 4);
    assert.equal(await W.stateOf(store, running), "running");
    assert.deepEqual(await W.historyOf(store, again), ["dead", "requeued"]);
    assert.deepEqual((await store.counts()).finished, { succeeded: 1, dead: 2, cancelled: 0 });
  });

  storeTest(
    harness,
    "retention goes in slices, and what is finished later is found later",
    async ({ store, passTime }) => {
      const worker = await W.TestWorker.register(store);
      const finish = async (count: number) => {
        await store.enqueue(Array.from({ length: count }, () => W.newJob()));
        const lease = await worker.claim(count);
        await worker.settle(lease, ...lease.jobs.map(({ id }, n) => (n % 3 ? W.succeeded(id) : W.cancelled(id))));
        await passTime(30);
      };
      const pruneAll = async () => {
        const slices: number[] = [];
        for (
          let n = await store.prune({ succeeded: 5, cancelled: 5 }, 4);
          n > 0;
          n = await store.prune({ succeeded: 5, cancelled: 5 }, 4)
        ) {
          slices.push(n);
        }
        return slices;
      };
      await finish(9);
      assert.deepEqual(await pruneAll(), [4, 4, 1]);
      await finish(6);
      assert.deepEqual(await pruneAll(), [4, 2]);
    },
  );

  storeTest(
    harness,
    "retention by count keeps the newest of each state, also of those that ended at once",
    async (given) => {
      const { store, passTime } = given;
      const worker = await W.TestWorker.register(store);
      const finish = async (count: number, end: (id: string) => Outcome) => {
        await store.enqueue(Array.from({ length: count }, () => W.newJob()));
        const lease = await worker.claim(count);
        await worker.settle(lease, ...lease.jobs.map(({ id }) => end(id)));
        await passTime(5);
        return W.idsOf(lease.jobs);
      };
      const first = await finish(6, W.succeeded);
      const dead = await finish(4, (id) => W.died(id));
      const second = await finish(5, W.succeeded);
      const kept = async (ids: readonly string[]) => (await store.statesOf(ids)).size;
      const keep = { succeeded: { count: 7 }, dead: { count: 3, age: W.LONG } };
      assert.equal(await store.prune(keep, 3), 3);
      while ((await store.prune(keep, 3)) > 0);
      assert.deepEqual([await kept(first), await kept(dead), await kept(second)], [2, 3, 5]);
      const [again = ""] = second;
      await store.retry([again]);
      await passTime(5);
      await finish(1, W.succeeded);
      for (let n = 0; n < 3; n++) await store.prune(keep, 100);
      assert.deepEqual([await kept(first), await kept(second)], [2, 5], "the one that was retried is the newest now");
      await store.prune({ succeeded: { count: 5, age: 1 } }, 100);
      assert.deepEqual([await kept(first), await kept(second)], [0, 0], "the age goes first");
      await assert.rejects(store.prune({ dead: { count: -1 } }, 1), W.hasCode("NS_OPTION_INVALID"));
    },
  );

  storeTest(
    harness,
    "sweeping forgets old minutes and ended terms, keeps totals, and no token comes back",
    async (given) => {
      const { store, passTime } = given;
      const id = await W.enqueueOne(store);
      const worker = await W.TestWorker.register(store);
      await worker.settle(await worker.claim(), W.succeeded(id));
      const term = await store.campaign("role", "a", 1);
      assert.equal(await store.sweep(W.LONG, 100), 0);
      await passTime(10);
      if (given.virtual) {
        await passTime(120_000);
        const points = async () =>
          store.throughput((await store.now()) - 600_000, (await store.now()) + 60_000, 60_000);
        assert.equal(
          (await points()).some(({ succeeded }) => succeeded > 0),
          true,
        );
        await store.rescue(10); // upkeep of every process: a store may gather counts until then
        assert.ok((await store.sweep(5, 100)) > 0);
        assert.equal(
          (await points()).some(({ succeeded }) => succeeded > 0),
          false,
        );
      } else await store.sweep(5, 100);
      assert.equal((await store.counts()).finished.succeeded, 1);
      assert.equal((await store.getJob(id))?.state, "succeeded");
      const next = await store.campaign("role", "b", 1_000);
      assert.ok(next !== null && next.token !== term?.token);
    },
  );

  storeTest(harness, "the id of a pruned job is not given out again", async ({ store, passTime }) => {
    const worker = await W.TestWorker.register(store);
    const seen = new Set<string>();
    for (let round = 0; round < 4; round++) {
      const id = await W.enqueueOne(store);
      assert.equal(seen.has(id), false);
      seen.add(id);
      await worker.settle(await worker.claim(), W.succeeded(id));
      await passTime(5);
      assert.equal(await store.prune({ succeeded: 1 }, 10), 1);
    }
  });
}
