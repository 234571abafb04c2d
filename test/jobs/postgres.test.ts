/** The engine on PostgreSQL: what it does in memory and on SQLite, it does there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import {
  type Application,
  createHost,
  defineJob,
  type NightshiftError,
  silentLogger,
  unchecked,
} from "../../src/index.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { freshSchema, postgresUrl } from "../support/postgres.ts";

const ran: string[] = [];
const step = defineJob({
  name: "step",
  input: unchecked<string>(),
  output: unchecked<string>(),
  retry: { attempts: 3, backoff: "fixed", delay: "20ms" },
  run(what, { attempt }) {
    ran.push(what);
    if (what === "flaky" && attempt < 3) throw new Error("not yet");
    return `${what} done`;
  },
});
const long = defineJob({
  name: "long",
  run: (_input, { signal }) =>
    new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
});

async function start(url: string, schema: string): Promise<Application> {
  const builder = createHost({ signals: false, logger: silentLogger });
  builder.addJobs({
    store: postgres({ connectionString: url, schema }),
    jobs: [step, long],
    concurrency: 10,
    drainTimeout: "100ms",
  });
  const host = builder.build();
  await host.start();
  return host;
}

test("two hosts on PostgreSQL share work, retry, cancel and enqueue in the caller's transaction", async () => {
  const url = await postgresUrl();
  const schema = freshSchema("jobs");
  await using first = await start(url, schema);
  await using second = await start(url, schema);
  const count = 2_000;
  await first.jobs.enqueueMany(
    step,
    Array.from({ length: count }, (_, index) => `job ${index}`),
  );
  const flaky = await second.jobs.enqueue(step, "flaky");
  assert.equal(await flaky.result({ timeout: "30s" }), "flaky done");
  const last = await first.jobs.enqueue(step, "last", { priority: -100 });
  await last.result({ timeout: "60s" });
  assert.equal(new Set(ran).size, count + 2);
  assert.equal(ran.length, count + 2 + 2);

  const running = await first.jobs.enqueue(long);
  while ((await running.state()) !== "running") await new Promise(setImmediate);
  const told = assert.rejects(
    running.result({ timeout: "30s" }),
    (error: NightshiftError) => error.code === "NS_JOB_CANCELLED",
  );
  assert.equal(await running.cancel("user left"), "requested");
  await told;

  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("BEGIN");
    const dropped = await first.jobs.enqueue(step, "rolled back", { tx: client });
    await client.query("ROLLBACK");
    await client.query("BEGIN");
    const kept = await first.jobs.enqueue(step, "committed", { tx: client });
    await client.query("COMMIT");
    assert.equal(await kept.result({ timeout: "30s" }), "committed done");
    assert.equal(await dropped.state(), null);
  } finally {
    await client.end();
  }

  const unfinished = await second.jobs.enqueue(long);
  while ((await unfinished.state()) !== "running") await new Promise(setImmediate);
  await Promise.all([first.stop(), second.stop()]);
  await using third = await start(url, schema);
  const details = await third.jobs.get(unfinished.id);
  assert.ok(details !== null && details.attempt <= 1 && details.history.length === 0, JSON.stringify(details));
  await third.stop();
});
