import assert from "node:assert/strict";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { test } from "node:test";
import { createHost, defineJob, unchecked } from "../../../src/index.ts";
import type { Store } from "../../../src/store/contract.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { sqlite } from "../../../src/store/sqlite/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { freshSchema, postgresUrl } from "../../support/postgres.ts";

const JOBS = 100_000;
const DELAY = 10_000;
/** The longest that a heartbeat, a health check or a request may have to wait for this process. */
const MOST_BLOCKED = 500;

/** Everything fails at its first attempt, as when a service that all jobs need goes away, and succeeds at its second. */
async function storm(store: Store, say: (text: string) => void): Promise<void> {
  const failedAt = new Map<number, number>();
  const waited: number[] = [];
  let done = 0;
  const call = defineJob({
    name: "call",
    input: unchecked<number>(),
    retry: { attempts: 3, delay: DELAY },
    run(index, job) {
      if (job.attempt === 1) {
        failedAt.set(index, performance.now());
        throw new Error("503");
      }
      waited.push(performance.now() - (failedAt.get(index) ?? 0));
      done++;
    },
  });
  const builder = createHost({ name: "storm", signals: false, logger: silentLogger });
  builder.addJobs({ store, jobs: [call], concurrency: 50 });
  const host = builder.build();
  await host.start();
  try {
    const inputs = Array.from({ length: JOBS }, (_, index) => index);
    for (let n = 0; n < JOBS; n += 5_000) await host.jobs.enqueueMany(call, inputs.slice(n, n + 5_000));
    const lag = monitorEventLoopDelay({ resolution: 10 });
    lag.enable();
    await eventually(() => assert.equal(done, JOBS), 120_000);
    lag.disable();
    const longest = lag.max / 1e6;
    waited.sort((a, b) => a - b);
    const [least = 0, middle = 0, most = 0] = [waited[0], waited[JOBS / 2], waited[JOBS - 1]];
    say(
      `came back after ${[least, middle, most].map(Math.round).join(" / ")} ms (least, median, most); event loop blocked for ${Math.round(longest)} ms at most`,
    );
    assert.equal(failedAt.size, JOBS);
    assert.equal(waited.length, JOBS, "each has run twice, and no more");
    // Not in step: the jitter spreads what failed together over half of the delay at the least.
    assert.ok(waited[JOBS * 0.9] !== undefined && (waited[JOBS * 0.9] ?? 0) - (waited[JOBS * 0.1] ?? 0) > DELAY / 4);
    assert.ok(longest < MOST_BLOCKED, `blocked for ${longest} ms`);
    const { queues } = await store.counts();
    assert.ok(queues.every(({ ready, running, scheduled }) => ready + running + scheduled === 0));
  } finally {
    await host.stop();
  }
}

test("a hundred thousand jobs that fail at once come back spread, in slices, and block nobody: SQLite", async (t) => {
  using folder = temporaryFolder();
  await storm(sqlite(join(folder.path, "jobs.db")), (text) => t.diagnostic(text));
});

test("a hundred thousand jobs that fail at once come back spread, in slices, and block nobody: PostgreSQL", async (t) => {
  const store = postgres({ connectionString: await postgresUrl(), schema: freshSchema() });
  await storm(store, (text) => t.diagnostic(text));
});
