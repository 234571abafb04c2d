/**
 * How many no-op jobs a second one process takes in and runs, start to finish, on each store.
 *
 * `node bench/jobs.ts [--jobs 200000] [--concurrency 100] [--store sqlite|memory|postgres] [--url ...] [--work 0]`:
 * `--work` is how long a handler waits, in milliseconds; `--url` names the PostgreSQL server, where a schema is made.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createHost, defineJob, silentLogger, unchecked } from "../src/index.ts";
import type { Store } from "../src/store/contract.ts";
import { memory } from "../src/store/memory/index.ts";
import { postgres } from "../src/store/postgres/index.ts";
import { sqlite } from "../src/store/sqlite/index.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "200000" },
    concurrency: { type: "string", default: "100" },
    store: { type: "string", default: "sqlite" },
    url: { type: "string", default: "postgres://localhost/postgres" },
    work: { type: "string", default: "0" },
  },
});
const total = Number(values.jobs);
const work = Number(values.work);

const folder = mkdtempSync(join(tmpdir(), "nightshift-bench-"));
let done = 0;
let spent = process.cpuUsage();
const job = defineJob({
  name: "bench.step",
  input: unchecked<{ index: number; to: string }>(),
  async run() {
    if (work > 0) await wait(work);
    done++;
  },
});
const stores: Record<string, () => Store> = {
  memory: () => memory(),
  sqlite: () => sqlite(join(folder, "bench.db")),
  postgres: () => postgres({ connectionString: values.url, schema: `bench_${process.pid}` }),
};
const store = stores[values.store]?.();
if (store === undefined) throw new Error(`--store is ${values.store}: give one of ${Object.keys(stores).join(", ")}`);
const builder = createHost({ signals: false, logger: silentLogger });
builder.addJobs({ store, jobs: [job], concurrency: Number(values.concurrency) });
try {
  await using host = builder.build();
  await host.start();
  const { jobs } = host;
  await jobs.pauseQueue("default");
  const inputs = Array.from({ length: 1_000 }, (_, index) => ({ index, to: "someone@example.com" }));
  const enqueueing = performance.now();
  for (let sent = 0; sent < total; sent += inputs.length) await jobs.enqueueMany(job, inputs.slice(0, total - sent));
  report("enqueued by the thousand", total, performance.now() - enqueueing);

  const draining = performance.now();
  await jobs.resumeQueue("default");
  while (done < total) await wait(5);
  while ((await jobs.counts()).finished.succeeded < total) await wait(1);
  report(`run and settled, concurrency ${values.concurrency}`, total, performance.now() - draining);

  const singly = 2_000;
  const single = performance.now();
  for (let sent = 0; sent < singly; sent++) await jobs.enqueue(job, { index: sent, to: "someone@example.com" });
  report("enqueued one by one, awaited", singly, performance.now() - single);
  const together = performance.now();
  await Promise.all(
    Array.from({ length: 20_000 }, (_, index) => jobs.enqueue(job, { index, to: "someone@example.com" })),
  );
  report("enqueued one by one, at once", 20_000, performance.now() - together);
  const latencies: number[] = [];
  while (done < total + singly + 20_000) await wait(5);
  for (let index = 0; index < 200; index++) {
    const before = performance.now();
    const expected = done + 1;
    await jobs.enqueue(job, { index, to: "someone@example.com" });
    while (done < expected) await new Promise(setImmediate);
    latencies.push(performance.now() - before);
    await wait(2);
  }
  latencies.sort((a, b) => a - b);
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2);
  console.log(`enqueue to handler, idle: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  await host.stop();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The processor's time beside the clock's: on a busy machine only the first is worth comparing. */
function report(what: string, count: number, ms: number): void {
  const { user, system } = process.cpuUsage(spent);
  spent = process.cpuUsage();
  const rate = Math.round((count / ms) * 1_000).toLocaleString("en");
  console.log(`${what}: ${rate} jobs/s, ${((user + system) / count).toFixed(1)} µs of processor time each`);
}
