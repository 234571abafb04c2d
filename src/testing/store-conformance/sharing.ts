/** Conformance: several stores on the same data, as several processes have them. */
import assert from "node:assert/strict";
import type { Store } from "../../store/contract.ts";
import { eventually, type StoreHarness, storeTest } from "./harness.ts";
import { newSchedule } from "./planning.ts";
import * as W from "./worker.ts";

export function sharing(harness: StoreHarness): void {
  const shared = (
    name: string,
    body: (one: Store, two: Store, passTime: (ms: number) => Promise<void>) => Promise<void>,
  ) =>
    storeTest(harness, name, async ({ store, second, passTime }) => {
      if (second === null) return; // nobody but this process can reach such a store
      await body(store, await second(), passTime);
    });

  shared("a job enqueued by one is claimed, settled and seen through another", async (one, two) => {
    const id = await W.enqueueOne(one);
    const worker = await W.TestWorker.register(two);
    await worker.settle(await worker.claim(), W.succeeded(id, "1"));
    assert.equal((await one.getJob(id))?.result, "1");
  });

  shared("new work, wherever it comes from, wakes the other", async (one, two) => {
    let woken = 0;
    using _subscription = two.subscribe(() => woken++);
    await W.enqueueOne(one);
    await eventually("a wake-up", () => woken > 0);
  });

  shared("both claim at once, and nothing twice", async (one, two) => {
    const ids = await one.enqueue(Array.from({ length: 300 }, () => W.newJob()));
    const workers = [await W.TestWorker.register(one, "one"), await W.TestWorker.register(two, "two")];
    const claims = await Promise.all(
      workers.flatMap((worker) => Array.from({ length: 30 }, () => worker.claimLeases(7))),
    );
    const claimed = claims.flat().flatMap(({ jobs }) => W.idsOf(jobs));
    assert.deepEqual(claimed.toSorted(), ids.toSorted());
  });

  shared("one rescues what the other lost, and its zombie is refused", async (one, two, passTime) => {
    const id = await W.enqueueOne(one);
    const zombie = await W.TestWorker.register(one, "zombie");
    const lease = await zombie.claim();
    await zombie.expire(passTime);
    assert.deepEqual(
      (await two.rescue(10)).map(({ job }) => job),
      [id],
    );
    assert.deepEqual(await zombie.settle(lease, W.succeeded(id)), { refused: [lease.id] });
  });

  shared("a pause, a cancellation and a leader count for both", async (one, two) => {
    const id = await W.enqueueOne(one);
    const worker = await W.TestWorker.register(one);
    await two.pauseQueue("q");
    assert.deepEqual(await worker.claimLeases(), []);
    await two.resumeQueue("q");
    await worker.claim();
    assert.deepEqual(await two.cancel([id], "no"), ["requested"]);
    const heartbeat = await one.heartbeat(worker.instance, W.LONG);
    assert.deepEqual(heartbeat, { alive: true, cancelled: [{ job: id, reason: "no" }] });
    assert.notEqual(await one.campaign("r", "one", W.LONG), null);
    assert.equal(await two.campaign("r", "two", W.LONG), null);
  });

  shared("names made by both at once are the same names", async (one, two) => {
    const names = Array.from({ length: 20 }, (_, n) => `name ${n}`);
    await Promise.all(
      names.flatMap((name) => [one, two].map((store) => store.enqueue([W.newJob({ name, queue: name })]))),
    );
    const counts = await one.counts();
    assert.deepEqual(
      counts.queues.map(({ ready }) => ready),
      names.map(() => 2),
    );
  });

  shared("an occurrence fires once, whoever fires it", async (one, two) => {
    const [saved] = await one.saveSchedules([newSchedule({ nextAt: 1 })]);
    const fire = {
      ...{ schedule: "s", revision: saved?.revision ?? 0, nextAt: 2 },
      occurrences: [{ at: 1, what: "fired" as const, job: W.newJob() }],
    };
    const fired = await Promise.all([one, two, one, two].map((store) => store.fire([fire], "x")));
    assert.equal(fired.flat().filter(({ stale }) => !stale).length, 1);
    assert.equal((await W.countsOf(two)).ready, 1);
  });

  shared("concurrent openings of the same data are all served", async (one, two) => {
    await Promise.all([one, two].flatMap((store) => Array.from({ length: 20 }, () => store.enqueue([W.newJob()]))));
    assert.equal((await W.countsOf(one)).ready, 40);
  });
}
