import assert from "node:assert/strict";
import { test } from "node:test";
import { defineJob, unchecked } from "../../src/jobs/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { startEngine } from "./support/engine.ts";
import { faulty } from "./support/faulty-store.ts";

/** A job that notes its inputs and, if asked to, waits. */
function noting() {
  const begun: number[] = [];
  let open: (() => void) | undefined;
  let gate: Promise<void> | undefined;
  const job = defineJob({
    name: "note",
    input: unchecked<number>(),
    async run(n) {
      begun.push(n);
      await gate;
    },
  });
  const close = () => (gate = new Promise((resolve) => (open = resolve)));
  return { job, begun, close, open: () => open?.() };
}

/** Long enough for the first, empty claim: from then on the queue is known to be empty. */
const SETTLE = "100ms";

test("a job enqueued beside an idle worker begins with the commit that stores it, and no claim is made for it", async () => {
  const { job, begun } = noting();
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store });
  await test.clock.advance(SETTLE);
  const claims = () => (faults.calls.get("claim") ?? 0) + (faults.calls.get("settleAndClaim") ?? 0);
  const before = claims();
  const handle = await test.jobs.enqueue(job, 1);
  await test.clock.advance(SETTLE);
  assert.deepEqual(begun, [1]);
  assert.equal(claims(), before);
  assert.equal(faults.calls.get("enqueueAndClaim"), 1);
  assert.equal(faults.calls.get("enqueue"), undefined);
  assert.equal(await handle.state(), "succeeded");
  assert.equal((await handle.details())?.attempt, 1);
});

test("the caller hears that its job is stored before the handler begins", async () => {
  const order: string[] = [];
  const job = defineJob({ name: "order", run: () => void order.push("handler") });
  await using test = await startEngine({ jobs: [job] });
  await test.clock.advance(SETTLE);
  await test.jobs.enqueue(job);
  order.push("caller");
  await test.clock.advance(SETTLE);
  assert.deepEqual(order, ["caller", "handler"]);
});

test("slots kept for jobs on their way are never given twice: no more handlers run than may", async () => {
  const { job, begun, close, open } = noting();
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store, concurrency: 3, queues: { default: 2 } });
  await test.clock.advance(SETTLE);
  close();
  await Promise.all([1, 2, 3, 4, 5].map((n) => test.jobs.enqueue(job, n)));
  await test.clock.advance("500ms");
  assert.equal(begun.length, 2);
  assert.equal(faults.calls.get("enqueueAndClaim"), 1);
  open();
  await test.clock.advance("5s");
  assert.deepEqual(begun.toSorted(), [1, 2, 3, 4, 5]);
});

test("what is for later, in a paused queue, or more than there are slots goes the usual way", async () => {
  const { job, begun } = noting();
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store, concurrency: 2 });
  await test.clock.advance(SETTLE);
  await test.jobs.enqueue(job, 1, { delay: "1m" });
  await test.jobs.enqueueMany(job, [2, 3, 4]);
  assert.equal(faults.calls.get("enqueueAndClaim"), undefined);
  await test.clock.advance("2m");
  assert.deepEqual(begun.toSorted(), [1, 2, 3, 4]);
  await test.jobs.pauseQueue("default");
  await test.jobs.enqueue(job, 5);
  await test.clock.advance("1m");
  assert.equal(begun.length, 4);
  await test.jobs.resumeQueue("default");
  await test.clock.advance("1m");
  assert.deepEqual(begun.toSorted(), [1, 2, 3, 4, 5]);
});

test("an answer that is lost after the commit is the caller's error, and the job is run once all the same", async () => {
  const { job, begun } = noting();
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store });
  await test.clock.advance(SETTLE);
  faults.fail("enqueueAndClaim", "after", 1);
  await assert.rejects(test.jobs.enqueue(job, 1), /enqueueAndClaim broke after/);
  await test.clock.advance("1m");
  assert.deepEqual(begun, [1]);
  assert.equal((await test.jobs.counts()).finished.succeeded, 1);
});

test("a claim whose answer was lost waits for the direct claim under way before it hands anything back", async () => {
  const { job, begun } = noting();
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store, pollInterval: "1s" });
  await test.clock.advance(SETTLE);
  const { promise, resolve } = Promise.withResolvers<void>();
  faults.hold("enqueueAndClaim", promise);
  const enqueued = test.jobs.enqueue(job, 1);
  faults.fail("claim", "after", 1);
  await test.clock.advance("3s");
  assert.equal(faults.calls.get("reconcile"), undefined);
  resolve();
  await enqueued;
  await test.clock.advance("1m");
  assert.ok((faults.calls.get("reconcile") ?? 0) > 0);
  assert.deepEqual(begun, [1]);
});

test("a job claimed while the worker begins to drain is handed back without costing an attempt", async () => {
  const { job, begun } = noting();
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store });
  await test.clock.advance(SETTLE);
  const { promise, resolve } = Promise.withResolvers<void>();
  faults.hold("enqueueAndClaim", promise);
  const enqueued = test.jobs.enqueue(job, 1);
  test.engine.worker?.stopClaiming();
  resolve();
  const { id } = await enqueued;
  await test.clock.advance("1s");
  const stored = await test.store.getJob(id);
  assert.deepEqual([stored?.state, stored?.attempt, begun.length], ["ready", 0, 0]);
});
