/** What the log says of queues that are not worked though a process is there for them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Outages } from "../../src/jobs/outages.ts";
import { QueueWatch } from "../../src/jobs/upkeep/queue-watch.ts";
import { memory } from "../../src/store/memory/index.ts";
import { capturingLogger } from "../../src/testing/index.ts";
import { newJob, TestWorker } from "../../src/testing/store-conformance/worker.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { faulty } from "./support/faulty-store.ts";

async function watched() {
  const clock = new VirtualClock();
  const logger = capturingLogger();
  const { store, faults } = faulty(memory());
  await store.open({ clock, logger });
  const served = { queues: new Set(["q"]), names: new Set(["known"]) };
  const watch = new QueueWatch(store, served, {
    ...{ clock, logger, outages: new Outages(clock, logger), random: () => 0.5 },
  });
  const said = () => logger.entries.filter(({ level }) => level !== "debug").map(({ message }) => message);
  return { clock, logger, store, faults, watch, said };
}

test("a paused queue is told at the start, and again only when the pause, its reason or its end is new", async () => {
  const { clock, store, watch, said } = await watched();
  await store.pauseQueue("q", "moved to postgres db/shop");
  await store.pauseQueue("somebody else's");
  await clock.advance("1h");
  watch.start();
  await clock.advance("50m");
  const [first, ...others] = said();
  assert.match(first ?? "", /^The queue q has been paused for 1h 2s: moved to postgres db\/shop\. Its jobs wait/);
  assert.deepEqual(others, []);
  await store.pauseQueue("q", "deploy");
  await clock.advance("6m");
  await store.resumeQueue("q");
  await clock.advance("6m");
  assert.match(said()[1] ?? "", /: deploy\. /);
  assert.deepEqual(said().slice(2), ["The queue q is not paused any more."]);
  await watch.stop();
});

test("jobs of names that nobody here knows are told in one line with their names, soon, and again once they were gone", async () => {
  const { clock, store, watch, said } = await watched();
  watch.start();
  await clock.advance("1s");
  const worker = await TestWorker.register(store, "a");
  const park = async () => {
    await store.enqueue([...Array.from({ length: 20 }, () => newJob({ name: "mail" })), newJob({ name: "bill" })]);
    await store.claim(worker.instance, { wants: [{ queue: "q", limit: 50 }], names: new Set(["known"]) });
  };
  await park();
  await clock.advance("50m");
  assert.equal(said().length, 1);
  assert.match(said()[0] ?? "", /queue q are set aside.*names \((bill, mail|mail, bill)\): 21\. They cost no attempt/);
  await store.promote({ queues: new Set(["q"]), names: new Set(["mail", "bill"]) }, 100);
  await store.claim(worker.instance, { wants: [{ queue: "q", limit: 50 }], names: new Set(["mail", "bill"]) });
  await clock.advance("6m");
  await park();
  await clock.advance("6m");
  assert.equal(said().length, 2);
  await watch.stop();
});

test("known jobs that wait for a slot aside are no news, until they are still there at the next look", async () => {
  const { clock, store, watch, said } = await watched();
  await store.enqueue([newJob({ name: "known" })]);
  const worker = await TestWorker.register(store, "a");
  await store.claim(worker.instance, { wants: [{ queue: "q", limit: 5 }], names: new Set(["other"]) });
  watch.start();
  await clock.advance("1s");
  assert.deepEqual(said(), []);
  await clock.advance("6m");
  assert.match(said().join("\n"), /^Jobs of the queue q are set aside.*their names: 1\. [^\n]*$/);
  await watch.stop();
});

test("a store that does not answer, or counts slowly, is asked on, and seldom", async () => {
  const { clock, logger, store, faults, watch, said } = await watched();
  faults.fail("counts", "before", 3);
  watch.start();
  await clock.advance("50m");
  assert.deepEqual(said(), []);
  assert.equal(logger.messages("debug").length, 3);
  const before = faults.calls.get("counts") ?? 0;
  assert.ok(before >= 9 && before <= 13, String(before));
  const slow = Promise.withResolvers<void>();
  faults.hold("counts", slow.promise);
  await clock.advance("301s");
  slow.resolve();
  await clock.advance("1h");
  assert.equal(faults.calls.get("counts"), before + 1);
  await watch.stop();
  await store.close();
});
