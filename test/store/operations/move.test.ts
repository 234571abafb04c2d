/** Moving what is to be done from one store to another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../../../src/store/contract.ts";
import { moveStore } from "../../../src/store/operations/index.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { sqlite } from "../../../src/store/sqlite/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import {
  died,
  hasCode,
  newJob,
  retried,
  succeeded,
  TestWorker,
} from "../../../src/testing/store-conformance/worker.ts";
import { systemClock } from "../../../src/time/index.ts";
import { faulty } from "../../jobs/support/faulty-store.ts";
import { freshSchema, postgresUrl } from "../../support/postgres.ts";
import { TestFolder } from "../sqlite/files.ts";

const context = { clock: systemClock, logger: silentLogger };

async function target(): Promise<Store & AsyncDisposable> {
  const store = postgres({ connectionString: await postgresUrl(), schema: freshSchema(), connections: 4 });
  await store.open(context);
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

/** Fills a store with jobs in all places; 400 are not over. Returns the inputs of those. */
async function fill(source: Store): Promise<string[]> {
  const inputs = Array.from({ length: 402 }, (_, n) => `{"n":${n}}`);
  await source.enqueue(inputs.map((input, n) => newJob({ input, ...(n >= 300 ? { due: { in: 3_600_000 } } : {}) })));
  const worker = await TestWorker.register(source);
  const lease = await worker.claim(3);
  const [a = "", b = "", c = ""] = lease.jobs.map(({ id }) => id);
  await worker.settle(lease, succeeded(a), died(b), retried(c));
  await source.deregister(worker.instance);
  await source.enqueue([newJob({ queue: "quiet", input: '"quiet"' })]);
  await source.pauseQueue("quiet", "by hand");
  await source.saveCalendar("c", "{}");
  const schedule = {
    id: "s",
    group: "",
    source: "dynamic",
    job: "a",
    definition: "{}",
    nextAt: 9,
    paused: false,
  } as const;
  await source.saveSchedules([schedule]);
  return [...inputs.slice(2), '"quiet"'];
}

/** The inputs of all jobs that can still run. */
async function liveInputs(store: Store): Promise<string[]> {
  const inputs: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await store.readJobs({ limit: 500, finished: false, ...(cursor === null ? {} : { cursor }) });
    inputs.push(...page.items.map(({ input }) => input));
    cursor = page.next;
  } while (cursor !== null);
  return inputs;
}

test("jobs that are not over, schedules, calendars and pauses move to PostgreSQL, and nothing of them can run in the file any more", async () => {
  await using folder = new TestFolder();
  await using to = await target();
  const source = await folder.open({ durability: "normal" });
  const inputs = await fill(source);
  const mapping = new Map<string, string>();
  const report = await moveStore(source, to, { onJob: (old, fresh) => mapping.set(old, fresh) });
  const expected = {
    jobs: 401,
    verified: 401,
    queues: 1,
    calendars: 1,
    schedules: 1,
    keptSchedules: 0,
    otherSchedules: [],
    stayPaused: 2,
  };
  assert.deepEqual(report, expected);
  assert.deepEqual(await liveInputs(to), inputs);
  assert.deepEqual(await liveInputs(source), []);
  assert.equal(mapping.size, 401);
  assert.equal((await to.getJob(mapping.get("3") ?? ""))?.history[0]?.what, "retry");
  assert.match((await source.getJob("3"))?.history.at(-1)?.error ?? "", /^moved to postgres .*\/postgres/);
  const { queues } = await to.counts();
  assert.equal(queues.find(({ queue }) => queue === "quiet")?.paused?.reason, "by hand");
  assert.equal(queues.find(({ queue }) => queue === "q")?.paused, null);
  assert.deepEqual(
    (await source.getSchedules(["s"])).map(({ paused }) => paused),
    [true],
  );
  assert.deepEqual(
    (await to.getSchedules(["s"])).map(({ paused, nextAt }) => [paused, nextAt]),
    [[false, 9]],
  );
  const late = await TestWorker.register(source);
  await source.enqueue([newJob({ input: '"late"' })]);
  assert.deepEqual(await late.claimLeases(), [], "the queues of the source are paused");
  await source.deregister(late.instance);
  assert.equal((await moveStore(source, to)).jobs, 1);
  assert.deepEqual(await liveInputs(to), [...inputs, '"late"']);
  const finished = await moveStore(source, to, { finished: true });
  assert.deepEqual([finished.jobs, finished.verified], [2, 404]);
  assert.deepEqual((await to.verify()).findings, []);
});

test("a queue that had nothing left to do is paused in the source too: whoever starts the old application works none of it", async () => {
  await using folder = new TestFolder();
  await using to = await target();
  const source = await folder.open({ durability: "normal" });
  const [id = ""] = await source.enqueue([newJob({ queue: "idle" })]);
  const worker = await TestWorker.register(source);
  const [lease] = await worker.claimLeases(1, "idle");
  assert.ok(lease);
  await worker.settle(lease, succeeded(id));
  await source.deregister(worker.instance);
  assert.deepEqual((await moveStore(source, to)).jobs, 0);
  await source.enqueue([newJob({ queue: "idle" })]);
  const [queue] = (await source.counts()).queues;
  assert.match(queue?.paused?.reason ?? "", /^moved to postgres/);
  assert.equal((await to.counts()).queues.length, 0, "there it is not");
  const old = await TestWorker.register(source);
  assert.deepEqual(await old.claimLeases(1, "idle"), []);
});

test("a schedule of which the target has another one is named, stays as it is there, and stays in the source, paused", async () => {
  await using folder = new TestFolder();
  await using to = await target();
  const source = await folder.open({ durability: "normal" });
  const base = { group: "", source: "dynamic", job: "a", nextAt: 9, paused: false } as const;
  const named = (id: string, definition: string) => ({ ...base, id, definition });
  await source.saveSchedules([named("both", '{"every":1}'), named("same", "{}"), named("mine", "{}")]);
  await to.saveSchedules([named("both", '{"every":2}'), named("same", "{}")]);
  for (const schedules of [1, 0]) {
    const report = await moveStore(source, to);
    assert.deepEqual(
      [report.schedules, report.keptSchedules, report.otherSchedules],
      [schedules, 3 - schedules, ["both"]],
    );
  }
  const seen = async (store: Store) =>
    (await store.getSchedules(["both"])).map(({ definition, paused }) => [definition, paused]);
  assert.deepEqual(await seen(to), [['{"every":2}', false]]);
  assert.deepEqual(await seen(source), [['{"every":1}', true]]);
});

test("a move that is interrupted anywhere and run again loses nothing and doubles nothing", async () => {
  await using folder = new TestFolder();
  await using to = await target();
  const source = await folder.open({ durability: "normal" });
  const inputs = await fill(source);
  const from = faulty(source);
  const into = faulty(to);
  // In the order of the move's own steps: an earlier one that broke would hide a later one.
  const steps = [
    [into.faults, "saveSchedules"],
    [from.faults, "saveSchedules"],
    [into.faults, "importJobs"],
    [from.faults, "cancel"],
  ] as const;
  for (const [faults, method] of steps) {
    for (const when of ["before", "after"] as const) {
      faults.fail(method, when, 1);
      await assert.rejects(moveStore(from.store, into.store), new RegExp(`${method} broke ${when}`));
      faults.heal();
    }
  }
  const { verified } = await moveStore(from.store, into.store);
  assert.equal(verified, 401);
  assert.deepEqual((await liveInputs(to)).sort(), inputs.sort());
  assert.equal((await to.getSchedules(["s"]))[0]?.paused, false);
});

test("a store that processes work on is not moved, and says who they are", async () => {
  await using folder = new TestFolder();
  const source = await folder.open({ durability: "normal" });
  await source.enqueue([newJob()]);
  const worker = await TestWorker.register(source, "shop@web-1");
  const to = sqlite({ path: folder.file("other.db"), durability: "normal" });
  const refused = (error: unknown) => hasCode("NS_STORE_IN_USE")(error) && /shop@web-1/.test(String(error));
  await assert.rejects(moveStore(source, to), refused);
  assert.equal((await worker.claim()).jobs.length, 1, "nothing was paused");
  await assert.rejects(moveStore(source, sqlite(folder.file())), hasCode("NS_OPTION_INVALID"));
});
