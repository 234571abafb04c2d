/** What people are told while a shard says nothing: soon, and where they stand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { makeSharded, newJob, openSharded, process1, wants } from "./support.ts";

const AB = { names: ["a", "b"], leader: "b" };
const SILENT = {
  code: "NS_STORE_UNAVAILABLE",
  message: /^NS_STORE_UNAVAILABLE: Shard b .* has not answered in time\.$/,
};

test("what one shard alone can say is not waited for longer than a list is, once that shard says nothing", async () => {
  const { store, places, clock } = await openSharded(AB);
  const [a = ""] = await store.enqueue([newJob()]);
  const [b = ""] = await store.enqueue([newJob({ queue: "at-b" })]);
  places["b"]?.silence();
  const asked = [store.getJob(b), store.statesOf([a, b]), store.leaders()].map((call) => assert.rejects(call, SILENT));
  assert.equal((await store.getJob(a))?.id, a);
  await clock.advance("2s");
  await Promise.all(asked);
  places["b"]?.heal();
  assert.deepEqual([(await store.getJob(b))?.id, (await store.statesOf([a, b])).size], [b, 2]);
});

test("a shard is not taken for silent while the others do not answer either", async () => {
  const { store, places, clock } = await openSharded(AB);
  const [b = ""] = await store.enqueue([newJob({ queue: "at-b" })]);
  for (const place of Object.values(places)) place.silence();
  const job = store.getJob(b);
  await clock.advance("30s");
  places["b"]?.heal();
  assert.equal((await job)?.id, b);
});

test("what is to be on all shards says where it is, where not and where perhaps, and doing it again makes it so", async () => {
  const { store, places, clock, logger } = await openSharded({ names: ["a", "b", "c"] });
  places["c"]?.cut();
  await store.counts(); // finds c away
  places["b"]?.silence();
  const calls = [
    [() => store.pauseQueue("at-a", "deploy"), 'Queue "at-a" is paused'],
    [() => store.saveCalendar("holidays", "{}"), 'Calendar "holidays" is saved'],
    [() => store.removeCalendar("gone"), 'Calendar "gone" is removed'],
  ] as const;
  for (const [call, what] of calls) {
    const told = `NS_STORE_UNAVAILABLE: ${what} on shard a, not on shard c, and perhaps on shard b, which did not say in time. `;
    const failed = assert.rejects(call(), {
      message: `${told}Do it again once all answer: that is safe, and makes it so everywhere.`,
      details: { done: ["a"], not: ["c"], unknown: ["b"] },
    });
    await clock.advance("5s");
    await failed;
  }
  for (const name of ["b", "c"]) places[name]?.heal();
  await clock.advance("2s");
  assert.ok(logger.messages().includes('After all, queue "at-a" is paused on shard b as well.'));
  await store.pauseQueue("at-a", "deploy");
  await store.saveCalendar("holidays", "{}");
  for (const { data } of Object.values(places)) {
    const [queue] = (await data.counts()).queues;
    const names = (await data.listCalendars()).map(({ name }) => name);
    assert.deepEqual([queue?.paused?.reason, names.includes("holidays")], ["deploy", true]);
  }
});

test("a shard that is a few seconds slower than the others is waited for by what is to be on all of them", async () => {
  const { store, places, clock } = await openSharded(AB);
  places["b"]?.silence();
  const paused = store.pauseQueue("at-a");
  await clock.advance("4s");
  places["b"]?.heal();
  await paused;
});

test("calls leave nothing behind while no shard goes away, however many there are", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const { store } = makeSharded(AB);
  await store.open({ clock: systemClock, logger: silentLogger });
  const me = await store.register(process1, 600_000);
  const calls = {
    claim: () => store.claim(me, wants("at-a", "at-b")),
    heartbeat: () => store.heartbeat(me, 600_000),
    counts: () => store.counts(),
    promote: () => store.promote({ names: new Set(), queues: new Set() }, 1),
    now: () => store.now(),
    getJob: () => store.getJob("1-a"),
  };
  const used = async () => {
    // Timers that were cancelled go with a turn of the event loop.
    await setImmediate();
    collect();
    return process.memoryUsage().heapUsed;
  };
  for (const [name, call] of Object.entries(calls)) {
    const left: number[] = [];
    for (let before = Number.NaN, round = 0; round <= 4; round++) {
      for (let count = 0; count < 400; count++) await call();
      const after = await used();
      if (round > 0) left.push((after - before) / 400);
      before = after;
    }
    // What the runtime makes of code that grows warm comes once; what a call leaves comes each time, 300 bytes at the least.
    assert.ok(Math.min(...left) < 100, `${name} leaves behind, in bytes: ${left.map(Math.round).join(", ")}`);
  }
  await store.close();
});
