/** Conformance: storing jobs and claiming in one commit. */
import assert from "node:assert/strict";
import type { ClaimRequest, Wake } from "../../store/contract.ts";
import { type StoreHarness, storeTest } from "./harness.ts";
import {
  countsOf,
  enqueueOne,
  hasCode,
  historyOf,
  idsOf,
  LONG,
  newJob,
  stateOf,
  succeeded,
  TestWorker,
} from "./worker.ts";

const wanting = (limit: number, queue = "q"): ClaimRequest => ({
  wants: [{ queue, limit }],
  names: new Set(["a", "b"]),
});

export function direct(harness: StoreHarness): void {
  storeTest(
    harness,
    "an instance that is told that it expired keeps no other one of its process from it",
    async (given) => {
      const { store, passTime } = given;
      const gone = await TestWorker.register(store, "gone");
      await gone.expire(passTime);
      const other = await TestWorker.register(store, "other");
      assert.deepEqual(await store.heartbeat(gone.instance, LONG), { alive: false });
      const { leases } = await store.enqueueAndClaim([newJob()], other.instance, wanting(1));
      assert.equal(leases[0]?.jobs.length, 1);
    },
  );

  storeTest(harness, "a job is stored and claimed in one commit, as its first attempt", async ({ store }) => {
    const worker = await TestWorker.register(store, "one");
    const job = newJob({ input: '{"n":1}', meta: '{"m":2}', priority: 3 });
    const { ids, leases } = await store.enqueueAndClaim([job], worker.instance, wanting(1));
    const [id = ""] = ids;
    const [lease] = leases;
    assert.ok(lease !== undefined);
    const { createdAt, ...claimed } = lease.jobs[0] ?? { createdAt: 0 };
    const { name, input, meta, priority, maxAttempts } = job;
    assert.deepEqual(claimed, { id, name, input, meta, priority, attempt: 1, maxAttempts });
    assert.ok(createdAt > 0);
    assert.equal(await stateOf(store, id), "running");
    assert.deepEqual(await countsOf(store), { ready: 0, parked: 0, scheduled: 0, running: 1 });
    assert.deepEqual(await worker.settle(lease, succeeded(id)), { refused: [] });
    assert.deepEqual(await historyOf(store, id), ["succeeded"]);
  });

  storeTest(harness, "older jobs and those of a higher priority go before the one just stored", async ({ store }) => {
    const older = await enqueueOne(store);
    const higher = await enqueueOne(store, { priority: 1 });
    const worker = await TestWorker.register(store);
    const { ids, leases } = await store.enqueueAndClaim([newJob()], worker.instance, wanting(2));
    assert.deepEqual(idsOf(leases.flatMap(({ jobs }) => jobs)), [higher, older]);
    assert.equal(await stateOf(store, ids[0] ?? ""), "ready");
    assert.deepEqual(idsOf((await worker.claim()).jobs), ids);
  });

  storeTest(harness, "jobs beyond the limit, of unknown names and for later are stored and wait", async ({ store }) => {
    const worker = await TestWorker.register(store);
    const jobs = [newJob(), newJob(), newJob({ name: "unknown", priority: 9 }), newJob({ due: { in: LONG } })];
    const { ids, leases } = await store.enqueueAndClaim(jobs, worker.instance, wanting(1));
    assert.deepEqual(idsOf(leases[0]?.jobs ?? []), [ids[0]]);
    assert.deepEqual(await countsOf(store), { ready: 2, parked: 1, scheduled: 1, running: 1 });
  });

  storeTest(harness, "who can claim nothing has stored the jobs all the same", async ({ store, passTime }) => {
    const expired = await TestWorker.register(store);
    await expired.expire(passTime);
    const worker = await TestWorker.register(store);
    await store.pauseQueue("paused");
    const tries = [
      await store.enqueueAndClaim([newJob()], expired.instance, wanting(1)),
      await store.enqueueAndClaim([newJob()], "no such", wanting(1)),
      await store.enqueueAndClaim([newJob({ queue: "paused" })], worker.instance, wanting(1, "paused")),
      await store.enqueueAndClaim([newJob()], worker.instance, { wants: [], names: new Set(["a"]) }),
    ];
    for (const { ids, leases } of tries) {
      assert.deepEqual(leases, []);
      assert.equal(await stateOf(store, ids[0] ?? ""), "ready");
    }
  });

  storeTest(harness, "of jobs that are wrong none is stored, and nothing is claimed", async ({ store }) => {
    const waiting = await enqueueOne(store);
    const worker = await TestWorker.register(store);
    const bad = store.enqueueAndClaim([newJob(), newJob({ input: "\0" })], worker.instance, wanting(5));
    await assert.rejects(bad, hasCode("NS_OPTION_INVALID"));
    const limit = store.enqueueAndClaim([newJob()], worker.instance, wanting(-1));
    await assert.rejects(limit, hasCode("NS_OPTION_INVALID"));
    assert.deepEqual(await countsOf(store), { ready: 1, parked: 0, scheduled: 0, running: 0 });
    assert.equal(await stateOf(store, waiting), "ready");
  });

  storeTest(harness, "those who wait for work hear of what was not claimed, and of nothing else", async ({ store }) => {
    const worker = await TestWorker.register(store);
    // Both queues have been seen before, so that nothing else is told of them.
    for (const queue of ["q", "r"])
      await store.enqueueAndClaim([newJob({ queue })], worker.instance, wanting(1, queue));
    const heard: string[] = [];
    using _subscription = store.subscribe((wake: Wake) => {
      if (wake.what === "work") heard.push(...wake.queues);
    });
    await store.enqueueAndClaim([newJob()], worker.instance, wanting(1));
    await store.enqueueAndClaim([newJob({ queue: "r" }), newJob({ queue: "r" })], worker.instance, wanting(1, "r"));
    assert.deepEqual(heard, ["r"]);
  });

  storeTest(harness, "many at once give each job once, claimed or waiting", async ({ store }) => {
    const workers = await Promise.all([1, 2, 3].map((n) => TestWorker.register(store, `w${n}`)));
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => {
        const { instance } = workers[n % workers.length] as TestWorker;
        return store.enqueueAndClaim([newJob()], instance, wanting(n % 2));
      }),
    );
    const rest = await (workers[0] as TestWorker).claimLeases(100);
    const claimed = [...answers.flatMap(({ leases }) => leases), ...rest].flatMap(({ jobs }) => idsOf(jobs));
    assert.deepEqual(claimed.toSorted(), answers.flatMap(({ ids }) => ids).toSorted());
  });
}
