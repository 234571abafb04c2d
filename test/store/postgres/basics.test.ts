import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { test } from "node:test";
import pg from "pg";
import type { NewInstance, NewJob } from "../../../src/store/contract.ts";
import { type PostgresOptions, postgres } from "../../../src/store/postgres/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { freshSchema, postgresUrl, rawClient } from "../../support/postgres.ts";

const context = { clock: systemClock, logger: silentLogger };
const job = (over: Partial<NewJob> = {}): NewJob => ({
  ...{ name: "a", queue: "q", priority: 0, input: "{}", maxAttempts: 3, maxCrashes: 3 },
  ...over,
});
const worker: NewInstance = { name: "w", host: "h", pid: 1, version: "0", queues: ["q"], names: ["a"], concurrency: 1 };

async function opened(options: Partial<PostgresOptions> = {}) {
  const connectionString = await postgresUrl();
  const schema = options.schema ?? freshSchema();
  const store = postgres({ connectionString, schema, ...options });
  await store.open(context);
  return { store, schema, connectionString, [Symbol.asyncDispose]: () => store.close() };
}

test("a schema's name may be any text that PostgreSQL can keep", async () => {
  await using db = await opened({ schema: `we"ird '; drop schema x -- ${process.pid}` });
  const [id = ""] = await db.store.enqueue([job({ input: '{"x":"\\"\\\\{}, NULL"}' })]);
  assert.equal((await db.store.getJob(id))?.input, '{"x":"\\"\\\\{}, NULL"}');
  assert.throws(() => postgres({ connectionString: "postgres://x/y", schema: "pg_mine" }), {
    code: "NS_OPTION_INVALID",
  });
});

test("unknown options, a missing connection and a bad URL are refused by name, and no secret is shown", () => {
  assert.throws(() => postgres({ conectionString: "x" } as object), /Did you mean "connectionString"/);
  assert.throws(() => postgres({}), { code: "NS_OPTION_INVALID" });
  assert.throws(
    () => postgres("postgres//me:secret@x"),
    (error: Error) => !error.message.includes("secret"),
  );
});

test("jobs enqueued inside a caller's transaction exist when it commits, and never when it rolls back", async () => {
  await using db = await opened();
  const client = await rawClient(db.connectionString);
  await client.query("begin");
  const [gone = ""] = await db.store.enqueue([job({ queue: "new-queue", name: "new-name" })], { tx: client });
  await client.query("rollback");
  await client.query("begin");
  const [kept = ""] = await db.store.enqueue([job({ queue: "new-queue", name: "new-name" })], { tx: client });
  assert.equal(await db.store.getJob(kept), null);
  await client.query("commit");
  await client.end();
  assert.equal(await db.store.getJob(gone), null);
  assert.equal((await db.store.getJob(kept))?.state, "ready");
  await assert.rejects(db.store.enqueue([job()], { tx: 42 }), { code: "NS_STORE_TX" });
});

test("a pool, and a client on which nothing was begun, are refused as tx before anything is written", async () => {
  await using db = await opened();
  const pool = new pg.Pool({ connectionString: db.connectionString });
  await assert.rejects(db.store.enqueue([job()], { tx: pool }), /NS_STORE_TX: tx is a pool.*pool\.connect\(\)/);
  await pool.end();
  const client = await rawClient(db.connectionString);
  await assert.rejects(db.store.enqueue([job()], { tx: client }), /NS_STORE_TX: No transaction is open on the client/);
  assert.deepEqual((await db.store.listJobs({ state: "ready", limit: 10 })).items, []);
  const begun = client.query("begin"); // on its way, and not waited for
  await db.store.enqueue([job()], { tx: client });
  await begun;
  await client.query("commit");
  await client.end();
  assert.equal((await db.store.listJobs({ state: "ready", limit: 10 })).items.length, 1);
});

test("a transaction that has failed before is no tx, and the error says so", async () => {
  await using db = await opened();
  const client = await rawClient(db.connectionString);
  await client.query("begin");
  await assert.rejects(client.query("select 1 / 0"), /division by zero/);
  await assert.rejects(db.store.enqueue([job()], { tx: client }), /NS_STORE_TX: The transaction .* rolled back/);
  await client.query("rollback");
  await client.end();
});

test("concurrent calls share a statement, and one that cannot be stored fails alone", async () => {
  await using db = await opened();
  const raw = await rawClient(db.connectionString);
  await raw.query(`alter table ${db.schema}.job add constraint no_evil check (input <> '"evil"')`);
  const results = await Promise.allSettled([
    db.store.enqueue([job({ input: '"good"' })]),
    db.store.enqueue([job({ input: '"fine"' }), job({ input: '"evil"' })]),
    db.store.enqueue([job({ input: '"good"' })]),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.equal((await db.store.counts()).queues[0]?.ready, 2);
  await raw.end();
});

test("a call of many thousand jobs is one commit", async () => {
  await using db = await opened();
  const ids = await db.store.enqueue(Array.from({ length: 12_000 }, (_, n) => job({ input: String(n) })));
  assert.equal(new Set(ids).size, 12_000);
  const raw = await rawClient(db.connectionString);
  const { rows } = await raw.query(
    `select count(distinct xmin::text)::int as n, count(*)::int as m from ${db.schema}.job`,
  );
  assert.deepEqual(rows, [{ n: 1, m: 12_000 }]);
  await raw.end();
});

test("processes that open an empty database together make the schema once", async () => {
  const connectionString = await postgresUrl();
  const schema = freshSchema();
  const stores = Array.from({ length: 4 }, () => postgres({ connectionString, schema }));
  await Promise.all(stores.map((store) => store.open(context)));
  await stores[0]?.enqueue([job()]);
  assert.equal((await stores[3]?.counts())?.queues[0]?.ready, 1);
  await Promise.all(stores.map((store) => store.close()));
});

test("a schema with other tables is left alone, and one of a newer version is refused unless it only added", async () => {
  await using db = await opened();
  const raw = await rawClient(db.connectionString);
  const foreign = freshSchema("foreign");
  await raw.query(`create schema ${foreign}; create table ${foreign}.customers (id int)`);
  await assert.rejects(opened({ schema: foreign }), { code: "NS_STORE_FOREIGN" });
  await raw.query(`insert into ${db.schema}.migration values (1000, 'more', true)`);
  await using again = await opened({ schema: db.schema });
  assert.equal(again.store.info().kind, "postgres");
  await raw.query(`update ${db.schema}.migration set compatible = false where number = 1000`);
  await assert.rejects(opened({ schema: db.schema }), { code: "NS_STORE_VERSION" });
  await assert.rejects(opened({ migrate: false }), { code: "NS_STORE_VERSION" });
  await raw.end();
});

test("a worker in another process hears of new work by NOTIFY", async () => {
  await using db = await opened();
  await using other = await opened({ schema: db.schema });
  const heard = new Promise<void>((resolve) => {
    other.store.subscribe((wake) => wake.what === "work" && wake.queues.includes("q") && resolve());
  });
  await db.store.enqueue([job()]);
  await heard;
});

test("calls on a store that is not open, or not any more, are refused", async () => {
  const db = await opened();
  await db.store.close();
  await assert.rejects(db.store.counts(), { code: "NS_STORE_CLOSED" });
  await assert.rejects(db.store.register(worker, 1_000), { code: "NS_STORE_CLOSED" });
});

test("many who only look leave connections to those who work", async () => {
  await using db = await opened({ connections: 4 });
  const raw = await rawClient(db.connectionString);
  await raw.query(`begin; lock table ${db.schema}.rollup in access exclusive mode`);
  const looking = Array.from({ length: 20 }, () => db.store.counts());
  const me = await db.store.register(worker, 60_000);
  assert.deepEqual(await db.store.heartbeat(me, 60_000), { alive: true, cancelled: [] });
  await raw.query("commit");
  await raw.end();
  assert.equal((await Promise.all(looking)).length, 20);
});

test("a claim takes no more bytes than fit in memory; what is left keeps its place, attempts and order", async () => {
  await using db = await opened();
  const large = JSON.stringify("x".repeat(3_000_000));
  // Two priorities, so that lanes, kinds and sizes are mixed.
  const specs = Array.from({ length: 18 }, (_, n) => job({ priority: n % 2, input: n % 3 === 0 ? "{}" : large }));
  const ids = await db.store.enqueue(specs);
  const me = await db.store.register(worker, 60_000);
  const seen: string[] = [];
  const sizes: number[] = [];
  for (;;) {
    const [lease] = await db.store.claim(me, { wants: [{ queue: "q", limit: 100 }], names: new Set(["a"]) });
    if (lease === undefined) break;
    for (const { id, attempt, input } of lease.jobs) {
      assert.equal(attempt, 1);
      assert.equal(input, specs[ids.indexOf(id)]?.input);
    }
    seen.push(...lease.jobs.map(({ id }) => id));
    sizes.push(lease.jobs.reduce((sum, { input }) => sum + input.length, 0));
    const outcomes = lease.jobs.map(({ id }) => ({ job: id, type: "succeeded", ms: 0 }) as const);
    assert.deepEqual((await db.store.settle(me, [{ lease: lease.id, outcomes }])).refused, []);
  }
  assert.deepEqual(seen, [...ids.filter((_, n) => n % 2 === 1), ...ids.filter((_, n) => n % 2 === 0)]);
  assert.equal(sizes.length, 2);
  assert.ok(
    sizes.every((size) => size < 16 * 1_024 * 1_024 + large.length),
    String(sizes),
  );
});

test("jobs whose numbers are beyond what a JavaScript number holds are told apart in everything that is done with them", async () => {
  await using db = await opened();
  const raw = await rawClient(db.connectionString);
  await raw.query(`select setval('${db.schema}.job_seq', 9007199254740992)`);
  await raw.end();
  const { store } = db;
  const jobs = Array.from({ length: 6 }, (_, n) => job({ input: String(n) }));
  const ids = await store.enqueue(jobs);
  const [lone = ""] = await store.enqueue([job({ input: "6" })]);
  const later = await store.enqueue([job({ input: "7", due: { in: 60_000 } })]);
  const all = [...ids, lone, ...later];
  assert.deepEqual(
    all.map((id) => id.slice(id.indexOf("-") + 1)),
    Array.from({ length: 8 }, (_, n) => String(9007199254740993n + BigInt(n))),
  );
  const me = await store.register(worker, 60_000);
  const names = new Set(["a"]);
  const [lease] = await store.claim(me, { wants: [{ queue: "q", limit: 3 }], names });
  assert.deepEqual(
    lease?.jobs.map(({ id, input }) => [id, input]),
    all.slice(0, 3).map((id, n) => [id, String(n)]),
  );
  const [one = "", two = "", three = ""] = ids;
  const outcomes = [
    { job: two, type: "succeeded", ms: 1 },
    { job: three, type: "dead", ms: 1, error: "{}" },
  ] as const;
  assert.deepEqual((await store.settle(me, [{ lease: lease?.id ?? "", outcomes }])).refused, []);
  assert.deepEqual(await store.cancel([ids[3] ?? ""], "no"), ["cancelled"]);
  assert.deepEqual(await store.runNow(later), later);
  assert.deepEqual(await store.retry([three]), [three]);
  const states = await store.statesOf(all);
  assert.deepEqual(
    all.map((id) => states.get(id)),
    ["running", "succeeded", "ready", "cancelled", "ready", "ready", "ready", "ready"],
  );
  const { items } = await store.listJobs({ state: "ready", limit: 2 });
  const page = items.map(({ id }) => id);
  assert.deepEqual(page, [later[0], lone]);
  await store.deregister(me);
  assert.equal((await store.getJob(one))?.state, "ready");
});

test("a lone job that is claimed where it is enqueued is sent before its caller goes on, once names and a connection are at hand", async () => {
  const sockets: Socket[] = [];
  const made = (message: unknown) => sockets.push((message as { readonly socket: Socket }).socket);
  subscribe("net.client.socket", made);
  try {
    await using db = await opened();
    const me = await db.store.register(worker, 60_000);
    const request = { wants: [{ queue: "q", limit: 1 }], names: new Set(["a"]) };
    const enqueueAndClaim = () => db.store.enqueueAndClaim([job()], me, request);
    const sent = () => sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
    await enqueueAndClaim();
    const before = sent();
    const claim = enqueueAndClaim();
    const after = sent();
    const { leases } = await claim;
    assert.equal(leases[0]?.jobs.length, 1);
    assert.ok(after > before, `${after - before} bytes`);
  } finally {
    unsubscribe("net.client.socket", made);
  }
});
