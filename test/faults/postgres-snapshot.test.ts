/** The disk set back to a snapshot on the same time line: to PostgreSQL a start like any other, with a part of the past missing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createHost, defineJob, silentLogger } from "../../src/index.ts";
import type { JobId } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { eventually } from "../support/eventually.ts";
import { freshSchema, type PostgresServer, startPostgres } from "../support/postgres.ts";
import { takeNumbers } from "./lost-numbers.ts";
import { assertAllOnce, names, newJob, openStore, worker } from "./postgres-support.ts";

/** Stops the server, does something with its data, and starts it again. */
async function meanwhile<T>(server: PostgresServer, work: () => T): Promise<T> {
  await server.halt("fast");
  const result = work();
  await server.resume();
  return result;
}

test("a disk set back to a snapshot gives no number again, and who lived through it hands back what it had settled", async () => {
  const server = await startPostgres();
  try {
    const schema = freshSchema();
    const store = await openStore({ connectionString: server.url, schema });
    const me = await store.register(worker, 900_000);
    const [known] = await store.enqueue([newJob()]);
    const want = { wants: [{ queue: "q", limit: 1 }], names };
    const [lease] = await store.claim(me, want);
    const putBack = await meanwhile(server, () => server.snapshot());

    await store.settle(me, [{ lease: lease?.id ?? "", outcomes: [{ job: known as JobId, type: "succeeded", ms: 1 }] }]);
    const lost = await store.enqueue(Array.from({ length: 50 }, () => newJob({ queue: "lost" })));
    const assertNotGivenAgain = await takeNumbers(store);
    await meanwhile(server, putBack);

    // Nobody asked anything meanwhile: no call failed.
    const newcomer = await openStore({ connectionString: server.url, schema });
    const others = await newcomer.enqueue(Array.from({ length: 50 }, () => newJob({ queue: "other" })));
    const [again] = await store.enqueue([newJob({ queue: "lost" })]);
    assert.equal((await store.getJob(again as JobId))?.queue, "lost", "not a queue that was given its number");
    assert.deepEqual(
      [...others, again].filter((id) => lost.includes(id as JobId)),
      [],
      "ids of lost jobs",
    );
    assert.equal(await store.getJob(lost[0] as JobId), null);
    await assertNotGivenAgain(newcomer);

    assert.equal((await store.getJob(known as JobId))?.state, "running", "its outcome is lost");
    const [second] = await store.claim(me, want);
    assert.equal(second?.jobs[0]?.id, known);
    assert.notEqual(second?.id, lease?.id);
    await store.settle(me, [
      { lease: second?.id ?? "", outcomes: [{ job: known as JobId, type: "succeeded", ms: 1 }] },
    ]);
    for (const [queue, limit] of [
      ["lost", 10],
      ["other", 100],
    ] as const) {
      const [rest] = await store.claim(me, { wants: [{ queue, limit }], names });
      const outcomes = rest?.jobs.map(({ id }) => ({ job: id, type: "succeeded", ms: 1 }) as const) ?? [];
      await store.settle(me, [{ lease: rest?.id ?? "", outcomes }]);
    }
    await assertAllOnce(server.url, schema, [known as JobId, again as JobId, ...others]);
    await Promise.all([store.close(), newcomer.close()]);
  } finally {
    await server.dispose();
  }
});

test("a server that starts over and over uses up no more numbers than its starts are worth", async () => {
  const server = await startPostgres();
  try {
    const store = await openStore({ connectionString: server.url, schema: freshSchema() });
    const first = Number(await store.register(worker, 900_000));
    for (let starts = 0; starts < 3; starts++) {
      await meanwhile(server, () => undefined);
      await store.register(worker, 900_000);
    }
    const last = Number(await store.register(worker, 900_000));
    assert.ok(last > first + 3_000 && last < first + 12_000, `${first} to ${last}`);
    await store.close();
  } finally {
    await server.dispose();
  }
});

test("a worker whose slots are all full is told of leases that a start of the server has forgotten, and aborts their handlers", async (t) => {
  const server = await startPostgres();
  let reason: { code?: string } | undefined;
  const endless = defineJob({
    name: "endless",
    run: (_input, { signal }) =>
      new Promise<void>((_, reject) => {
        signal.addEventListener("abort", () => reject((reason = signal.reason)), { once: true });
      }),
  });
  try {
    const schema = freshSchema();
    const store = () => postgres({ connectionString: server.url, schema, patience: "20s" });
    const builder = createHost({ signals: false, logger: silentLogger });
    builder.addJobs({ store: store(), jobs: [endless], concurrency: 1, drainTimeout: "100ms" });
    await using host = builder.build();
    await host.start();
    const control = await openStore({ connectionString: server.url, schema });
    await control.pauseQueue("default");
    const job = await host.jobs.enqueue(endless);
    const putBack = await meanwhile(server, () => server.snapshot());
    await control.resumeQueue("default");
    await eventually(async () => assert.equal(await job.state(), "running"));
    await meanwhile(server, putBack);
    const asked = performance.now();
    assert.equal(await job.state(), "ready", "its claim is forgotten, and the queue is paused as it was");
    await eventually(() => assert.equal(reason?.code, "NS_LEASE_LOST"));
    t.diagnostic(`told after ${Math.round(performance.now() - asked)} ms`);
    // The slot is free for what comes now.
    await control.resumeQueue("default");
    await eventually(async () => assert.equal(await job.state(), "running"));
    await Promise.all([host.stop(), control.close()]);
  } finally {
    await server.dispose();
  }
});
