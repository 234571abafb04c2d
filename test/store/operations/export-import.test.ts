/** Stores as files of lines, and back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../../src/store/memory/index.ts";
import { exportStore, importStore } from "../../../src/store/operations/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import {
  countsOf,
  died,
  hasCode,
  newJob,
  succeeded,
  TestWorker,
} from "../../../src/testing/store-conformance/worker.ts";
import { systemClock } from "../../../src/time/index.ts";
import { faulty } from "../../jobs/support/faulty-store.ts";
import { TestFolder } from "../sqlite/files.ts";

const context = { clock: systemClock, logger: silentLogger };
const schedule = { id: "s", group: "g", source: "dynamic", job: "a", definition: "{}", paused: false } as const;

async function filled(jobs = 1_000) {
  const store = memory();
  await store.open(context);
  await store.enqueue(Array.from({ length: jobs }, (_, n) => newJob({ input: `{"n":${n}}` })));
  const worker = await TestWorker.register(store);
  const lease = await worker.claim(2);
  const [a = "", b = ""] = lease.jobs.map(({ id }) => id);
  await worker.settle(lease, succeeded(a), died(b));
  await store.deregister(worker.instance);
  await store.pauseQueue("q", "deploy");
  await store.saveCalendar("holidays", '{"days":[]}');
  await store.saveSchedules([{ ...schedule, nextAt: 5_000_000 }]);
  const revision = (await store.getSchedules(["s"]))[0]?.revision ?? 0;
  await store.fire(
    [{ schedule: "s", revision, occurrences: [{ at: 4_000_000, what: "fired" }], nextAt: 5_000_000 }],
    "x",
  );
  return store;
}

async function linesOf(store: Parameters<typeof exportStore>[0], finished = true): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of exportStore(store, { finished })) lines.push(line);
  return lines;
}

/** What a file says apart from ids and where it comes from. */
function essence(lines: readonly string[]): unknown[] {
  return lines.map((line) => ({
    ...JSON.parse(line),
    id: 0,
    source: 0,
    kind: 0,
    location: 0,
    exportedAt: 0,
    paused: 0,
  }));
}

test("an export brings queues, calendars, schedules and jobs to another kind of store, which exports the same", async () => {
  await using folder = new TestFolder();
  const lines = await linesOf(await filled());
  const target = await folder.open({ durability: "normal" });
  // In chunks that end anywhere, inside characters too.
  const bytes = Buffer.from(lines.join(""));
  const chunks = Array.from({ length: Math.ceil(bytes.length / 777) }, (_, n) =>
    bytes.subarray(n * 777, n * 777 + 777),
  );
  const report = await importStore(target, chunks);
  const expected = { jobs: 1_000, existed: 0, queues: 1, calendars: 1, schedules: 1, keptSchedules: 0 };
  assert.deepEqual(report, expected);
  assert.deepEqual(essence(await linesOf(target)), essence(lines));
  assert.equal((await target.counts()).queues[0]?.paused?.reason, "deploy");
  const again = await importStore(target, lines);
  assert.deepEqual([again.jobs, again.existed, again.keptSchedules], [0, 1_000, 1]);
  assert.deepEqual((await target.verify()).findings, []);
  assert.equal((await linesOf(target, false)).length, lines.length - 2);
});

test("an import that broke in the middle is run again, and no job is lost or doubled", async () => {
  const lines = await linesOf(await filled());
  const real = memory();
  await real.open(context);
  const { store, faults } = faulty(real);
  for (const when of ["before", "after"] as const) {
    let slices = 0;
    const onJob = () => ++slices === 350 * (when === "before" ? 1 : 2) && faults.fail("importJobs", when, 1);
    await assert.rejects(importStore(store, lines, { onJob }), new RegExp(`importJobs broke ${when}`));
  }
  const ids = new Set<string>();
  await importStore(store, lines, { onJob: (_from, to) => ids.add(to) });
  assert.equal(ids.size, 1_000);
  assert.equal((await countsOf(real)).ready, 998);
});

test("a line that cannot be read is named by its number, and nothing of its slice is written", async () => {
  const lines = await linesOf(await filled(500));
  const header = lines.length - 502; // lines before the first job, 500 jobs, the end
  const flaws: readonly (readonly [string, RegExp])[] = [
    ["{", /line 304: not JSON/],
    ['{"type":"jab"}', /line 304: type is "jab"/],
    [
      '{"type":"job","id":"1","name":"a","queue":"q","input":"{}","createdAt":1,"priority":900}',
      /line 304: job: priority is 900/,
    ],
    ['{"type":"job","id":"1","name":"a","queue":"q","input":{},"createdAt":1}', /line 304: job: input is/],
    ['{"type":"job","id":"1","name":"a","queue":"q","input":"1","createdAt":1,"state":"dead"}', /history is empty/],
  ];
  assert.equal(header, 3);
  for (const [flaw, message] of flaws) {
    const store = memory();
    await store.open(context);
    const broken = lines.with(303, `${flaw}\n`);
    await assert.rejects(
      importStore(store, broken),
      (error) => hasCode("NS_IMPORT_INVALID")(error) && message.test(String(error)),
    );
    assert.equal(
      (await store.readJobs({ limit: 500, finished: true })).items.length,
      200,
      "the slice before it is there",
    );
  }
});

test("a file that is cut off, of another program, of a newer version or followed by another is told", async () => {
  const lines = await linesOf(await filled(3));
  const end = lines.length;
  const cases: readonly (readonly [readonly (string | Uint8Array)[], RegExp])[] = [
    [lines.slice(0, -1), new RegExp(`line ${end}: the file is cut off`)],
    [[...lines, ...lines], new RegExp(`line ${end + 1}: there is more behind the end`)],
    [lines.toSpliced(4, 1), /lines are missing/],
    [lines.slice(1), /line 1: the first line must be the header/],
    [
      lines.with(0, lines[0]?.replace('"version":1', '"version":2') ?? ""),
      /line 1: the file has version 2; this library reads 1/,
    ],
    [["<html>\n"], /line 1: not JSON/],
    [[Buffer.from([0xff, 0xfe, 0])], /not text in UTF-8/],
    [[], /line 1: the file is cut off/],
  ];
  for (const [input, message] of cases) await assert.rejects(importStore(memory(), input), message);
});

test("a job from another system needs no more than name, queue, input, id and time", async () => {
  const store = memory();
  await store.open(context);
  const header = '{"type":"nightshift-export","version":1,"source":"old system"}\n';
  const job = '{"type":"job","id":"42","name":"a","queue":"q","input":"{\\"x\\":1}","createdAt":1700000000000}\n';
  await importStore(store, [header, job, '{"type":"end","queues":0,"calendars":0,"schedules":0,"jobs":1}']);
  const [only] = (await store.readJobs({ limit: 5, finished: false })).items;
  assert.deepEqual([only?.state, only?.input, only?.createdAt], ["ready", '{"x":1}', 1_700_000_000_000]);
});

test("an export reads a page when the one before is taken, and pages of large inputs are short", async () => {
  await using folder = new TestFolder();
  const real = await folder.open({ durability: "normal" });
  const { store, faults } = faulty(real);
  const input = JSON.stringify("x".repeat(100_000));
  await store.enqueue(Array.from({ length: 200 }, () => newJob({ input })));
  let lines = 0;
  for await (const line of exportStore(store)) {
    if (line.includes('"type":"job"')) lines++;
    // Four million characters are forty jobs.
    if (lines > 0) assert.equal(faults.calls.get("readJobs"), Math.ceil(lines / 40));
    if (lines === 120) break;
  }
  await assert.doesNotReject(real.now(), "the export's own opening is closed, the store's first one is not");
});
