/** Who asks first for a lone job: the line itself, and five stores on one database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NewInstance, NewJob, Wake } from "../../../src/store/contract.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { Line } from "../../../src/store/postgres/line.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { VirtualClock } from "../../../src/time/index.ts";
import { eventually } from "../../support/eventually.ts";
import { freshSchema, postgresUrl } from "../../support/postgres.ts";

/** A line of five, this process at its place, and what came of what it heard. */
function standing(before: number) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const line = new Line(
    clock,
    (queue) => void told.push(`ask ${queue}`),
    (queue) => void told.push(`pass on ${queue}`),
  );
  line.stand("7", { before, of: 5 });
  return { clock, line, told };
}

const want = (queue: string) => [{ queue, limit: 1 }];

test("of five, two ask at once for each job, and each of the five as often as the others", () => {
  const lines = [0, 1, 2, 3, 4].map((before) => standing(before).line);
  const turns = lines.map(() => 0);
  for (let job = 1; job <= 10; job++) {
    const first = lines.map((line) => line.isFirst("q", String(job)));
    assert.equal(first.filter(Boolean).length, 2, `job ${job}`);
    first.forEach((isFirst, at) => {
      turns[at] = (turns[at] ?? 0) + Number(isFirst);
    });
  }
  assert.deepEqual(turns, [4, 4, 4, 4, 4]);
});

test("who is not among the first asks after 100 ms, once for all that came meanwhile", async () => {
  const { clock, line, told } = standing(0);
  assert.equal(line.isFirst("q", "1"), false);
  await clock.advance("60ms");
  assert.equal(line.isFirst("q", "2"), false);
  await clock.advance("39ms");
  assert.deepEqual(told, []);
  await clock.advance("1ms");
  assert.deepEqual(told, ["ask q"]);
  await clock.advance("1h");
  assert.deepEqual(told, ["ask q"]);
});

test("nobody asks later for jobs that are over by then, and everybody does for one that is not", async () => {
  const { clock, line, told } = standing(0);
  for (const job of ["1", "2"]) line.isFirst("q", job);
  line.isFirst("r", "3");
  line.finished(["20784-1", "20784-2", "20784-99"]);
  await clock.advance("1s");
  assert.deepEqual(told, ["ask r"]);
});

test("a first one that has no slot free, and so asks for nothing, passes the job on to all", async () => {
  const { clock, line, told } = standing(1);
  assert.equal(line.isFirst("q", "1"), true);
  assert.equal(line.isFirst("r", "1"), true);
  line.asked(want("r"));
  await clock.advance("1s");
  assert.deepEqual(told, ["pass on q"]);
});

test("a claim asks for what was put off, too", async () => {
  const { clock, line, told } = standing(0);
  line.isFirst("q", "1");
  line.asked(want("q"));
  await clock.advance("1s");
  assert.deepEqual(told, []);
});

test("more jobs than are remembered are asked for, whatever becomes of them", async () => {
  const { clock, line, told } = standing(0);
  const jobs = Array.from({ length: 200 }, (_, n) => String(5 * n + 2));
  for (const job of jobs) assert.equal(line.isFirst("q", job), false);
  line.finished(jobs.map((job) => `20784-${job}`));
  await clock.advance("1s");
  assert.deepEqual(told, ["ask q"]);
});

test("without a place, as one of two, and with two workers on one store there is no line", () => {
  const { line } = standing(0);
  assert.equal(line.isFirst("q", "1"), false);
  line.stand("8", { before: 1, of: 5 });
  assert.equal(line.isFirst("q", "1"), true);
  line.leave("8");
  assert.equal(line.isFirst("q", "1"), false);
  line.stand("7", { before: 0, of: 2 });
  assert.equal(line.isFirst("q", "1"), true);
  line.leave("7");
  assert.equal(line.isFirst("q", "1"), true);
});

const job: NewJob = { name: "a", queue: "q", priority: 0, maxAttempts: 3, maxCrashes: 3, input: "{}" };
const TTL = 60_000;

/** Stores of one database; each notes the signs of work in its queue. */
async function processes(ends: AsyncDisposableStack, count: number) {
  const connectionString = await postgresUrl();
  const schema = freshSchema();
  const open = async () => {
    const clock = new VirtualClock();
    const store = postgres({ connectionString, schema, connections: 3 });
    await store.open({ clock, logger: silentLogger });
    ends.defer(() => store.close());
    const signs: string[] = [];
    store.subscribe((wake: Wake) => {
      if (wake.what === "work") signs.push(...wake.queues);
    });
    return { clock, store, signs };
  };
  const opened: Awaited<ReturnType<typeof open>>[] = [];
  for (let n = 0; n < count; n++) opened.push(await open());
  return opened;
}

const worker = (names: readonly string[]): NewInstance => ({
  ...{ name: "w", host: "h", pid: 1, version: "1", concurrency: 1 },
  queues: ["q"],
  names,
});

test("of four workers that are alike two hear of a lone job at once, one of another kind does, too, and the others later", async () => {
  await using ends = new AsyncDisposableStack();
  const [producer, ...workers] = await processes(ends, 6);
  assert.ok(producer);
  const ids = await Promise.all(workers.map(({ store }, n) => store.register(worker(n < 4 ? ["a"] : ["a", "b"]), TTL)));
  for (const [n, { store }] of workers.entries()) await store.heartbeat(ids[n] ?? "", TTL);
  // Without a worker of its own, it has no place and is told at once.
  await producer.store.enqueue([job]);
  // Of several jobs everybody hears, and hears it after the first sign.
  await producer.clock.advance("20ms");
  await producer.store.enqueue([
    { ...job, queue: "all" },
    { ...job, queue: "all" },
  ]);
  const all = [producer, ...workers];
  await eventually(() => assert.ok(all.every(({ signs }) => signs.includes("all"))));
  const heard = () => workers.map(({ signs }) => signs.includes("q"));
  assert.equal(heard().slice(0, 4).filter(Boolean).length, 2);
  assert.equal(heard()[4], true);
  for (const { clock } of workers) await clock.advance("100ms");
  assert.deepEqual(heard(), [true, true, true, true, true]);
});

test("while the first ones claim and finish it, nobody else hears of a lone job", async () => {
  await using ends = new AsyncDisposableStack();
  const [producer, ...workers] = await processes(ends, 5);
  assert.ok(producer);
  const ids = await Promise.all(workers.map(({ store }) => store.register(worker(["a"]), TTL)));
  for (const [n, { store, clock, signs }] of workers.entries()) {
    const id = ids[n] ?? "";
    await store.heartbeat(id, TTL);
    store.subscribe((wake) => {
      if (wake.what !== "work" || !wake.queues.includes("q")) return;
      void store
        .claim(id, { wants: [{ queue: "q", limit: 1 }], names: new Set(["a"]) })
        .then(async (leases) => {
          for (const lease of leases)
            await store.settle(id, [
              { lease: lease.id, outcomes: lease.jobs.map((one) => ({ job: one.id, type: "succeeded", ms: 1 })) },
            ]);
          await clock.advance("20ms");
        })
        .catch((error: unknown) => signs.push(String(error)));
    });
  }
  const finished: string[] = [];
  for (const { store } of workers)
    store.subscribe((wake) => {
      if (wake.what === "finished") finished.push(...wake.jobs);
    });
  const [id] = await producer.store.enqueue([job]);
  // Each of the four hears of the end, one of them by its own settlement.
  await eventually(() => assert.deepEqual(finished, Array(4).fill(id)));
  for (const { clock } of workers) await clock.advance("1s");
  const heard = workers.map(({ signs }) => signs.filter((queue) => queue === "q").length);
  assert.deepEqual(heard.toSorted(), [0, 0, 1, 1]);
});
