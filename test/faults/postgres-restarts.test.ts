import assert from "node:assert/strict";
import { test } from "node:test";
import { freshSchema, rawClient, startPostgres } from "../support/postgres.ts";
import { assertAllOnce, Load, names, newJob, openStore, worker } from "./postgres-support.ts";

for (const how of ["fast", "immediate", "kill"] as const) {
  test(`no accepted job is lost or succeeds twice when PostgreSQL is restarted under load: ${how}`, async () => {
    const server = await startPostgres();
    try {
      const schema = freshSchema();
      const store = await openStore({ connectionString: server.url, schema });
      using load = new Load(store).start(4, 3);
      load.forgetful = how !== "fast";
      for (let round = 0; round < 2; round++) {
        await load.more(200);
        await server.halt(how);
        await server.resume();
      }
      await load.more(200);
      await load.finish();
      await assertAllOnce(server.url, schema, load.accepted);
      await store.close();
    } finally {
      await server.dispose();
    }
  });
}

test("a claim that a crash has undone never was: the job is claimed again, uncounted, and the old lease settles nothing", async () => {
  // Nothing but a commit that waits writes the log out.
  const server = await startPostgres({ settings: { wal_writer_delay: "10s" } });
  try {
    const schema = freshSchema();
    const store = await openStore({ connectionString: server.url, schema });
    const me = await store.register(worker, 900_000);
    const request = { wants: [{ queue: "q", limit: 1 }], names };
    const settle = (lease: string, job: string) =>
      store.settle(me, [{ lease, outcomes: [{ job, type: "succeeded", ms: 0 }] }]);
    const accepted: string[] = [];
    let undone = 0;
    // The log may be written out for another reason just then: more than one try.
    for (let tries = 0; undone === 0 && tries < 5; tries++) {
      const [id = ""] = await store.enqueue([newJob()]);
      accepted.push(id);
      const [first] = await store.claim(me, request);
      assert.ok(first);
      await server.halt("kill");
      await server.resume();
      const [again] = await store.claim(me, request);
      if (again === undefined) assert.deepEqual((await settle(first.id, id)).refused, []);
      else {
        undone++;
        assert.notEqual(again.id, first.id);
        assert.deepEqual(
          again.jobs.map(({ id, attempt }) => ({ id, attempt })),
          [{ id, attempt: 1 }],
        );
        assert.deepEqual((await settle(first.id, id)).refused, [first.id]);
        assert.deepEqual((await settle(again.id, id)).refused, []);
      }
    }
    assert.ok(undone > 0, "no crash came before the log was written");
    await assertAllOnce(server.url, schema, accepted);
    await store.close();
  } finally {
    await server.dispose();
  }
});

test("connections of every kind may be ended again and again, and wake-ups are heard afterwards", async () => {
  const server = await startPostgres();
  try {
    const schema = freshSchema();
    const store = await openStore({ connectionString: server.url, schema });
    const other = await openStore({ connectionString: server.url, schema });
    using load = new Load(store).start(4, 3);
    const raw = await rawClient(server.url);
    for (let round = 0; round < 8; round++) {
      await load.more(60);
      const { rows } = await raw.query(
        "select count(pg_terminate_backend(pid))::int as n from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'nightshift'",
      );
      assert.ok(rows[0]?.n > 0);
    }
    await load.more(60);
    await load.finish();
    await assertAllOnce(server.url, schema, load.accepted);
    // A queue that was not heard of yet: only a NOTIFY that names it will do.
    const queue = "after-all-that";
    const heard = new Promise<void>((resolve) => {
      other.subscribe((wake) => wake.what === "work" && wake.queues.includes(queue) && resolve());
    });
    let done = false;
    void heard.then(() => (done = true));
    const deadline = performance.now() + 20_000;
    while (!done && performance.now() < deadline) {
      await store.enqueue([newJob({ queue })]);
      await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 100))]);
    }
    assert.ok(done, "the other process hears again");
    await raw.end();
    await store.close();
    await other.close();
  } finally {
    await server.dispose();
  }
});

test("a server that stays away is a clear error once the patience is over, and closing does not wait for it", async () => {
  const server = await startPostgres();
  try {
    const store = await openStore({ connectionString: server.url, schema: freshSchema(), patience: "300ms" });
    await server.halt("fast");
    await assert.rejects(store.enqueue([newJob()]), { code: "NS_STORE_UNAVAILABLE" });
    await assert.rejects(store.counts(), /cannot be reached|was lost/);
    await store.close();
    await assert.rejects(openStore({ connectionString: server.url, patience: "300ms" }), {
      code: "NS_STORE_UNAVAILABLE",
    });
  } finally {
    await server.dispose();
  }
});
