/** What happens to jobs while the answer of the claim that took them is on its way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineJob } from "../../src/jobs/index.ts";
import type { Store } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { startEngine } from "./support/engine.ts";

const forever = () => new Promise<never>(() => undefined);

/** A store that claims at once, and whose answers to claims that brought jobs take so long. */
function slowToAnswer(clock: VirtualClock, milliseconds: number, queue = "default"): Store {
  const store = memory();
  return new Proxy(store, {
    get(target, key) {
      if (key === "info") return () => ({ ...target.info(), synchronous: false });
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      const real = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (key !== "claim" && key !== "settleAndClaim") return real;
      return async (...args: unknown[]) => {
        const answer = (await real(...args)) as Awaited<ReturnType<Store["claim"]>> | { leases: unknown[] };
        const leases = (Array.isArray(answer) ? answer : (answer as { leases: unknown[] }).leases) as {
          queue: string;
        }[];
        if (leases.some((lease) => lease.queue === queue)) {
          await new Promise<void>((resolve) => void clock.setTimer(milliseconds, () => resolve()));
        }
        return answer;
      };
    },
  });
}

test("a job that is cancelled while the answer of its claim is on its way has its signal soon after it began", async () => {
  const reasons: unknown[] = [];
  const job = defineJob({
    name: "long",
    run: (_input, { signal }) =>
      new Promise<void>((_, reject) => {
        const over = () => {
          reasons.push((signal.reason as { code: string }).code);
          reject(signal.reason);
        };
        if (signal.aborted) over();
        else signal.addEventListener("abort", over);
      }),
  });
  const clock = new VirtualClock();
  const store = slowToAnswer(clock, 500);
  await using engine = await startEngine({ jobs: [job], store, clock });
  // Stored past the engine, so that it is claimed and not begun at once.
  const handle = await engine.jobs.enqueue(job, undefined, { delay: "1s" });
  await clock.advance("1200ms");
  assert.equal((await handle.details())?.state, "running");
  await handle.cancel("not needed");
  await clock.advance("200ms");
  assert.deepEqual(reasons, []);
  await clock.advance("2s");
  assert.deepEqual(reasons, ["NS_JOB_CANCELLED"]);
  assert.equal((await handle.details())?.state, "cancelled");
});

test("a stop while the answer of a claim is on its way waits for it and hands the jobs back, none begun and none counted", async () => {
  let runs = 0;
  const job = defineJob({ name: "never", run: () => void runs++ });
  const clock = new VirtualClock();
  const store = slowToAnswer(clock, 500);
  await using engine = await startEngine({ jobs: [job], store, clock });
  const handles = [];
  for (let n = 0; n < 3; n++) handles.push(await engine.jobs.enqueue(job, undefined, { delay: "1s" }));
  await clock.advance("1200ms");
  assert.equal((await handles[0]?.details())?.state, "running");
  let over = false;
  const stopped = engine.stop().then(() => (over = true));
  await clock.advance("100ms");
  assert.equal(over, false);
  await clock.advance("1s");
  await stopped;
  for (const handle of handles) {
    const details = await handle.details();
    assert.deepEqual([details?.state, details?.attempt, details?.history.length], ["ready", 0, 0]);
  }
  assert.equal(runs, 0);
});

test("a stop whose time is over while the answer of a claim never comes does not wait for it", async () => {
  const job = defineJob({ name: "never", run: forever });
  const clock = new VirtualClock();
  const store = slowToAnswer(clock, 3_600_000);
  await using engine = await startEngine({ jobs: [job], store, clock });
  const handle = await engine.jobs.enqueue(job, undefined, { delay: "1s" });
  await clock.advance("1200ms");
  const ending = new AbortController();
  let over = false;
  void engine.stop(ending.signal).then(() => (over = true));
  await clock.advance("100ms");
  ending.abort();
  await clock.advance("1s");
  assert.equal(over, true);
  assert.equal((await handle.details())?.state, "ready");
});
