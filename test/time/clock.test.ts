import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep, systemClock, VirtualClock } from "../../src/time/index.ts";

test("virtual time fires timers in the order of their due times, standing at each", async () => {
  const clock = new VirtualClock({ start: "2026-03-01T00:00:00Z" });
  const seen: string[] = [];
  const note = (name: string) => () => seen.push(`${name}@${clock.monotonic()}`);
  clock.setTimer(300, note("c"));
  clock.setTimer(100, note("a"));
  clock.setTimer(100, note("b"));
  clock.setTimer(301, note("late"));
  await clock.advance(300);
  assert.deepEqual(seen, ["a@100", "b@100", "c@300"]);
  assert.equal(clock.now(), Date.parse("2026-03-01T00:00:00.300Z"));
  assert.equal(clock.pendingTimers, 1);
});

test("what a timer sets in motion within the advanced time happens too", async () => {
  const clock = new VirtualClock();
  const ticks: number[] = [];
  const loop = (async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(clock, 1_000);
      ticks.push(clock.monotonic());
    }
  })();
  await clock.advance("3s");
  await loop;
  assert.deepEqual(ticks, [1_000, 2_000, 3_000]);
});

test("a jump moves the wall clock alone", async () => {
  const clock = new VirtualClock({ start: 0 });
  let fired = false;
  clock.setTimer(1_000, () => (fired = true));
  clock.jump("2030-01-01");
  assert.equal(fired, false);
  await clock.advance(1_000);
  assert.equal(fired, true);
  assert.equal(clock.now(), Date.parse("2030-01-01T00:00:01Z"));
});

test("a cancelled timer never fires, on either clock", async () => {
  const clock = new VirtualClock();
  clock.setTimer(10, () => assert.fail("cancelled")).cancel();
  await clock.advance(100);
  using timer = systemClock.setTimer(1, () => assert.fail("cancelled"));
  timer.cancel();
  await sleep(systemClock, 10);
});

test("an aborted sleep rejects with the signal's reason and leaves no timer", async () => {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const sleeping = sleep(clock, 60_000, controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(sleeping, /enough/);
  assert.equal(clock.pendingTimers, 0);
  await assert.rejects(sleep(clock, 1, AbortSignal.abort(new Error("before"))), /before/);
});
