import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { costOf, MACHINES, type Measured, needOf, withTables } from "../../bench/model.ts";

const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const measured = JSON.parse(file("bench/shards.json")) as Measured;

test("the tables of the guide are those that the model makes of what was measured", () => {
  const page = file("docs/guides/scaling.md");
  assert.equal(withTables(page, measured), page, "run node bench/model.ts");
});

test("more jobs, larger ones or longer retention never need less, and no server gets more than it may", () => {
  const cost = costOf(measured);
  const load = fc.record({
    jobsPerSecond: fc.integer({ min: 1, max: 2_000_000 }),
    days: fc.double({ min: 0.01, max: 90, noNaN: true }),
    inputBytes: fc.integer({ min: cost.inputBytes, max: 100_000 }),
    handlerMs: fc.integer({ min: 0, max: 60_000 }),
    jobsPerCall: fc.integer({ min: 1, max: 1_000 }),
  });
  fc.assert(
    fc.property(load, (one) => {
      const need = needOf(one, cost);
      assert.ok(need.walBytesPerSecond / need.shards <= MACHINES.walBytesPerSecond);
      assert.ok(need.diskBytes / need.shards <= MACHINES.diskBytes);
      assert.ok(need.serverCores / need.shards <= MACHINES.serverCores * MACHINES.use);
      assert.ok(need.processes * MACHINES.concurrency * 1_000 >= one.jobsPerSecond * one.handlerMs);
      assert.ok(needOf({ ...one, inputBytes: one.inputBytes * 2 }, cost).shards >= need.shards);
      assert.ok(needOf({ ...one, days: one.days * 2 }, cost).shards >= need.shards);
    }),
  );
});
