import assert from "node:assert/strict";
import { test } from "node:test";
import type { NightshiftError } from "../../src/errors/index.ts";
import { defineJob } from "../../src/jobs/index.ts";
import { startEngine } from "./support/engine.ts";

const forever = () => new Promise<never>(() => undefined);

test("a stop lets running jobs finish, claims nothing more, and settles everything", async () => {
  let runs = 0;
  const job = defineJob({
    name: "step",
    async run() {
      runs++;
      await new Promise<void>((resolve) => test.clock.setTimer(5_000, () => resolve()));
    },
  });
  await using test = await startEngine({ jobs: [job], concurrency: 3 });
  await test.jobs.enqueueMany(job, new Array(10).fill(undefined));
  await test.clock.advance("1s");
  const stopped = test.stop();
  await test.clock.advance("6s");
  await stopped;
  const counts = await test.jobs.counts();
  assert.equal(runs, 3);
  assert.equal(counts.finished.succeeded, 3);
  assert.deepEqual([counts.queues[0]?.ready, counts.queues[0]?.running], [7, 0]);
  assert.equal((await test.store.listInstances()).length, 0);
});

test("jobs that take longer than the drain time get their signal; what ends then is handed back, and the attempt does not count", async () => {
  const codes: string[] = [];
  const job = defineJob({
    name: "long",
    run: (_input, { signal }) =>
      new Promise<void>((_, reject) => {
        signal.addEventListener("abort", () => {
          codes.push((signal.reason as NightshiftError).code);
          reject(new Error("interrupted"));
        });
      }),
  });
  await using test = await startEngine({ jobs: [job], drainTimeout: "10s" });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  const stopped = test.stop();
  await test.clock.advance("9s");
  assert.deepEqual(codes, []);
  await test.clock.advance("2s");
  await stopped;
  assert.deepEqual(codes, ["NS_HOST_STOPPING"]);
  const details = await handle.details();
  assert.deepEqual([details?.state, details?.attempt, details?.history.length], ["ready", 0, 0]);
});

test("a job that completes after its stop signal has succeeded", async () => {
  const job = defineJob({
    name: "tidy",
    run: (_input, { signal }) =>
      new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => test.clock.setTimer(1_000, () => resolve())),
      ),
  });
  await using test = await startEngine({ jobs: [job], drainTimeout: "1s" });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  const stopped = test.stop();
  await test.clock.advance("3s");
  await stopped;
  assert.equal(await handle.state(), "succeeded");
});

test("jobs that ignore the stop are handed back and named", async () => {
  const job = defineJob({ name: "deaf", run: forever });
  await using test = await startEngine({ jobs: [job], drainTimeout: "1s" });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  const stopped = test.stop();
  await test.clock.advance("7s");
  await stopped;
  assert.deepEqual([await handle.state(), (await handle.details())?.attempt], ["ready", 0]);
  assert.match(test.logger.messages("error").join("\n"), /\(deaf\) ignores its aborted signal \(NS_HOST_STOPPING\)/);
});

test("a stop whose time is over hands everything back at once", async () => {
  const job = defineJob({ name: "deaf", run: forever });
  await using test = await startEngine({ jobs: [job] });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  const controller = new AbortController();
  const stopped = test.stop(controller.signal);
  await test.clock.advance("1s");
  controller.abort();
  await stopped;
  assert.equal(await handle.state(), "ready");
});
