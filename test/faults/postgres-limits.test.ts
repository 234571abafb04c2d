import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import type { Store, Wake } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { type Clock, systemClock } from "../../src/time/index.ts";
import { eventually } from "../support/eventually.ts";
import { freshSchema, postgresUrl, rawClient, startPostgres } from "../support/postgres.ts";
import { names, newJob, openStore, worker } from "./postgres-support.ts";

const request = { wants: [{ queue: "q", limit: 10 }], names };

/** A store on the shared server, and a client to hurt it with. */
async function onServer(body: (store: Store, raw: pg.Client, schema: string, url: string) => Promise<void>) {
  const url = await postgresUrl();
  const schema = freshSchema();
  const store = await openStore({ connectionString: url, schema, connections: 4, patience: "400ms" });
  const raw = await rawClient(url);
  try {
    await body(store, raw, schema, url);
  } finally {
    await raw.end();
    await store.close();
  }
}

test("a server that has become read-only is named as such, and written to again as soon as it can be", async () => {
  const server = await startPostgres();
  const store = await openStore({ connectionString: server.url, schema: freshSchema(), patience: "300ms" });
  try {
    const raw = await rawClient(server.url);
    const [id = ""] = await store.enqueue([newJob()]);
    const me = await store.register(worker, 60_000);
    const readOnly = async (how: "on" | "off") => {
      await raw.query("set default_transaction_read_only = off");
      await raw.query(`alter system set default_transaction_read_only = ${how}`);
      await raw.query("select pg_reload_conf()");
    };
    await readOnly("on");
    await eventually(() =>
      assert.rejects(store.enqueue([newJob()]), (error: Error & { code: string }) => {
        assert.equal(error.code, "NS_STORE_UNAVAILABLE");
        assert.match(error.message, /is read-only: a standby, or a primary .* Point the connection at the primary/);
        return true;
      }),
    );
    await assert.rejects(store.heartbeat(me, 60_000), /is read-only/);
    assert.equal((await store.getJob(id))?.state, "ready");
    await readOnly("off");
    await eventually(async () => assert.equal((await store.enqueue([newJob()])).length, 1));
    assert.equal((await store.heartbeat(me, 60_000)).alive, true);
    // The first, the last, and what was let in before the server had read its new setting.
    assert.ok(((await store.claim(me, request))[0]?.jobs.length ?? 0) >= 2);
    await raw.end();
  } finally {
    await store.close();
    await server.dispose();
  }
});

test("heartbeats go on while every connection of the pool stands before a lock", async () => {
  await onServer(async (store, raw, schema) => {
    await store.enqueue([newJob()]);
    const me = await store.register(worker, 60_000);
    await raw.query(`begin; lock table ${schema}.ready in access exclusive mode`);
    const stuck = Array.from({ length: 6 }, () => store.claim(me, request));
    for (let beat = 0; beat < 3; beat++) assert.equal((await store.heartbeat(me, 60_000)).alive, true);
    await raw.query("commit");
    assert.equal((await Promise.all(stuck)).flat().length, 1);
  });
});

test("heartbeats go on while the application has taken every connection of its pool", async () => {
  const pool = new pg.Pool({ connectionString: await postgresUrl(), max: 3, connectionTimeoutMillis: 200 });
  pool.on("error", () => undefined);
  const store = postgres({ pool, schema: freshSchema(), patience: "300ms" });
  await store.open({ clock: systemClock, logger: silentLogger });
  const me = await store.register(worker, 60_000);
  const taken = [await pool.connect(), await pool.connect()];
  await assert.rejects(store.enqueue([newJob()]), { code: "NS_STORE_UNAVAILABLE" });
  assert.equal((await store.heartbeat(me, 60_000)).alive, true);
  for (const client of taken) client.release();
  assert.equal((await store.enqueue([newJob()])).length, 1);
  await store.close();
  await pool.end();
});

test("a server that takes no more connections leaves open stores working, and lets in who waits when there is room", async () => {
  const server = await startPostgres({ settings: { max_connections: "12", superuser_reserved_connections: "0" } });
  const schema = freshSchema();
  const store = await openStore({ connectionString: server.url, schema });
  const crowd: pg.Client[] = [];
  try {
    const me = await store.register(worker, 60_000);
    await store.enqueue([newJob()]);
    await assert.rejects(async () => {
      for (;;) crowd.push(await rawClient(server.url));
    }, /too many clients|remaining connection slots/);
    assert.equal((await store.enqueue([newJob()])).length, 1);
    assert.equal((await store.claim(me, request))[0]?.jobs.length, 2);
    assert.equal((await store.heartbeat(me, 60_000)).alive, true);
    await assert.rejects(openStore({ connectionString: server.url, schema, patience: "200ms" }), {
      code: "NS_STORE_UNAVAILABLE",
    });
    const waiting = openStore({ connectionString: server.url, schema });
    for (const client of crowd) await client.end();
    await (await waiting).close();
  } finally {
    for (const client of crowd) await client.end();
    await store.close();
    await server.dispose();
  }
});

test("a caller's session that is ended in its transaction fails the caller alone, and leaves no job", async () => {
  await onServer(async (store, raw, _schema, url) => {
    const client = await rawClient(url);
    await client.query("begin");
    const [lost = ""] = await store.enqueue([newJob()], { tx: client });
    const { rows } = await client.query("select pg_backend_pid() as pid");
    await raw.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
    await assert.rejects(store.enqueue([newJob()], { tx: client }), { code: "NS_STORE_UNAVAILABLE" });
    assert.equal(await store.getJob(lost), null);
    assert.equal((await store.enqueue([newJob()])).length, 1);
  });
});

test("a leader whose sessions are ended keeps its term, and an ended ear hears again in seconds", async (t) => {
  await onServer(async (store, raw, schema, url) => {
    const other = await openStore({ connectionString: url, schema, applicationName: "ear" });
    const term = await store.campaign("sweeper", "one", 60_000);
    assert.ok(term !== null);
    const began = performance.now();
    await raw.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ear' and query like 'listen%'",
    );
    await raw.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nightshift' and state = 'idle'",
    );
    assert.notEqual(await store.renew("sweeper", String(term.token), 60_000), null);
    const queues = new Set<string>();
    other.subscribe((wake: Wake) => {
      if (wake.what === "work") for (const queue of wake.queues) queues.add(queue);
    });
    let count = 0;
    await eventually(async () => {
      await store.enqueue([newJob({ queue: `after-${++count}` })]);
      assert.ok(queues.size > 0);
    });
    t.diagnostic(`${Math.round(performance.now() - began)} ms`);
    await other.close();
  });
});

/** The machine's clock, an hour or a day out. */
function wrongClock(by: number): Clock {
  return {
    now: () => systemClock.now() + by,
    monotonic: () => systemClock.monotonic(),
    setTimer: (delay, then, options) => systemClock.setTimer(delay, then, options),
  };
}

for (const [how, by] of [
  ["an hour ahead", 3_600_000],
  ["a day behind", -86_400_000],
] as const) {
  test(`a process whose clock is ${how} leases, retries and wakes by the database's clock`, async () => {
    const url = await postgresUrl();
    const schema = freshSchema();
    const wrong = postgres({ connectionString: url, schema });
    await wrong.open({ clock: wrongClock(by), logger: silentLogger });
    const right = await openStore({ connectionString: url, schema });
    const raw = await rawClient(url);
    const [id = ""] = await wrong.enqueue([newJob({ due: { in: 1 } })]);
    const me = await wrong.register(worker, 60_000);
    const other = await right.register(worker, 60_000);
    await eventually(async () => assert.equal((await wrong.promote({ names, queues: names }, 10)).nextAt, null));
    const [lease] = await wrong.claim(me, request);
    assert.ok(lease);
    assert.deepEqual(await right.rescue(10), []);
    assert.equal((await right.heartbeat(other, 60_000)).alive, true);
    const wakes: Wake[] = [];
    wrong.subscribe((wake) => wakes.push(wake));
    await wrong.settle(me, [
      { lease: lease.id, outcomes: [{ job: id, type: "retry", ms: 1, in: 5_000, error: "{}" }] },
    ]);
    const wake = wakes.find((one) => one.what === "scheduled");
    assert.ok(wake?.what === "scheduled");
    const { rows } = await raw.query(`select run_at::float8 as at from ${schema}.scheduled`);
    const runAt = rows[0]?.at ?? 0;
    assert.ok(Math.abs(wake.at - runAt) < 2_000, `told ${wake.at}, due ${runAt}`);
    await raw.end();
    await wrong.close();
    await right.close();
  });
}

test("a migration that breaks off half-way leaves nothing, and the next one does all of it", async () => {
  const server = await startPostgres();
  try {
    const raw = await rawClient(server.url);
    await raw.query(`create function break_off() returns event_trigger language plpgsql as $$
      begin if to_regclass('half.finished') is not null then raise exception 'cut off'; end if; end $$;
      create event trigger break_off on ddl_command_end execute function break_off()`);
    await assert.rejects(openStore({ connectionString: server.url, schema: "half" }), /cut off/);
    assert.equal((await raw.query("select to_regnamespace('half') as s")).rows[0]?.s, null);
    await raw.query("drop event trigger break_off");
    const stores = await Promise.all([1, 2].map(() => openStore({ connectionString: server.url, schema: "half" })));
    assert.equal((await stores[0]?.enqueue([newJob()]))?.length, 1);
    for (const store of stores) await store.close();
    await raw.end();
  } finally {
    await server.dispose();
  }
});
