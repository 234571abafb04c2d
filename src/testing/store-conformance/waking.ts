/** Conformance: wake-ups, and the store's own life. */
import assert from "node:assert/strict";
import type { Wake } from "../../store/contract.ts";
import { capturingLogger } from "../../telemetry/index.ts";
import { VirtualClock } from "../../time/index.ts";
import { eventually, type Given, type StoreHarness, storeTest } from "./harness.ts";
import { newSchedule } from "./planning.ts";
import * as W from "./worker.ts";

/** Collects the wake-ups until one fits. `unknown` fits anything: the store could not tell more. */
function heard({ store }: Pick<Given, "store">) {
  const wakes: Wake[] = [];
  const subscription = store.subscribe((wake) => wakes.push(wake));
  const until = (what: Wake["what"], fits: (wake: Wake) => boolean = () => true) =>
    eventually(`a wake-up "${what}"`, () =>
      wakes.some((wake) => wake.what === "unknown" || (wake.what === what && fits(wake))),
    );
  return { wakes, until, [Symbol.dispose]: () => subscription[Symbol.dispose]() };
}

export function waking(harness: StoreHarness): void {
  storeTest(harness, "new work wakes listeners with the queue", async ({ store }) => {
    using ear = heard({ store });
    await W.enqueueOne(store, { queue: "mail" });
    await ear.until("work", (wake) => wake.what === "work" && wake.queues.includes("mail"));
  });

  storeTest(harness, "a job for later wakes listeners with its time", async ({ store }) => {
    using ear = heard({ store });
    const at = (await store.now()) + 60_000;
    await W.enqueueOne(store, { due: { at } });
    await ear.until("scheduled", (wake) => wake.what === "scheduled" && wake.at <= at);
  });

  storeTest(harness, "an ended job wakes listeners with its id", async ({ store }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim();
    using ear = heard({ store });
    await worker.settle(lease, W.succeeded(id));
    await ear.until("finished", (wake) => wake.what === "finished" && wake.jobs.includes(id));
  });

  storeTest(harness, "what makes work claimable wakes listeners", async ({ store, passTime }) => {
    const [a, b] = (await store.enqueue([W.newJob(), W.newJob()])) as [string, string];
    const worker = await W.TestWorker.register(store);
    const expectWork = async (what: string, act: () => Promise<unknown>) => {
      using ear = heard({ store });
      await act();
      await ear.until("work").catch((cause) => assert.fail(`${what}: ${cause}`));
    };
    const lease = await worker.claim();
    await expectWork("released", () => worker.settle(lease, W.released(a)));
    await expectWork("retried at once", () => worker.settle(lease, W.retried(b)));
    await worker.claim();
    await worker.expire(passTime);
    await expectWork("rescued", () => store.rescue(10));
    await store.cancel([a], "no");
    await expectWork("requeued", () => store.retry([a]));
    await W.enqueueOne(store, { due: { in: 1 } });
    await passTime(5);
    await expectWork("promoted", () => store.promote(W.serving(), 10));
    await store.pauseQueue("q");
    await expectWork("resumed", () => store.resumeQueue("q"));
  });

  storeTest(harness, "changed schedules and requested cancellations wake listeners", async ({ store }) => {
    const id = await W.enqueueOne(store);
    await (await W.TestWorker.register(store)).claim();
    using ear = heard({ store });
    await store.cancel([id], "no");
    await ear.until("cancellation");
    await store.saveSchedules([newSchedule({ nextAt: 1 })]);
    await ear.until("schedules");
  });

  storeTest(harness, "who stopped listening hears nothing more, and the others still do", async ({ store }) => {
    const gone = heard({ store });
    using stays = heard({ store });
    gone[Symbol.dispose]();
    gone[Symbol.dispose]();
    await W.enqueueOne(store);
    await stays.until("work");
    assert.deepEqual(gone.wakes, []);
  });

  storeTest(harness, "openings are counted, and a closed store says so", async ({ store }) => {
    await store.open({ clock: new VirtualClock(), logger: capturingLogger() });
    await store.close();
    assert.equal((await store.enqueue([W.newJob()])).length, 1);
    await store.close();
    const calls = [() => store.enqueue([W.newJob()]), () => store.counts(), () => store.now(), () => store.rescue(1)];
    for (const call of calls) await assert.rejects(call(), W.hasCode("NS_STORE_CLOSED"));
    await store.close();
  });

  storeTest(harness, "what was begun before the store closed is finished", async ({ store }) => {
    const pending = store.enqueue([W.newJob()]);
    await store.close();
    assert.equal((await pending).length, 1);
  });

  storeTest(harness, "the store tells what it is, without secrets", async ({ store }) => {
    const { kind, location, engine, durability } = store.info();
    assert.ok(kind !== "" && location !== "" && engine !== "");
    assert.ok(["none", "process", "power-loss"].includes(durability));
  });
}
