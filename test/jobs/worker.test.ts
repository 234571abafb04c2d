import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import type { NightshiftError } from "../../src/errors/index.ts";
import { defineJob, FatalError, unchecked } from "../../src/jobs/index.ts";
import { Services } from "../../src/services/index.ts";
import { startEngine } from "./support/engine.ts";

const never = () => new Promise<never>(() => undefined);
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

test("a job that is enqueued is run with its input, and its result can be awaited", async () => {
  const sum = defineJob({
    name: "sum",
    input: unchecked<{ a: number; b: number }>(),
    output: unchecked<number>(),
    run: async ({ a, b }) => a + b,
  });
  await using test = await startEngine({ jobs: [sum] });
  const handle = await test.jobs.enqueue(sum, { a: 1, b: 2 });
  const result = handle.result();
  await test.clock.advance("1s");
  assert.equal(await result, 3);
  assert.equal(await handle.state(), "succeeded");
});

test("the handler is told everything about its job", async () => {
  let seen: unknown;
  const job = defineJob({
    name: "look",
    queue: "eyes",
    retry: { attempts: 4 },
    run(_input, { id, name, queue, priority, attempt, maxAttempts, enqueuedAt, meta }) {
      seen = { id, name, queue, priority, attempt, maxAttempts, enqueuedAt, meta };
    },
  });
  await using test = await startEngine({ jobs: [job] });
  const enqueuedAt = test.clock.now();
  const { id } = await test.jobs.enqueue(job, undefined, { priority: 7, meta: { trace: "t1" } });
  await test.clock.advance("1s");
  const meta = { trace: "t1" };
  assert.deepEqual(seen, {
    id,
    name: "look",
    queue: "eyes",
    priority: 7,
    attempt: 1,
    maxAttempts: 4,
    enqueuedAt,
    meta,
  });
});

test("a handler that logs its context logs no input", async () => {
  let shown = "";
  const job = defineJob({
    name: "card",
    input: unchecked<{ number: string }>(),
    run: (_input, context) => void (shown = inspect(context, { depth: 5 }) + JSON.stringify(context)),
  });
  await using test = await startEngine({ jobs: [job] });
  const { id } = await test.jobs.enqueue(job, { number: "4111-secret" });
  await test.clock.advance("1s");
  assert.ok(!shown.includes("secret"), shown);
  assert.ok(shown.includes(`{"id":"${id}","name":"card","queue":"default","attempt":1,"maxAttempts":10}`), shown);
});

test("a failed attempt is run again after its back-off, until it succeeds", async () => {
  const attempts: number[] = [];
  const job = defineJob({
    name: "flaky",
    retry: { attempts: 3, backoff: "fixed", delay: "10s" },
    run(_input, { attempt }) {
      attempts.push(attempt);
      if (attempt < 3) throw new Error(`attempt ${attempt}`);
    },
  });
  await using test = await startEngine({ jobs: [job] });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  assert.deepEqual(attempts, [1]);
  assert.equal(await handle.state(), "scheduled");
  await test.clock.advance("10s");
  assert.deepEqual(attempts, [1, 2]);
  await test.clock.advance("10s");
  assert.deepEqual(attempts, [1, 2, 3]);
  const details = await handle.details();
  assert.equal(details?.state, "succeeded");
  assert.deepEqual(
    details?.history.map((entry) => entry.what),
    ["retry", "retry", "succeeded"],
  );
  assert.equal(details?.history[0]?.error?.message, "attempt 1");
});

test("a job whose attempts are spent is dead, and awaiting its result rejects with the error as its cause", async () => {
  const job = defineJob({
    name: "hopeless",
    retry: { attempts: 2, delay: 0 },
    run() {
      throw new TypeError("no way");
    },
  });
  await using test = await startEngine({ jobs: [job] });
  const handle = await test.jobs.enqueue(job);
  const result = handle.result();
  result.catch(() => undefined);
  await test.clock.advance("2s");
  await assert.rejects(result, (error: NightshiftError) => {
    assert.equal(error.code, "NS_JOB_FAILED");
    assert.equal((error.cause as Error).name, "TypeError");
    assert.equal((error.cause as Error).message, "no way");
    return true;
  });
  assert.equal(test.logger.messages("error").length, 1);
  assert.equal(test.logger.messages("warn").length, 1);
});

test("a fatal error, and an error that retryOn refuses, end the job at once", async () => {
  const fatal = defineJob({
    name: "fatal",
    run() {
      throw new FatalError("stolen");
    },
  });
  const refused = defineJob({
    name: "refused",
    retry: { retryOn: (error) => !(error instanceof RangeError) },
    run() {
      throw new RangeError("out");
    },
  });
  await using test = await startEngine({ jobs: [fatal, refused] });
  const handles = [await test.jobs.enqueue(fatal), await test.jobs.enqueue(refused)];
  await test.clock.advance("1s");
  for (const handle of handles) assert.equal(await handle.state(), "dead");
});

for (const thrown of ["text", undefined, null, 42, Object.freeze(new Error("frozen")), { toString: null }]) {
  test(`a handler that throws ${String(typeof thrown)} (${thrown === null}) fails its attempt with a readable error`, async () => {
    const job = defineJob({
      name: "odd",
      retry: { attempts: 1 },
      run() {
        throw thrown;
      },
    });
    await using test = await startEngine({ jobs: [job] });
    const handle = await test.jobs.enqueue(job);
    await test.clock.advance("1s");
    const details = await handle.details();
    assert.equal(details?.state, "dead");
    assert.equal(typeof details?.error?.message, "string");
  });
}

test("a snoozed job is run again later, and the attempt does not count", async () => {
  const attempts: number[] = [];
  const job = defineJob({
    name: "tired",
    retry: { attempts: 1 },
    run(_input, context) {
      attempts.push(context.attempt);
      if (attempts.length < 3) context.snooze("1m");
    },
  });
  await using test = await startEngine({ jobs: [job] });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  assert.equal(await handle.state(), "scheduled");
  await test.clock.advance("3m");
  assert.deepEqual(attempts, [1, 1, 1]);
  assert.equal(await handle.state(), "succeeded");
});

test("an attempt that runs longer than its timeout is aborted with NS_JOB_TIMEOUT and tried again", async () => {
  const reasons: unknown[] = [];
  const job = defineJob({
    name: "slow",
    timeout: "5s",
    retry: { attempts: 2, backoff: "fixed", delay: "1s" },
    async run(_input, { signal }) {
      try {
        await untilAborted(signal);
      } catch (error) {
        reasons.push(error);
        throw error;
      }
    },
  });
  await using test = await startEngine({ jobs: [job] });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("30s");
  assert.deepEqual(
    reasons.map((reason) => (reason as NightshiftError).code),
    ["NS_JOB_TIMEOUT", "NS_JOB_TIMEOUT"],
  );
  const details = await handle.details();
  assert.equal(details?.state, "dead");
  assert.equal(details?.error?.code, "NS_JOB_TIMEOUT");
});

test("a handler that completes after its timeout has completed", async () => {
  const job = defineJob({
    name: "late",
    timeout: "5s",
    async run(_input, { signal }) {
      await untilAborted(signal).catch(() => undefined);
    },
  });
  await using test = await startEngine({ jobs: [job] });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("30s");
  assert.equal(await handle.state(), "succeeded");
});

test("a handler that ignores its signal is given up: its outcome is recorded, its slot is free, and the log says so", async () => {
  let finish: (() => void) | undefined;
  const deaf = defineJob({
    name: "deaf",
    timeout: "5s",
    retry: { attempts: 1 },
    run: () => new Promise<void>((resolve) => (finish = resolve)),
  });
  const next = defineJob({ name: "next", run: () => undefined });
  await using test = await startEngine({ jobs: [deaf, next], concurrency: 1 });
  const handle = await test.jobs.enqueue(deaf);
  const after = await test.jobs.enqueue(next);
  await test.clock.advance("14s");
  assert.equal(await handle.state(), "running");
  await test.clock.advance("5s");
  assert.equal(await handle.state(), "dead");
  assert.equal(await after.state(), "succeeded");
  assert.match(test.logger.messages("error").join("\n"), /ignores its aborted signal \(NS_JOB_TIMEOUT\)/);
  finish?.();
  await test.clock.advance("1s");
  assert.equal(await handle.state(), "dead");
  assert.match(test.logger.messages("warn").join("\n"), /completed too late/);
});

test("a running job that is cancelled gets the reason through its signal and ends as cancelled", async () => {
  let reason: unknown;
  const job = defineJob({
    name: "long",
    async run(_input, { signal }) {
      await untilAborted(signal).catch((error: unknown) => {
        reason = error;
        throw error;
      });
    },
  });
  await using test = await startEngine({ jobs: [job] });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  assert.equal(await handle.cancel("user left"), "requested");
  const result = handle.result();
  result.catch(() => undefined);
  await test.clock.advance("2s");
  assert.equal((reason as NightshiftError).code, "NS_JOB_CANCELLED");
  assert.equal(await handle.state(), "cancelled");
  await assert.rejects(result, { code: "NS_JOB_CANCELLED", message: /user left/ });
});

test("each of several running jobs can still be cancelled after others of them have ended", async () => {
  const ends = new Map<string, () => void>();
  const aborted: string[] = [];
  const job = defineJob({
    name: "long",
    input: unchecked<string>(),
    run: (name, { signal }) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      ends.set(name, resolve);
      signal.addEventListener("abort", () => {
        aborted.push(name);
        reject(signal.reason);
      });
      return promise;
    },
  });
  await using test = await startEngine({ jobs: [job], concurrency: 4 });
  const handles = await test.jobs.enqueueMany(job, ["a", "b", "c", "d"]);
  await test.clock.advance("1s");
  for (const name of ["a", "c"]) {
    ends.get(name)?.();
    await test.clock.advance("1s");
  }
  assert.equal(test.engine.worker?.running, 2);
  for (const index of [3, 1]) {
    await handles[index]?.cancel();
    await test.clock.advance("2s");
  }
  assert.deepEqual(aborted, ["d", "b"]);
  assert.equal(test.engine.worker?.running, 0);
});

test("at most as many handlers run at once as the concurrency says, per process and per queue", async () => {
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  const count = (key: string, by: number) => {
    running.set(key, (running.get(key) ?? 0) + by);
    most.set(key, Math.max(most.get(key) ?? 0, running.get(key) ?? 0));
  };
  const job = defineJob({
    name: "busy",
    async run(_input, { queue }) {
      count("all", 1);
      count(queue, 1);
      await new Promise((resolve) => test.clock.setTimer(100, () => resolve(undefined)));
      count("all", -1);
      count(queue, -1);
    },
  });
  await using test = await startEngine({ jobs: [job], concurrency: 5, queues: { a: 2, b: 4 } });
  for (const queue of ["a", "b"]) await test.jobs.enqueueMany(job, new Array(30).fill(undefined), { queue });
  await test.clock.advance("3s");
  assert.deepEqual(Object.fromEntries(most), { all: 5, a: 2, b: 4 });
  const { finished } = await test.jobs.counts();
  assert.equal(finished.succeeded, 60);
});

test("a job with services gets them from the scope of its attempt, which is disposed before the job is settled", async () => {
  const told: string[] = [];
  class UnitOfWork {
    async [Symbol.asyncDispose]() {
      await Promise.resolve();
      told.push("disposed");
    }
  }
  const job = defineJob({
    name: "work",
    inject: [UnitOfWork],
    run(_input, context, unit) {
      told.push(unit === context.services.get(UnitOfWork) ? "same" : "other");
    },
  });
  await using test = await startEngine({ jobs: [job], services: new Services().scoped(UnitOfWork) });
  const handle = await test.jobs.enqueue(job);
  await handle.result();
  assert.deepEqual(told, ["same", "disposed"]);
});

test("a scope that cannot be disposed fails the attempt", async () => {
  class Broken {
    async [Symbol.asyncDispose]() {
      throw new Error("not flushed");
    }
  }
  const job = defineJob({ name: "work", inject: [Broken], retry: { attempts: 1 }, run: () => undefined });
  await using test = await startEngine({ jobs: [job], services: new Services().scoped(Broken) });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  assert.match((await handle.details())?.error?.message ?? "", /not flushed/);
});

test("an input that its schema no longer takes is dead at once, with the reason", async () => {
  const before = defineJob({ name: "greet", input: unchecked<unknown>(), run: () => undefined });
  await using first = await startEngine({ jobs: [before], queues: [] });
  const { id } = await first.jobs.enqueue(before, { nmae: "Ada" });
  const { z } = await import("zod");
  const after = defineJob({ name: "greet", input: z.object({ name: z.string() }), run: () => undefined });
  await using second = await startEngine({ jobs: [after], store: first.store, clock: first.clock });
  await second.clock.advance("1s");
  const details = await second.jobs.get(id);
  assert.equal(details?.state, "dead");
  assert.equal(details?.attempt, 1);
  assert.match(details?.error?.message ?? "", /does not match its schema: name/);
});

test("what a handler returns must be what its output schema says; else the job is dead, as doing it twice mends nothing", async () => {
  const { z } = await import("zod");
  const job = defineJob({
    name: "liar",
    output: z.object({ total: z.number() }),
    run: () => ({ total: "much" }) as unknown as { total: number },
  });
  await using test = await startEngine({ jobs: [job] });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  const details = await handle.details();
  assert.equal(details?.state, "dead");
  assert.equal(details?.error?.code, "NS_JOB_OUTPUT");
});

test("a job of a name that is not known here is left alone, and run when a process that knows it comes", async () => {
  const known = defineJob({ name: "known", run: () => undefined });
  const unknown = defineJob({ name: "unknown", run: () => undefined });
  await using first = await startEngine({ jobs: [known, unknown], queues: [] });
  const strange = await first.jobs.enqueue(unknown);
  const familiar = await first.jobs.enqueue(known);
  await using second = await startEngine({ jobs: [known], store: first.store, clock: first.clock });
  await second.clock.advance("5s");
  assert.equal(await familiar.state(), "succeeded");
  assert.equal(await strange.state(), "ready");
  assert.match(await first.jobs.explain(strange.id), /knows a job named "unknown"/);
  await second.stop(AbortSignal.abort());
  await using third = await startEngine({ jobs: [known, unknown], store: first.store, clock: first.clock });
  await third.clock.advance("10s");
  assert.equal(await strange.state(), "succeeded");
  assert.equal((await third.jobs.get(strange.id))?.attempt, 1);
});

test("jobs that found no free slot are handed back for other processes", async () => {
  let slow = false;
  const job = defineJob({ name: "step", run: () => (slow ? never() : undefined) });
  await using test = await startEngine({ jobs: [job], concurrency: 2 });
  // Fast at first, so that much is claimed ahead; then slow.
  await test.jobs.enqueueMany(job, new Array(2_000).fill(undefined));
  await test.clock.advance(5);
  await test.clock.advance(5);
  slow = true;
  await test.jobs.enqueueMany(job, new Array(2_000).fill(undefined));
  // After a second, and not with the next look at the queue.
  await test.clock.advance("1.1s");
  const [queue] = (await test.jobs.counts()).queues;
  assert.equal(queue?.running, 2);
});

test("finished jobs are removed when their retention is over, by how they ended; live ones stay", async () => {
  const job = defineJob({
    name: "end",
    input: unchecked<boolean>(),
    retry: { attempts: 1 },
    run(well) {
      if (!well) throw new Error("no");
    },
  });
  const retention = { succeeded: "1h", dead: "forever" } as const;
  await using test = await startEngine({ jobs: [job], retention });
  const good = await test.jobs.enqueueMany(job, new Array(2_500).fill(true));
  const bad = await test.jobs.enqueue(job, false);
  const later = await test.jobs.enqueue(job, true, { delay: "30d" });
  await test.clock.advance("30m");
  assert.equal(await good[0]?.state(), "succeeded");
  await test.clock.advance("40m");
  const states = await Promise.all([good[0], good.at(-1), bad, later].map((handle) => handle?.state()));
  assert.deepEqual(states, [null, null, "dead", "scheduled"]);
});
