/** The engine's loops at their edges: what a stop, a failed start and a failed round leave behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Outages } from "../../src/jobs/outages.ts";
import { Promoter } from "../../src/jobs/upkeep/promoter.ts";
import { Reaper } from "../../src/jobs/upkeep/reaper.ts";
import { Session } from "../../src/jobs/upkeep/session.ts";
import type { Wake } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { capturingLogger } from "../../src/testing/index.ts";
import { countsOf, newJob } from "../../src/testing/store-conformance/worker.ts";
import { type Clock, VirtualClock } from "../../src/time/index.ts";
import { blockableClock } from "../support/blocked-clock.ts";
import { faulty } from "./support/faulty-store.ts";

const about = { name: "a", host: "h", pid: 1, version: "1", queues: [], names: [], concurrency: 0 };

async function opened() {
  const clock = new VirtualClock();
  const logger = capturingLogger();
  const { store, faults } = faulty(memory());
  await store.open({ clock, logger });
  const outages = new Outages(clock, logger);
  return { clock, logger, store, faults, loop: { clock, logger, outages, random: () => 0.5 } };
}

test("a stop during a heartbeat leaves no timer behind, and nobody is told of lost leases later", async () => {
  const { clock, logger, store, faults, loop } = await opened();
  const session = new Session(store, about, 30_000, loop);
  await session.start();
  const answer = Promise.withResolvers<void>();
  faults.hold("heartbeat", answer.promise);
  await clock.advance("10s");
  assert.equal(faults.calls.get("heartbeat"), 1, "it is under way");
  const stopping = session.stop();
  answer.resolve();
  await stopping;
  assert.equal(clock.pendingTimers, 0);
  await clock.advance("2m");
  assert.deepEqual(logger.messages("error"), []);
});

test("a start that fails, or that nobody waits for any more, leaves no instance and no timer behind", async () => {
  const { clock, store, faults, loop } = await opened();
  faults.fail("now", "before", 1);
  await assert.rejects(new Session(store, about, 30_000, loop).start(), /now broke before/);
  const given = new Session(store, about, 30_000, loop).start(undefined, AbortSignal.abort());
  await assert.rejects(given, { name: "AbortError" });
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(await store.listInstances(), []);
});

test("commits of other processes cause a look for due jobs at a bounded pace, and at once where the last one failed", async () => {
  const { clock, store, faults, loop } = await opened();
  const tell = Promise.withResolvers<(wake: Wake) => void>();
  store.subscribe = (listener) => {
    tell.resolve(listener);
    return { [Symbol.dispose]: () => undefined };
  };
  const promoter = new Promoter(store, () => ({ names: new Set(), queues: new Set() }), loop);
  promoter.start();
  const hear = await tell.promise;
  await clock.advance("1s");
  const looks = () => faults.calls.get("promote") ?? 0;
  const before = looks();
  for (let ms = 0; ms < 1_000; ms += 20) {
    hear({ what: "unknown" });
    await clock.advance(20);
  }
  assert.ok(looks() - before >= 4 && looks() - before <= 6, String(looks() - before));
  await clock.advance("1s");
  faults.fail("promote", "before", 1);
  hear({ what: "unknown" });
  await clock.advance(1);
  const failed = looks();
  hear({ what: "unknown" });
  await clock.advance(1);
  assert.equal(looks(), failed + 1);
  await promoter.stop();
});

for (const method of ["promote", "now"] as const) {
  test(`a due job is not forgotten when the promoter's "${method}" fails`, async () => {
    const { clock, store, faults, loop } = await opened();
    const promoter = new Promoter(store, () => ({ names: new Set(), queues: new Set() }), loop);
    promoter.start();
    await clock.advance("100ms");
    await store.enqueue([newJob({ due: { in: 1_000 } }), newJob({ due: { in: 1_200 } })]);
    await clock.advance("500ms");
    faults.fail(method, "before", 1);
    await clock.advance("1s");
    assert.equal((await countsOf(store)).ready, 2);
    await promoter.stop();
  });
}

for (const [how, by] of [
  ["an hour behind", -3_600_000],
  ["an hour ahead", 3_600_000],
] as const) {
  test(`a job is made ready in time by a process whose clock is ${how} of the store's, also after it was set right`, async () => {
    const { clock, store, loop } = await opened();
    let off: number = by;
    const wrong: Clock = {
      now: () => clock.now() + off,
      monotonic: () => clock.monotonic(),
      setTimer: (delay, then) => clock.setTimer(delay, then),
    };
    const promoter = new Promoter(store, () => ({ names: new Set(), queues: new Set() }), { ...loop, clock: wrong });
    promoter.start();
    await clock.advance("100ms");
    for (let ready = 1; ready <= 2; ready++, off = 0) {
      await store.enqueue([newJob({ due: { in: 1_000 } })]);
      await clock.advance("1010ms");
      assert.equal((await countsOf(store)).ready, ready);
    }
    await promoter.stop();
  });
}

test("after a blocked loop a process first tells its handlers that they lost their leases, then rescues its own jobs, and the attempt counts", async () => {
  const { clock, blocked, block } = blockableClock();
  const logger = capturingLogger();
  const store = memory();
  await store.open({ clock: blocked, logger });
  const loop = { clock: blocked, logger, outages: new Outages(blocked, logger), random: () => 0.5 };
  const session = new Session(store, about, 30_000, loop);
  const told: string[] = [];
  session.listen({
    lost: () => told.push("lost"),
    lostSome: () => told.push("lost some"),
    registered: () => told.push("registered"),
    cancelled: () => 0,
    holdsJobs: () => false,
    atWork: () => ["a (job 1)"],
  });
  await session.start();
  const [id = ""] = await store.enqueue([newJob()]);
  await store.claim(session.id ?? "", { wants: [{ queue: "q", limit: 1 }], names: new Set(["a"]) });
  const reaper = new Reaper(store, 30_000, loop, () => session.isOverdue);
  block(60_000);
  reaper.start();
  await clock.advance("1s");
  assert.deepEqual([(await store.getJob(id))?.state, told], ["running", ["registered"]]);
  await clock.advance("10s");
  assert.deepEqual(told, ["registered", "lost", "registered"]);
  assert.match(
    logger.messages("error").join(),
    /expired, as the event loop was blocked for 40s or longer\. At work: a \(job 1\)\. Its running/,
  );
  assert.equal(logger.entries.find(({ message }) => message.includes("lost its worker"))?.facts["jobName"], "a");
  const job = await store.getJob(id);
  assert.deepEqual([job?.state, job?.history.map(({ what }) => what)], ["ready", ["lost"]]);
  await reaper.stop();
  await session.stop();
});
