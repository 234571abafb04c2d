/** Several workers on one queue: none of them is passed over. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as takesTime } from "node:timers/promises";
import { createHost, createJobs, defineJob, type Store, silentLogger, unchecked } from "../../src/index.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freshSchema, postgresUrl } from "../support/postgres.ts";

const WORKERS = 4;
const JOBS = 4_000;
/** An even share is a quarter; one that is not heard of, or whose jobs others hold, has next to none. */
const LEAST = JOBS / 10;

async function shares(store: () => Store): Promise<readonly number[]> {
  const ran = new Array<number>(WORKERS).fill(0);
  const define = (worker: number) =>
    defineJob({
      name: "takes-5-ms",
      input: unchecked<number>(),
      async run() {
        ran[worker] = (ran[worker] ?? 0) + 1;
        await takesTime(5);
      },
    });
  await using workers = new AsyncDisposableStack();
  for (let worker = 0; worker < WORKERS; worker++) {
    const builder = createHost({ signals: false, logger: silentLogger });
    builder.addJobs({ store: store(), jobs: [define(worker)], concurrency: 10 });
    const host = workers.use(builder.build());
    await host.start();
    workers.defer(() => host.stop());
  }
  const job = define(WORKERS);
  await using jobs = createJobs({ store: store(), jobs: [job] });
  await jobs.enqueueMany(
    job,
    Array.from({ length: JOBS }, (_, index) => index),
  );
  await eventually(async () => assert.equal((await jobs.counts()).finished.succeeded, JOBS));
  return ran;
}

for (const [kind, open] of [
  ["SQLite", async (folder: string) => () => sqlite(join(folder, "jobs.db"))],
  [
    "PostgreSQL",
    async () => {
      const options = { connectionString: await postgresUrl(), schema: freshSchema("shares") };
      return () => postgres(options);
    },
  ],
] as const) {
  test(`four workers on one queue in ${kind} all get their share of jobs that take a while`, async () => {
    using folder = temporaryFolder();
    const ran = await shares(await open(folder.path));
    assert.equal(
      ran.reduce((sum, each) => sum + each, 0),
      JOBS,
    );
    assert.ok(Math.min(...ran) >= LEAST, `jobs by worker: ${ran.join(", ")}`);
  });
}
