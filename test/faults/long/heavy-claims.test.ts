import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { JobId, Store } from "../../../src/store/contract.ts";
import { sqlite } from "../../../src/store/sqlite/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { freshSchema, postgresUrl } from "../../support/postgres.ts";
import { names, newJob, openStore, worker } from "../postgres-support.ts";

const JOBS = 1_000;
const MEGABYTE = 1_000_000;
/** What a store promises of a batch, and the one job that brings it there. */
const MOST_BYTES = 16 * 1_024 * 1_024 + MEGABYTE;
/** Some batches at once: as they came, as text, as objects, and not yet collected. */
const MOST_MEMORY = 400 * 1_024 * 1_024;

/** A thousand jobs of a megabyte, claimed as by a worker with a thousand free slots. */
async function drainHeavy(store: Store, say: (text: string) => void): Promise<void> {
  const ids: JobId[] = [];
  const input = JSON.stringify("x".repeat(MEGABYTE - 2));
  while (ids.length < JOBS) ids.push(...(await store.enqueue(Array.from({ length: 10 }, () => newJob({ input })))));
  const me = await store.register(worker, 600_000);
  const before = process.memoryUsage.rss();
  let peak = 0;
  let largest = 0;
  const claimed: JobId[] = [];
  while (claimed.length < JOBS) {
    const [lease] = await store.claim(me, { wants: [{ queue: "q", limit: JOBS }], names });
    assert.ok(lease, `${claimed.length} of ${JOBS} were claimed`);
    largest = Math.max(
      largest,
      lease.jobs.reduce((sum, job) => sum + job.input.length, 0),
    );
    peak = Math.max(peak, process.memoryUsage.rss());
    claimed.push(...lease.jobs.map(({ id }) => id));
    const outcomes = lease.jobs.map(({ id }) => ({ job: id, type: "succeeded", ms: 0 }) as const);
    assert.deepEqual((await store.settle(me, [{ lease: lease.id, outcomes }])).refused, []);
  }
  say(`largest batch ${largest} bytes, memory grew by ${Math.round((peak - before) / 2 ** 20)} MiB`);
  assert.deepEqual(claimed, ids, "in the order of enqueueing");
  assert.ok(largest <= MOST_BYTES, `a batch of ${largest} bytes`);
  assert.ok(peak - before <= MOST_MEMORY, `memory grew by ${peak - before} bytes`);
}

test("a thousand ready jobs of a megabyte are claimed in batches that fit in memory, in order: SQLite", async (t) => {
  using folder = temporaryFolder();
  const store = sqlite(join(folder.path, "jobs.db"));
  await store.open({ clock: systemClock, logger: silentLogger });
  await drainHeavy(store, (text) => t.diagnostic(text));
  await store.close();
});

test("a thousand ready jobs of a megabyte are claimed in batches that fit in memory, in order: PostgreSQL", async (t) => {
  const store = await openStore({ connectionString: await postgresUrl(), schema: freshSchema() });
  await drainHeavy(store, (text) => t.diagnostic(text));
  await store.close();
});
