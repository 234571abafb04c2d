import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bell } from "../../src/jobs/bell.ts";
import { VirtualClock } from "../../src/time/index.ts";

/** Begins a wait; tells whether it is over. */
function waiting(bell: Bell, most: number) {
  const wait = { over: false, done: Promise.resolve() };
  wait.done = bell.wait(most).then(() => {
    wait.over = true;
  });
  return wait;
}

test("a wait is over when the bell rings, and at its time when it does not", async () => {
  const clock = new VirtualClock();
  const bell = new Bell(clock);
  const rung = waiting(bell, 100);
  bell.ring();
  await rung.done;
  const timed = waiting(bell, 100);
  await clock.advance(99);
  assert.equal(timed.over, false);
  await clock.advance(1);
  assert.equal(timed.over, true);
});

test("a bell that rings while nobody waits ends the next wait at once, and only that", async () => {
  const clock = new VirtualClock();
  const bell = new Bell(clock);
  bell.ring();
  bell.ring();
  await bell.wait(100);
  const next = waiting(bell, 100);
  await clock.advance(50);
  assert.equal(next.over, false);
});

test("a wait ends at its own time, whatever the waits before it that were rung would have waited for", async () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 50 })), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 50 }), async (before, last) => {
      const clock = new VirtualClock();
      const bell = new Bell(clock);
      for (const [most, rungAfter] of before) {
        const wait = waiting(bell, most);
        await clock.advance(Math.min(rungAfter, most - 1));
        assert.equal(wait.over, false);
        bell.ring();
        await wait.done;
      }
      const wait = waiting(bell, last);
      await clock.advance(last - 1);
      assert.equal(wait.over, false);
      await clock.advance(1);
      assert.equal(wait.over, true);
    }),
  );
});

test("a wait without end is not ended by the timer of an earlier one", async () => {
  const clock = new VirtualClock();
  const bell = new Bell(clock);
  const short = waiting(bell, 10);
  bell.ring();
  await short.done;
  const endless = waiting(bell, Number.POSITIVE_INFINITY);
  await clock.advance(1_000);
  assert.equal(endless.over, false);
});

test("a bell that is still leaves no timer behind", async () => {
  const clock = new VirtualClock();
  const bell = new Bell(clock);
  const wait = waiting(bell, 100);
  bell.ring();
  await wait.done;
  bell.still();
  assert.equal(clock.pendingTimers, 0);
});
