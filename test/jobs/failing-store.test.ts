import assert from "node:assert/strict";
import { test } from "node:test";
import type { NightshiftError } from "../../src/errors/index.ts";
import { defineJob, unchecked } from "../../src/jobs/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { startEngine } from "./support/engine.ts";
import { faulty } from "./support/faulty-store.ts";

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

test("outcomes that the store does not take are offered again until it does, and nothing is run twice", async () => {
  let runs = 0;
  const job = defineJob({ name: "count", run: () => void runs++ });
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store });
  faults.fail("settle", "before", 3);
  faults.fail("settleAndClaim", "before", 3);
  await test.jobs.enqueueMany(job, new Array(50).fill(undefined));
  await test.clock.advance("10s");
  assert.equal(runs, 50);
  assert.equal((await test.jobs.counts()).finished.succeeded, 50);
  // One for settling with a claim, one for settling alone.
  const said = test.logger.messages("error");
  assert.equal(said.length, 2);
  assert.ok(said.every((line) => /^The worker failed, and tries again until it succeeds: settle/.test(line)));
  assert.ok(
    test.logger.messages("debug").filter((line) => /The worker failed, again in \d+ ms/.test(line)).length >= 3,
  );
  assert.match(test.logger.messages("info").join(), /Works again, after [\dms. ]+ \(worker\)/);
});

test("an answer that is lost after the commit costs nothing: outcomes are settled once, claimed jobs are not stuck", async () => {
  let runs = 0;
  const job = defineJob({ name: "count", run: () => void runs++ });
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store });
  for (const method of ["claim", "settle", "settleAndClaim"] as const) faults.fail(method, "after", 2);
  await test.jobs.enqueueMany(job, new Array(50).fill(undefined));
  await test.clock.advance("20s");
  const counts = await test.jobs.counts();
  assert.equal(counts.finished.succeeded, 50);
  assert.equal(counts.queues[0]?.running ?? 0, 0);
  assert.equal(runs, 50);
  for (const { attempt } of (await test.jobs.list({ state: "succeeded", limit: 100 })).items) assert.equal(attempt, 1);
});

test("a claim that was given up and reaches the store later, after a rest in some proxy, keeps no job for good", async () => {
  let runs = 0;
  const job = defineJob({ name: "count", run: () => void runs++ });
  const real = memory();
  let arrive: (() => ReturnType<typeof real.claim>) | undefined;
  const store = new Proxy(real, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      if (key !== "claim" || arrive !== undefined) return value.bind(target);
      return async (...args: Parameters<typeof real.claim>) => {
        arrive = () => real.claim(...args);
        throw new Error("no answer came");
      };
    },
  });
  await using test = await startEngine({ jobs: [job], store });
  await test.clock.advance("10s");
  // Both at once, before the engine hears of the job.
  const enqueued = real.enqueue([
    { name: "count", queue: "default", priority: 0, input: "null", maxAttempts: 5, maxCrashes: 5 },
  ]);
  const arrived = arrive?.();
  await enqueued;
  const claimed = await arrived;
  assert.equal(claimed?.length, 1);
  await test.clock.advance("30s");
  assert.equal(runs, 0);
  await test.clock.advance("40s");
  assert.equal(runs, 1);
});

test("a process whose heartbeats fail for longer than its lease aborts its jobs, and registers anew when the store is back", async () => {
  const reasons: unknown[] = [];
  let finish = false;
  const job = defineJob({
    name: "long",
    async run(_input, { signal }) {
      if (!finish) await untilAborted(signal).catch((error: unknown) => reasons.push(error));
    },
  });
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store, leaseTtl: "30s" });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  faults.fail("heartbeat", "before");
  await test.clock.advance("28s");
  assert.deepEqual(reasons, []);
  finish = true;
  await test.clock.advance("12s");
  assert.deepEqual(
    reasons.map((reason) => (reason as NightshiftError).code),
    ["NS_LEASE_LOST"],
  );
  assert.match(test.logger.messages("warn").join("\n"), /too late: its lease is lost, so this outcome is refused/);
  faults.heal();
  await test.clock.advance("1m");
  assert.equal(await handle.state(), "succeeded");
  assert.equal((await test.store.listInstances()).length, 1);
});

test("a process that hangs beyond its lease is fenced: its outcome is refused, and another's stands", async () => {
  const ran: string[] = [];
  let finish: (() => void) | undefined;
  const slow = defineJob({
    name: "job",
    async run() {
      ran.push("first");
      await new Promise<void>((resolve) => (finish = resolve));
    },
  });
  const quick = defineJob({ name: "job", run: () => void ran.push("second") });
  const real = memory();
  const { store, faults } = faulty(real);
  await using first = await startEngine({ jobs: [slow], store, leaseTtl: "10s" });
  const handle = await first.jobs.enqueue(slow);
  await first.clock.advance("1s");
  // The first process is frozen: its heartbeat is on its way for ever. Its own view of time stands still with it.
  let thaw: (() => void) | undefined;
  faults.hold("heartbeat", new Promise<void>((resolve) => (thaw = resolve)));
  await using second = await startEngine({ jobs: [quick], store: real, clock: first.clock, leaseTtl: "10s" });
  await second.clock.advance("25s");
  assert.deepEqual(ran, ["first", "second"]);
  finish?.();
  thaw?.();
  await first.clock.advance("5s");
  const details = await handle.details();
  assert.deepEqual(
    details?.history.map((entry) => entry.what),
    ["lost", "succeeded"],
  );
  assert.match(first.logger.messages("warn").join("\n"), /its lease is lost, so this outcome is refused/);
});

test("a job that loses its workers again and again is dead after maxCrashes", async () => {
  const job = defineJob({ name: "poison", maxCrashes: 2, run: () => new Promise<never>(() => undefined) });
  const store = memory();
  await using first = await startEngine({ jobs: [job], store, queues: [] });
  const handle = await first.jobs.enqueue(job);
  for (let crash = 0; crash < 2; crash++) {
    const instance = await store.register(
      { name: "doomed", host: "h", pid: 1, version: "0", queues: ["default"], names: ["poison"], concurrency: 1 },
      5_000,
    );
    const leases = await store.claim(instance, { wants: [{ queue: "default", limit: 1 }], names: new Set(["poison"]) });
    assert.equal(leases.length, 1);
    await first.clock.advance("30s");
  }
  const details = await handle.details();
  assert.equal(details?.state, "dead");
  assert.deepEqual(details?.history.map((entry) => entry.what).filter((what) => what === "lost").length, 2);
  assert.match(first.logger.messages("error").join("\n"), /lost its worker doomed in attempt 2 and is dead/);
});

test("the promoter, the reaper and the heartbeat go on after the store has failed, and say so", async () => {
  const job = defineJob({ name: "later", run: () => undefined });
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store });
  for (const method of ["promote", "rescue", "heartbeat"] as const) faults.fail(method, "before", 2);
  const handle = await test.jobs.enqueue(job, undefined, { delay: "1m" });
  await test.clock.advance("70s");
  assert.equal(await handle.state(), "succeeded");
  const said = test.logger.messages("debug").join("\n");
  for (const name of ["promoter", "reaper", "heartbeat"])
    assert.match(said, new RegExp(`The ${name} failed, again in`));
  assert.match(test.logger.messages("info").join(), /Works again/);
});

test("a logger that throws does no harm to jobs", async () => {
  const job = defineJob({
    name: "noisy",
    retry: { attempts: 2, delay: 0 },
    run: (_input, context) => context.logger.info("x"),
  });
  await using test = await startEngine({ jobs: [job], logger: brokenLogger() });
  const warnings: unknown[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on("warning", note);
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("5s");
  process.off("warning", note);
  assert.equal(await handle.state(), "succeeded");
  assert.ok(warnings.length > 0);
});

test("an idle process asks the store less than once a second", async () => {
  const { store, faults } = faulty(memory());
  const job = defineJob({ name: "x", run: () => undefined });
  await using test = await startEngine({ jobs: [job], store });
  await test.clock.advance("10s");
  const before = [...faults.calls.values()].reduce((sum, count) => sum + count, 0);
  await test.clock.advance("10m");
  const after = [...faults.calls.values()].reduce((sum, count) => sum + count, 0);
  assert.ok(after - before <= 600, `${after - before} calls in 600 s: ${JSON.stringify([...faults.calls])}`);
});

function brokenLogger() {
  const broken = () => {
    throw new Error("the disk is full");
  };
  const logger = { trace: broken, debug: broken, info: broken, warn: broken, error: broken, fatal: broken };
  return { ...logger, child: () => brokenLogger() };
}

test("a process whose clock differs from the store's is told so, and told when it agrees again", async () => {
  const real = memory();
  let off = 60_000;
  const store = new Proxy(real, {
    get(target, key) {
      if (key === "now") return async () => (await target.now()) - off;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await using test = await startEngine({ jobs: [], store });
  assert.match(test.logger.messages("warn").join("\n"), /clock is 1m ahead of the store's/);
  off = 0;
  await test.clock.advance("10m");
  assert.match(test.logger.messages("info").join("\n"), /agrees with the store's again/);
  assert.equal(test.logger.messages("warn").length, 1);
});

test("awaiting a result outlives a store that is away for a while, and ends with the error when it stays away", async () => {
  const job = defineJob({ name: "later", output: unchecked<string>(), run: () => "done" });
  const { store, faults } = faulty(memory());
  await using test = await startEngine({ jobs: [job], store });
  const result = (await test.jobs.enqueue(job, undefined, { delay: "5s" })).result();
  faults.fail("statesOf", "before", 3);
  await test.clock.advance("15s");
  assert.equal(await result, "done");
  const hopeless = assert.rejects(
    (await test.jobs.enqueue(job, undefined, { delay: "1h" })).result(),
    /statesOf broke/,
  );
  faults.fail("statesOf", "before");
  await test.clock.advance("1m");
  await hopeless;
});

test("closing the client tells those who await a result", async () => {
  const job = defineJob({ name: "never", run: () => undefined });
  const test = await startEngine({ jobs: [job], queues: [] });
  const handle = await test.jobs.enqueue(job);
  const told = assert.rejects(handle.result(), { code: "NS_STORE_CLOSED" });
  await test.clock.advance("1s");
  await test[Symbol.asyncDispose]();
  await told;
});
