import assert from "node:assert/strict";
import { test } from "node:test";
import type { BackgroundQueue, BackgroundQueueOptions } from "../../src/hosting/index.ts";
import { token } from "../../src/services/index.ts";
import { sleep, VirtualClock } from "../../src/time/index.ts";
import { quiet, turns } from "./support.ts";

function queueOf(options: Partial<BackgroundQueueOptions<string, []>> = {}) {
  const clock = new VirtualClock();
  const { builder, logger } = quiet({ clock });
  const done: string[] = [];
  const queue = builder.addBackgroundQueue<string>({
    name: "queue",
    run: async (item, work) => {
      await sleep(clock, 1_000, work.signal);
      done.push(item);
    },
    ...options,
  });
  return { clock, logger, done, queue, host: builder.build() };
}

/** Items a, b and c, and a stop that waits for the first. */
async function stoppedInTheFirstOfThree({ clock, queue, host }: ReturnType<typeof queueOf>) {
  await using _ = host;
  await host.start();
  for (const item of ["a", "b", "c"]) await queue.enqueue(item);
  const stopped = host.stop();
  await clock.advance("1s");
  await stopped;
}

test("items are worked on one after the other, in order, and enqueue does not wait for that", async () => {
  const { clock, done, queue, host } = queueOf();
  await using _ = host;
  await queue.enqueue("before the start");
  await host.start();
  await queue.enqueue("a");
  await queue.enqueue("b");
  assert.deepEqual([queue.running, queue.size, done.length], [1, 2, 0]);
  await clock.advance("2s");
  assert.deepEqual(done, ["before the start", "a"]);
  await clock.advance("1s");
  assert.deepEqual(done, ["before the start", "a", "b"]);
  await host.stop();
});

test("as many as the concurrency are worked on at once", async () => {
  const { clock, done, queue, host } = queueOf({ concurrency: 3 });
  await using _ = host;
  await host.start();
  for (const item of ["a", "b", "c", "d"]) await queue.enqueue(item);
  assert.equal(queue.running, 3);
  await clock.advance("1s");
  assert.deepEqual(done, ["a", "b", "c"]);
  await clock.advance("1s");
  assert.deepEqual(done.length, 4);
  await host.stop();
});

test("a full queue lets its giver wait, first come first served, and a signal ends the wait", async () => {
  const { clock, done, queue, host } = queueOf({ capacity: 1 });
  await using _ = host;
  await host.start();
  await queue.enqueue("working");
  await queue.enqueue("waiting");
  const accepted: string[] = [];
  const give = (item: string) => queue.enqueue(item).then(() => accepted.push(item));
  const both = [give("third"), give("fourth")];
  const giveUp = new AbortController();
  const fifth = assert.rejects(queue.enqueue("fifth", { signal: giveUp.signal }), { name: "AbortError" });
  await turns();
  assert.deepEqual(accepted, []);
  giveUp.abort();
  await fifth;
  await clock.advance("1s");
  assert.deepEqual(accepted, ["third"]);
  await clock.advance("3s");
  await Promise.all(both);
  assert.deepEqual(done, ["working", "waiting", "third", "fourth"]);
  await host.stop();
});

test("a full queue refuses, or drops the oldest, when told so", async () => {
  const refusing = queueOf({ capacity: 1, full: "reject" });
  await refusing.queue.enqueue("a");
  await assert.rejects(refusing.queue.enqueue("b"), { code: "NS_QUEUE_FULL" });
  const dropping = queueOf({ capacity: 2, full: "drop-oldest" });
  await using host = dropping.host;
  for (const item of ["a", "b", "c"]) await dropping.queue.enqueue(item);
  await host.start();
  await dropping.clock.advance("5s");
  assert.deepEqual(dropping.done, ["b", "c"]);
  await host.stop();
});

test("at the stop: drain works on everything, and nothing new is taken", async () => {
  const { clock, done, queue, host } = queueOf({ capacity: 2 });
  await using _ = host;
  await host.start();
  for (const item of ["a", "b", "c"]) await queue.enqueue(item);
  const waiting = assert.rejects(queue.enqueue("too late"), { code: "NS_QUEUE_CLOSED" });
  const stopped = host.stop();
  await turns();
  await assert.rejects(queue.enqueue("d"), { code: "NS_QUEUE_CLOSED" });
  await waiting;
  await clock.advance("3s");
  await stopped;
  assert.deepEqual(done, ["a", "b", "c"]);
});

test("at the stop: finish-current leaves the others, and says how many were lost", async () => {
  const made = queueOf({ onStop: "finish-current" });
  await stoppedInTheFirstOfThree(made);
  const { done, logger } = made;
  assert.deepEqual(done, ["a"]);
  assert.equal(logger.entries.find(({ message }) => /they are lost/.test(message))?.facts["items"], 2);
});

test("at the stop: hand-over gives the leftovers away, those too that the time did not suffice for", async () => {
  const given: string[] = [];
  const handOver = (items: readonly string[]) => void given.push(...items);
  const made = queueOf({ onStop: "hand-over", handOver });
  await stoppedInTheFirstOfThree(made);
  const { done } = made;
  assert.deepEqual([done, given], [["a"], ["b", "c"]]);
  assert.throws(() => queueOf({ onStop: "hand-over" }), /Give handOver/);
});

test("when the time for stopping is over, what runs is told", async () => {
  const { clock, done, logger, queue, host } = queueOf({ stopTimeout: 500 });
  await using _ = host;
  await host.start();
  await queue.enqueue("a");
  await queue.enqueue("b");
  const stopped = host.stop();
  await clock.advance("1s");
  await stopped;
  assert.deepEqual(done, []);
  assert.ok(logger.messages("warn").some((message) => /lost/.test(message)));
});

test("an item that fails is logged, and the next one is worked on", async () => {
  const { builder, logger } = quiet();
  const queue = builder.addBackgroundQueue();
  await using host = builder.build();
  await host.start();
  const done: string[] = [];
  await queue.enqueue(() => Promise.reject(new Error("boom")));
  await queue.enqueue((work) => void done.push(work.services === undefined ? "" : "worked"));
  await turns();
  assert.deepEqual(done, ["worked"]);
  assert.match(String(logger.entries.find(({ level }) => level === "error")?.error), /boom/);
  await host.stop();
});

test("a queue can be injected by its key, and its work injects services of its own scope", async () => {
  const Mails = token<BackgroundQueue<string>>("Mails");
  let disposed = 0;
  class Unit {
    [Symbol.dispose]() {
      disposed++;
    }
  }
  const { builder } = quiet();
  builder.services.scoped(Unit);
  const seen: unknown[] = [];
  builder.addBackgroundQueue({
    key: Mails,
    inject: [Unit],
    run: (item: string, _work, unit) => void seen.push(item, unit),
  });
  await using host = builder.build();
  await host.start();
  await host.services.get(Mails).enqueue("hello");
  await host.stop();
  assert.equal(seen[0], "hello");
  assert.ok(seen[1] instanceof Unit);
  assert.equal(disposed, 1);
});
