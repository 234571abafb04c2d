import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { worthAhead } from "../../src/jobs/worker/lane.ts";
import { Lanes } from "../../src/jobs/worker/lanes.ts";
import type { ClaimedJob } from "../../src/store/contract.ts";

let ids = 0;
const job = (input = "null"): ClaimedJob => ({
  id: String(++ids),
  name: "x",
  priority: 0,
  input,
  attempt: 1,
  maxAttempts: 1,
  createdAt: 0,
});
const lease = (queue: string) => ({ id: "1", queue, open: 1, pending: [], lost: false });
const lanesOf = (limits: Record<string, number>) =>
  new Lanes(
    Object.entries(limits).map(([queue, limit]) => ({ queue, limit })),
    2_000,
    2,
    0,
  );
const wanted = (wants: ReturnType<Lanes["wants"]>) => wants.reduce((sum, { limit }) => sum + limit, 0);

/** Brings as many jobs as were wanted. */
function bring(lanes: Lanes, wants: ReturnType<Lanes["wants"]>, now: number, input?: string) {
  for (const want of wants) {
    const jobs = Array.from({ length: want.limit }, () => job(input));
    lanes.arrived(want, jobs, lease(want.queue), lanes.hints, now);
  }
}

test("never more is claimed than slots are free, until a pace is known; and no queue is starved", () => {
  const limits = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(limits, fc.integer({ min: 1, max: 30 }), (given, free) => {
      const lanes = lanesOf(Object.fromEntries(given.map((limit, index) => [`q${index}`, limit])));
      const seen = new Set<string>();
      for (let round = 0; round < given.length; round++) {
        const wants = lanes.wants(free, 0, 0);
        const total = wants.reduce((sum, want) => sum + want.limit, 0);
        assert.ok(total <= free, `${total} wanted of ${free}`);
        assert.ok(total >= Math.min(free, Math.min(...given)));
        for (const want of wants) seen.add(want.queue);
        lanes.failed(wants);
      }
      assert.equal(seen.size, given.length);
    }),
  );
});

test("a queue whose handlers take no time is claimed ahead, one whose handlers are slow is not", () => {
  const lanes = lanesOf({ fast: 10, slow: 10 });
  bring(lanes, lanes.wants(20, 0, 0), 0);
  const begun = Array.from({ length: 20 }, () => lanes.next());
  assert.ok(begun.every((waiting) => waiting !== undefined));
  // In 10 ms every fast job has ended, and one of the slow ones.
  for (let ended = 0; ended < 10; ended++) lanes.ended("fast");
  lanes.ended("slow");
  const wants = Object.fromEntries(lanes.wants(11, 10, 0).map(({ queue, limit }) => [queue, limit]));
  assert.equal(wants["fast"], 6 + 25);
  assert.ok((wants["slow"] ?? 0) <= 1 + 2);
});

test("slow handlers that began together and end within a millisecond do not make a queue fast", () => {
  const lanes = lanesOf({ q: 4 });
  bring(lanes, lanes.wants(4, 0, 0), 0);
  for (let turn = 1; turn <= 5; turn++) {
    while (lanes.next() !== undefined);
    // The first to end is settled alone, and the three others with the next exchange.
    lanes.ended("q", 400);
    assert.ok(wanted(lanes.wants(1, turn * 400, 0)) <= 1);
    lanes.failed([{ queue: "q", limit: 1 }]);
    for (let others = 0; others < 3; others++) lanes.ended("q", 400);
    const wants = lanes.wants(4, turn * 400 + 1, 0);
    assert.equal(wanted(wants), 4, "the free slots, and nothing ahead");
    bring(lanes, wants, turn * 400 + 1);
  }
});

test("the time that the store takes does not make a queue slow", () => {
  const lanes = lanesOf({ q: 10 });
  bring(lanes, lanes.wants(10, 0, 0), 0);
  while (lanes.next() !== undefined) lanes.ended("q");
  const [want] = lanes.wants(10, 100, 90);
  assert.equal(want?.limit, 10 + 25);
});

test("what is claimed ahead is bounded in number and in bytes", () => {
  assert.equal(worthAhead(1_000_000, 10), 1_400);
  assert.equal(worthAhead(0.03, 10), 0);
  assert.equal(worthAhead(1_000_000, 1_048_576), 32);
});

test("a fast queue is asked for more while a claim is on its way, in portions", () => {
  const lanes = lanesOf({ q: 10 });
  bring(lanes, lanes.wants(10, 0, 0), 0);
  while (lanes.next() !== undefined) for (let n = 0; n < 50; n++) lanes.ended("q");
  const [first] = lanes.wants(10, 2, 0);
  assert.equal(first?.limit, 700);
  assert.equal(lanes.mostMissing(), 700);
  const [second] = lanes.wants(10, 2, 0);
  assert.equal(second?.limit, 700);
  assert.equal(lanes.mostMissing(), 0);
  assert.equal(lanes.isHungry(), false, "nothing is missing: it is on its way");
});

test("nothing is missing of a fast queue as long as a claim would ask for nothing", () => {
  const lanes = lanesOf({ q: 10 });
  bring(lanes, lanes.wants(10, 0, 0), 0);
  while (lanes.next() !== undefined) for (let n = 0; n < 50; n++) lanes.ended("q");
  bring(lanes, lanes.wants(10, 2, 0), 2);
  bring(lanes, lanes.wants(10, 2, 0), 2);
  for (let begun = 1; begun < 700; begun++) {
    lanes.next();
    lanes.ended("q");
    assert.equal(lanes.mostMissing(), 0, `after ${begun}`);
    assert.deepEqual(lanes.wants(0, 2, 0), []);
  }
  lanes.next();
  assert.equal(lanes.mostMissing(), 700);
});

test("an empty queue is not asked again before a hint, or the poll", () => {
  const lanes = lanesOf({ a: 5, b: 5 });
  lanes.tick(0);
  const [want] = lanes.wants(5, 0, 0);
  assert.ok(want);
  lanes.arrived(want, [job()], lease(want.queue), lanes.hints, 0);
  const others = lanes.wants(5, 1, 0);
  assert.deepEqual(
    others.map(({ queue }) => queue),
    [want.queue === "a" ? "b" : "a"],
  );
  lanes.failed(others);
  assert.equal(lanes.hear({ what: "work", queues: ["other"] }, 1), false);
  assert.equal(lanes.hear({ what: "finished", jobs: ["1"] }, 1), false);
  assert.equal(lanes.hear({ what: "work", queues: [want.queue] }, 1), true);
  assert.equal(lanes.wants(10, 1, 0).length, 2);
});

test("a hint that comes while a claim is on its way keeps its queue from being taken for empty", () => {
  const lanes = lanesOf({ q: 5 });
  lanes.tick(0);
  const { hints } = lanes;
  const [want] = lanes.wants(5, 0, 0);
  assert.ok(want);
  lanes.hear({ what: "work", queues: ["q"] }, 0);
  lanes.arrived(want, [], undefined, hints, 0);
  assert.equal(lanes.isHungry(), true);
});

test("a short batch of heavy jobs does not mean that the queue is empty", () => {
  const lanes = lanesOf({ q: 500 });
  const [want] = lanes.wants(500, 0, 0);
  assert.ok(want);
  lanes.arrived(want, [job("x".repeat(2_000_000))], lease("q"), lanes.hints, 0);
  while (lanes.next() !== undefined) lanes.ended("q");
  assert.equal(lanes.isHungry(), true);
});

test("commits of other processes cause looks at a bounded pace", () => {
  const lanes = lanesOf({ q: 5 });
  let looks = 0;
  for (let now = 0; now < 1_000; now++) {
    lanes.hear({ what: "unknown" }, now);
    lanes.tick(now);
    const [want] = lanes.wants(5, now, 0);
    if (want === undefined) continue;
    looks++;
    lanes.arrived(want, [], undefined, lanes.hints, now);
  }
  assert.ok(looks >= 160 && looks <= 202, String(looks));
});

test("jobs that found no slot for a second are given up, and the pace with them", () => {
  const lanes = lanesOf({ q: 1 });
  bring(lanes, [{ queue: "q", limit: 3 }], 0);
  assert.ok(lanes.next());
  assert.equal(lanes.next(), undefined);
  assert.deepEqual(lanes.takeStale(999), []);
  assert.ok(lanes.tick(999) <= 1);
  assert.equal(lanes.takeStale(1_000).length, 2);
  assert.equal(lanes.anyWaiting, false);
});

test("what is taken out of a queue leaves the others waiting in their order, those of each claim with its time", () => {
  const lanes = lanesOf({ q: 10 });
  bring(lanes, [{ queue: "q", limit: 3 }], 0);
  bring(lanes, [{ queue: "q", limit: 3 }], 500);
  const first = lanes.next()?.job.id;
  const ids = Array.from({ length: 5 }, (_, index) => String(Number(first) + 1 + index));
  const [second, third, fourth, fifth, sixth] = ids;
  const removed = lanes.remove(({ job }) => job.id === third || job.id === fifth);
  assert.deepEqual(
    removed.map(({ job }) => job.id),
    [third, fifth],
  );
  assert.equal(lanes.tick(500), 500, "the first claim's jobs are handed back a second after they came");
  assert.equal(lanes.next()?.job.id, second);
  assert.equal(lanes.tick(500), 1_000);
  assert.equal(lanes.next()?.job.id, fourth);
  assert.equal(lanes.next()?.job.id, sixth);
  assert.equal(lanes.next(), undefined);
});
