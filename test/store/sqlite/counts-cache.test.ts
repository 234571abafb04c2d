import assert from "node:assert/strict";
import { test } from "node:test";
import type { Counts } from "../../../src/store/contract.ts";
import { CountsCache } from "../../../src/store/sqlite/counts-cache.ts";
import { VirtualClock } from "../../../src/testing/index.ts";

/** Counts of so many waiting jobs; tells which count it was. */
function setUp() {
  const clock = new VirtualClock();
  const cache = new CountsCache(clock);
  let counted = 0;
  const count = (jobs: number) =>
    cache.get((): Counts => {
      const some = { paused: null, parked: 0, running: 0, oldestReadyAt: null };
      const queues = [{ queue: "q", ready: jobs / 2, scheduled: jobs / 2, ...some }];
      return { queues, finished: { succeeded: ++counted, dead: 0, cancelled: 0 }, retried: 0 };
    }).finished.succeeded;
  return { clock, count };
}

test("counts of few jobs are fresh each time", () => {
  const { count } = setUp();
  assert.deepEqual([count(0), count(49_998), count(2)], [1, 2, 3]);
});

test("counts of many jobs are told again for a second per hundred thousand, at most ten seconds", async () => {
  const { clock, count } = setUp();
  assert.equal(count(100_000), 1);
  await clock.advance(999);
  assert.equal(count(100_000), 1);
  await clock.advance(1);
  assert.equal(count(50_000_000), 2);
  await clock.advance(9_999);
  assert.equal(count(50_000_000), 2);
  await clock.advance(1);
  assert.deepEqual([count(10), count(10)], [3, 4]);
});
