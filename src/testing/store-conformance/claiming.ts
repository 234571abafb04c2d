/** Conformance: claiming. */
import assert from "node:assert/strict";
import { type StoreHarness, storeTest } from "./harness.ts";
import {
  countsOf,
  enqueueAll,
  enqueueOne,
  hasCode,
  idsOf,
  newJob,
  released,
  serving,
  stateOf,
  succeeded,
  TestWorker,
} from "./worker.ts";

export function claiming(harness: StoreHarness): void {
  storeTest(harness, "a higher priority is claimed first, equal ones in the order of enqueueing", async ({ store }) => {
    const priorities = [0, 5, -5, 5, 0, 100, -100];
    const ids = await store.enqueue(priorities.map((priority) => newJob({ priority })));
    const worker = await TestWorker.register(store);
    const first = await worker.claim(3);
    const rest = await worker.claim(10);
    assert.deepEqual(
      idsOf([...first.jobs, ...rest.jobs]),
      [5, 1, 3, 0, 4, 2, 6].map((index) => ids[index]),
    );
  });

  storeTest(harness, "a claimed job is running and is not claimed again", async ({ store }) => {
    const id = await enqueueOne(store);
    const worker = await TestWorker.register(store, "one");
    await worker.claim();
    assert.equal(await stateOf(store, id), "running");
    assert.equal((await store.getJob(id))?.instance?.name, "one");
    assert.deepEqual(await (await TestWorker.register(store, "two")).claimLeases(), []);
    assert.deepEqual(await worker.claimLeases(), []);
  });

  storeTest(harness, "each queue gets a lease of its own, up to its own limit", async (given) => {
    const { store } = given;
    await enqueueAll(
      given,
      ["x", "x", "x", "y", "z"].map((queue) => newJob({ queue })),
    );
    const worker = await TestWorker.register(store);
    const wants = [
      { queue: "x", limit: 2 },
      { queue: "y", limit: 5 },
      { queue: "z", limit: 0 },
      { queue: "never used", limit: 5 },
    ];
    const leases = await store.claim(worker.instance, { wants, names: new Set(["a"]) });
    assert.deepEqual(
      leases.map(({ queue, jobs }) => [queue, jobs.length]),
      [
        ["x", 2],
        ["y", 1],
      ],
    );
    assert.equal(new Set(leases.map(({ id }) => id)).size, 2);
  });

  storeTest(harness, "wishes of one queue add up to one lease", async ({ store }) => {
    await store.enqueue([newJob(), newJob(), newJob(), newJob()]);
    const worker = await TestWorker.register(store);
    const want = { queue: "q", limit: 1 };
    const leases = await store.claim(worker.instance, { wants: [want, want, want], names: new Set(["a"]) });
    assert.deepEqual(
      leases.map(({ jobs }) => jobs.length),
      [3],
    );
  });

  storeTest(harness, "a limit that is not a whole number is refused", async ({ store }) => {
    const worker = await TestWorker.register(store);
    for (const limit of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const claim = store.claim(worker.instance, { wants: [{ queue: "q", limit }], names: new Set(["a"]) });
      await assert.rejects(claim, hasCode("NS_OPTION_INVALID"));
    }
  });

  storeTest(harness, "lease ids are never used twice", async ({ store }) => {
    const worker = await TestWorker.register(store);
    const seen = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const id = await enqueueOne(store);
      const lease = await worker.claim();
      assert.equal(seen.has(lease.id), false);
      seen.add(lease.id);
      await worker.settle(lease, round % 2 ? succeeded(id) : released(id));
      if (round % 2 === 0) await worker.settle(await worker.claim(), succeeded(id));
    }
  });

  storeTest(harness, "jobs of unknown names are parked and do not stand in the way", async ({ store }) => {
    const unknown = await store.enqueue(Array.from({ length: 30 }, () => newJob({ name: "unknown", priority: 9 })));
    const known = await enqueueOne(store);
    const worker = await TestWorker.register(store);
    assert.deepEqual(idsOf((await worker.claim(5)).jobs), [known]);
    const { ready, parked } = await countsOf(store);
    assert.deepEqual([ready, parked], [30, 30]);
    const job = await store.getJob(unknown[0] ?? "");
    assert.deepEqual([job?.state, job?.parked, job?.attempt], ["ready", true, 0]);
  });

  storeTest(harness, "a parked job is claimed after a promotion by a process that knows it", async ({ store }) => {
    const id = await enqueueOne(store, { name: "new" });
    const old = await TestWorker.register(store);
    assert.deepEqual(await old.claimLeases(), []);
    assert.equal((await store.promote(serving(["a"]), 100)).moved, 0);
    assert.equal((await store.promote(serving(["a", "new"]), 100)).moved, 1);
    const lease = await (await TestWorker.register(store)).claim(10, "q", ["new"]);
    assert.deepEqual([lease.jobs[0]?.id, lease.jobs[0]?.attempt], [id, 1]);
  });

  storeTest(
    harness,
    "a parked job stays parked for a process that knows it and does not serve its queue",
    async (given) => {
      const { store } = given;
      const id = await enqueueOne(store, { name: "new" });
      const old = await TestWorker.register(store);
      await old.claimLeases();
      assert.equal((await store.promote(serving(["new"], ["other", "unheard of"]), 100)).moved, 0);
      assert.equal((await store.promote(serving(["new"], []), 100)).moved, 0);
      assert.equal((await store.getJob(id))?.parked, true);
      assert.equal((await store.promote(serving(["new"], ["other", "q"]), 100)).moved, 1);
      assert.equal((await store.getJob(id))?.parked, false);
    },
  );

  storeTest(harness, "a paused queue gives nothing until it is resumed, and others go on", async (given) => {
    const { store } = given;
    await enqueueAll(given, [newJob(), newJob({ queue: "other" })]);
    const worker = await TestWorker.register(store);
    await store.pauseQueue("q", "deploy");
    assert.deepEqual(await worker.claimLeases(), []);
    assert.equal((await worker.claim(1, "other")).jobs.length, 1);
    await store.resumeQueue("q");
    assert.equal((await worker.claim()).jobs.length, 1);
  });

  storeTest(harness, "an instance that expired or never was gets nothing", async ({ store, passTime }) => {
    await enqueueOne(store);
    const worker = await TestWorker.register(store);
    await worker.expire(passTime);
    assert.deepEqual(await worker.claimLeases(), []);
    const request = { wants: [{ queue: "q", limit: 1 }], names: new Set(["a"]) };
    for (const instance of ["0", "999999", "no such", ""]) assert.deepEqual(await store.claim(instance, request), []);
    assert.equal((await countsOf(store)).ready, 1);
  });

  storeTest(harness, "concurrent claims never give a job twice", async ({ store }) => {
    const ids = await store.enqueue(Array.from({ length: 200 }, () => newJob()));
    const workers = await Promise.all([1, 2, 3, 4].map((n) => TestWorker.register(store, `w${n}`)));
    const claims = await Promise.all(
      workers.flatMap((worker) => Array.from({ length: 10 }, () => worker.claimLeases(5))),
    );
    const claimed = claims.flat().flatMap(({ jobs }) => idsOf(jobs));
    assert.deepEqual(claimed.toSorted(), ids.toSorted());
  });
}
