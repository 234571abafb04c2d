import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { JobId, Store } from "../../../src/store/contract.ts";
import { sqlite } from "../../../src/store/sqlite/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { freshSchema, startPostgres } from "../../support/postgres.ts";
import { names, newJob, openStore, worker } from "../postgres-support.ts";

const JOBS = 1_000_000;
const AT_ONCE = 50_000;
/** The most that one claim may ask for. */
const MOST = 10_000;
const CLAIMS = 10;
/** Some batches of ten thousand jobs of a hundred bytes: as they came, as objects, and not yet collected. */
const MOST_MEMORY = 128 * 1_024 * 1_024;

/** A million ready jobs in one queue, and claims that ask for as much as they may. */
async function claimFromTheDeep(store: Store, say: (text: string) => void): Promise<void> {
  const first: JobId[] = [];
  const input = JSON.stringify("x".repeat(98));
  for (let count = 0; count < JOBS; count += AT_ONCE) {
    const ids = await store.enqueue(Array.from({ length: AT_ONCE }, () => newJob({ input })));
    if (first.length < CLAIMS * MOST) first.push(...ids);
  }
  const me = await store.register(worker, 600_000);
  const ask = (limit: number) => store.claim(me, { wants: [{ queue: "q", limit }], names });
  await assert.rejects(ask(JOBS), { code: "NS_OPTION_INVALID", message: /from 0 to 10000/ });
  const before = process.memoryUsage.rss();
  let peak = 0;
  const claimed: JobId[] = [];
  const times: number[] = [];
  for (let claims = 0; claims < CLAIMS; claims++) {
    const started = performance.now();
    const [lease] = await ask(MOST);
    times.push(Math.round(performance.now() - started));
    assert.equal(lease?.jobs.length, MOST);
    claimed.push(...lease.jobs.map(({ id }) => id));
    const outcomes = lease.jobs.map(({ id }) => ({ job: id, type: "succeeded", ms: 0 }) as const);
    assert.deepEqual((await store.settle(me, [{ lease: lease.id, outcomes }])).refused, []);
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  say(`claims of ${MOST} took ${times.join(", ")} ms, memory grew by ${Math.round((peak - before) / 2 ** 20)} MiB`);
  assert.deepEqual(claimed, first.slice(0, CLAIMS * MOST), "in the order of enqueueing");
  assert.ok(peak - before <= MOST_MEMORY, `memory grew by ${peak - before} bytes`);
  const { queues } = await store.counts();
  assert.equal(queues.find(({ queue }) => queue === "q")?.ready, JOBS - CLAIMS * MOST);
}

test("of a million ready jobs a claim brings ten thousand at the most, the first of them, in memory that has a bound: SQLite", async (t) => {
  using folder = temporaryFolder();
  const store = sqlite(join(folder.path, "jobs.db"));
  await store.open({ clock: systemClock, logger: silentLogger });
  await claimFromTheDeep(store, (text) => t.diagnostic(text));
  await store.close();
});

test("of a million ready jobs a claim brings ten thousand at the most, the first of them, in memory that has a bound: PostgreSQL", async (t) => {
  const server = await startPostgres();
  try {
    const store = await openStore({ connectionString: server.url, schema: freshSchema() });
    await claimFromTheDeep(store, (text) => t.diagnostic(text));
    await store.close();
  } finally {
    await server.dispose();
  }
});
