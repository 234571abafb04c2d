import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import type { NewInstance, NewJob, Store } from "../../../src/store/contract.ts";
import { Database } from "../../../src/store/postgres/database.ts";
import { findings, LIMITS } from "../../../src/store/postgres/findings.ts";
import { type PostgresOptions, postgres } from "../../../src/store/postgres/index.ts";
import { settingsOf } from "../../../src/store/postgres/options.ts";
import type { Session } from "../../../src/store/postgres/session.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { eventually } from "../../support/eventually.ts";
import { freshSchema, postgresUrl, rawClient, setClockAhead } from "../../support/postgres.ts";

const context = { clock: systemClock, logger: silentLogger };
const DAY = 86_400_000;
const job = (over: Partial<NewJob> = {}): NewJob => ({
  ...{ name: "a", queue: "q", priority: 0, input: "{}", maxAttempts: 3, maxCrashes: 3 },
  ...over,
});
const worker: NewInstance = { name: "w", host: "h", pid: 1, version: "0", queues: ["q"], names: ["a"], concurrency: 1 };
const names = new Set(["a"]);

async function opened(options: Partial<PostgresOptions> = {}) {
  const connectionString = options.connectionString ?? (await postgresUrl());
  const schema = options.schema ?? freshSchema();
  const store = postgres({ ...options, connectionString, schema });
  await store.open(context);
  const raw = await rawClient(await postgresUrl());
  return {
    ...{ store, schema, raw, connectionString },
    async [Symbol.asyncDispose]() {
      await raw.end();
      await store.close();
    },
  };
}

async function finishAll(store: Store, limit: number) {
  const me = await store.register(worker, 60_000);
  for (const { id, jobs } of await store.claim(me, { wants: [{ queue: "q", limit }], names })) {
    await store.settle(me, [{ lease: id, outcomes: jobs.map((one) => ({ job: one.id, type: "succeeded", ms: 1 })) }]);
  }
}

const partitions = async (raw: pg.Client, schema: string, table: string) =>
  (
    await raw.query<{ n: string }>(
      `select c.relname as n from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = '${schema}.${table}'::regclass order by 1`,
    )
  ).rows.map(({ n }) => n);

test("partitions are made days ahead, and rows of a day without one wait in the default partition until it is made", async () => {
  await using db = await opened({ partitionsAhead: 2 });
  const before = await partitions(db.raw, db.schema, "job");
  assert.equal(before.length, 4);
  await setClockAhead(db.raw, db.schema, 10 * DAY);
  const [id = ""] = await db.store.enqueue([job()]);
  const { rows } = await db.raw.query(`select id from ${db.schema}.job_default`);
  assert.equal(rows.length, 1);
  await db.raw.query(`select ${db.schema}.maintain(2)`);
  assert.equal((await db.raw.query(`select id from ${db.schema}.job_default`)).rows.length, 0);
  assert.equal((await partitions(db.raw, db.schema, "job")).length, 7);
  assert.equal((await db.store.getJob(id))?.state, "ready");
});

test("a day that is over is dropped in one piece, after its survivors were moved with their history", async () => {
  await using db = await opened();
  const { store, raw, schema } = db;
  await store.enqueue(Array.from({ length: 20 }, () => job()));
  await finishAll(store, 20);
  const [waiting = ""] = await store.enqueue([job({ due: { in: 30 * DAY } })]);
  const [late = "", again = ""] = await store.enqueue([job(), job()]);
  await finishAll(store, 2);
  await store.retry([again]);
  const count = (await partitions(raw, schema, "job")).length;
  await setClockAhead(raw, schema, 8 * DAY);
  await store.retry([late]);
  await finishAll(store, 1);
  const cut = (await store.now()) - 3 * DAY;
  const { rows } = await raw.query(`select ${schema}.retire($1, 0) as n`, [cut]);
  assert.equal(rows[0]?.n, "20");
  assert.equal((await partitions(raw, schema, "job")).length, count - 1);
  assert.equal((await store.getJob(waiting))?.state, "scheduled");
  const { state, history } = (await store.getJob(late)) ?? {};
  const ended = [state, (await store.getJob(again))?.state].sort();
  assert.deepEqual(ended, ["ready", "succeeded"], "one of the two was run again after the cut, the other still waits");
  assert.equal(history?.[0]?.what, "succeeded");
  assert.deepEqual(await store.runNow([waiting]), [waiting]);
  await finishAll(store, 5);
  assert.equal((await store.counts()).queues.length, 0);
});

test("a day is dropped for the number of its jobs, however small they are; one of fewer is pruned by rows", async () => {
  await using db = await opened();
  const { store, raw, schema } = db;
  for (let left = 600; left > 0; left -= 200) {
    await store.enqueue(Array.from({ length: 200 }, () => job()));
    await finishAll(store, 200);
  }
  const { rows } = await raw.query(`select pg_relation_size(i.inhrelid) as size from pg_inherits i
    where i.inhparent = '${schema}.job'::regclass order by 1 desc limit 1`);
  assert.ok(rows[0].size / 600 < 115, `${rows[0].size} bytes`);
  const before = (await partitions(raw, schema, "job")).length;
  await setClockAhead(raw, schema, 8 * DAY);
  const cut = (await store.now()) - 3 * DAY;
  const retire = async (least: number) =>
    (await raw.query(`select ${schema}.retire($1, $2) as n`, [cut, least])).rows[0]?.n;
  assert.equal(await retire(601), "0");
  assert.equal(await retire(600), "600");
  assert.ok((await partitions(raw, schema, "job")).length < before);
});

test("a batch brings inputs and metas as they were stored, whatever characters they hold", async () => {
  await using db = await opened();
  const inputs = ['"a"', '"a\x1eb"', "\x1e", "", '"\u{1f600}"', "'\\\"{},NULL"];
  const metas = [undefined, "", "\x1e", "m", undefined, '{"a":"\x1e"}'];
  const given = inputs.map((input, index) => {
    const meta = metas[index];
    return job({ input, priority: index % 2, ...(meta === undefined ? {} : { meta }) });
  });
  for (const batch of [given, given.slice(0, 1), given.filter(({ input }) => !input.includes("\x1e"))]) {
    const ids = await db.store.enqueue(batch);
    const me = await db.store.register(worker, 60_000);
    const leases = await db.store.claim(me, { wants: [{ queue: "q", limit: 10 }], names });
    const claimed = leases.flatMap(({ jobs }) => jobs);
    assert.equal(claimed.length, batch.length);
    for (const [index, id] of ids.entries()) {
      const one = claimed.find((candidate) => candidate.id === id);
      assert.deepEqual(
        [one?.input, one?.meta, one?.priority],
        [batch[index]?.input, batch[index]?.meta, batch[index]?.priority],
      );
    }
    const settlements = leases.map(({ id, jobs }) => ({
      lease: id,
      outcomes: jobs.map((one) => ({ job: one.id, type: "succeeded", ms: 1 }) as const),
    }));
    assert.deepEqual(await db.store.settle(me, settlements), { refused: [] });
    for (const id of ids) assert.equal((await db.store.getJob(id))?.state, "succeeded");
  }
});

test("an application's role needs no right to create or own anything, and one that lacks a right is told so", async () => {
  await using db = await opened();
  const { raw, schema, connectionString } = db;
  const role = `app_${schema}`;
  await raw.query(`create role ${role} login;
    grant usage on schema ${schema} to ${role};
    grant select, insert, update, delete on all tables in schema ${schema} to ${role};
    grant usage on all sequences in schema ${schema} to ${role};
    grant execute on all functions in schema ${schema} to ${role};
    revoke insert, update, delete on ${schema}.migration from ${role}`);
  const url = new URL(connectionString);
  url.username = role;
  await using app = await opened({ connectionString: url.href, schema });
  const [id = ""] = await app.store.enqueue([job()]);
  await setClockAhead(raw, schema, 5 * DAY);
  await app.store.rescue(1);
  await finishAll(app.store, 1);
  assert.equal((await app.store.getJob(id))?.state, "succeeded");
  const elsewhere = opened({ connectionString: url.href, schema: freshSchema() });
  await assert.rejects(elsewhere, /permission denied for database.*: grant create on database postgres/);
  const reader = `reader_${schema}`;
  await raw.query(`create role ${reader} login; grant usage on schema ${schema} to ${reader};
    grant select on all tables in schema ${schema} to ${reader}`);
  url.username = reader;
  await using looking = await opened({ connectionString: url.href, schema });
  assert.equal((await looking.store.getJob(id))?.state, "succeeded");
  assert.equal((await looking.store.listJobs({ state: "succeeded", limit: 5 })).items.length, 1);
  await assert.rejects(looking.store.enqueue([job()]), /denied it/);
  const asReader = await rawClient(url.href);
  await assert.rejects(asReader.query(`select ${schema}.retire(0, 0)`), /permission denied/);
  await asReader.end();
});

test("behind a pooler nothing is prepared by name or set for the session, and polling wakes", async () => {
  await using db = await opened({ pooler: true });
  let woken = 0;
  const polled = new Promise<void>((resolve) => {
    db.store.subscribe(({ what }) => what === "unknown" && ++woken === 1 && resolve());
  });
  const [id = ""] = await db.store.enqueue([job(), job({ due: { in: 5 } })]);
  await finishAll(db.store, 1);
  assert.equal((await db.store.getJob(id))?.state, "succeeded");
  const { rows } = await db.raw.query(
    "select count(*)::int as n from pg_stat_activity where application_name = 'nightshift' and query like 'listen%' and query like $1",
    [`%${db.schema}%`],
  );
  assert.equal(rows[0]?.n, 0);
  await polled;
});

for (const pipeline of [false, true]) {
  test(`a pool of the application's is used and not ended${pipeline ? ", one that sends ahead too" : ""}`, async () => {
    const connectionString = await postgresUrl();
    const pool = new pg.Pool({ connectionString, max: 4, pipeline } as pg.PoolConfig);
    const store = postgres({ pool, schema: freshSchema() });
    await store.open(context);
    await store.enqueue([job()]);
    await store.close();
    assert.equal((await pool.query("select 1 as one")).rows[0]?.one, 1);
    await pool.end();
  });
}

test("history whose job is gone is found by the check, with the job's id", async () => {
  await using db = await opened();
  const [kept = "", gone = ""] = await db.store.enqueue([job(), job()]);
  await finishAll(db.store, 2);
  assert.deepEqual((await db.store.verify()).findings, []);
  await db.raw.query(`delete from ${db.schema}.job where id = $1`, [gone.split("-")[1]]);
  const { jobs, findings: found } = await db.store.verify();
  assert.equal(jobs, 1);
  assert.deepEqual(
    found.map(({ what, severity }) => [what, severity]),
    [["history without job", "damage"]],
  );
  assert.ok(found[0]?.message.includes(gone) && !found[0].message.includes(kept), found[0]?.message);
});

test("a transaction that is held open is found", async () => {
  await using db = await opened();
  const holder = await rawClient(db.connectionString);
  await holder.query("begin isolation level repeatable read; select 1 from pg_class limit 1");
  const database = await Database.create(settingsOf(db.connectionString), systemClock, silentLogger);
  try {
    const session = { database, s: `"${db.schema}"`, notifier: { deaf: false } } as unknown as Session;
    await eventually(async () => {
      const found = await findings(session, { ...LIMITS, old: 0 });
      assert.deepEqual(
        found.map(({ what }) => what),
        ["held snapshot"],
      );
    });
  } finally {
    await holder.end();
    await database.end();
  }
});

test("a day with more survivors than may be moved at once stays, and what survived keeps the history of later days", async () => {
  await using db = await opened();
  const { store, raw, schema } = db;
  const survivors = await store.enqueue([job({ input: "1" }), job({ input: "2" })]);
  const failOnce = async () => {
    const me = await store.register(worker, 60_000);
    for (const { id, jobs } of await store.claim(me, { wants: [{ queue: "q", limit: 10 }], names })) {
      const outcomes = jobs.map(
        ({ id: failed }) => ({ job: failed, type: "retry", ms: 1, in: 30 * DAY, error: "{}" }) as const,
      );
      await store.settle(me, [{ lease: id, outcomes }]);
    }
  };
  await failOnce();
  await setClockAhead(raw, schema, DAY);
  await store.runNow(survivors);
  await failOnce();
  await store.enqueue([job(), job(), job()]);
  await finishAll(store, 3);
  await setClockAhead(raw, schema, 8 * DAY);
  const cut = (await store.now()) - 3 * DAY;
  const before = await partitions(raw, schema, "job");
  const retire = async (most: number) =>
    (await raw.query(`select ${schema}.retire($1, 0, $2) as n`, [cut, most])).rows[0]?.n;
  // The first day has two survivors, so it is left; the next has none, and goes.
  assert.equal(await retire(1), "3");
  assert.deepEqual(
    await partitions(raw, schema, "job"),
    before.filter((_, index) => index !== 2),
  );
  for (const id of survivors) {
    const { state, history } = (await store.getJob(id)) ?? {};
    assert.equal(state, "scheduled");
    assert.deepEqual(
      history?.map(({ what }) => what),
      ["retry", "retry"],
    );
  }
  assert.equal(await retire(20_000), "0", "it is not looked at again");
  const first = before[1] ?? "";
  assert.ok((await partitions(raw, schema, "job")).includes(first));
  await raw.query(`delete from ${schema}.${first}`);
  await retire(1);
  assert.ok(!(await partitions(raw, schema, "job")).includes(first), "it goes when it is empty");
});

/** A schema written anew with what a dump of it had: what `pg_restore` does, as far as numbers go. */
async function dumped(raw: pg.Client, schema: string) {
  const era = (await raw.query(`select row_to_json(e) as row from ${schema}.era e`)).rows[0]?.row;
  const sequences = (
    await raw.query("select sequencename as name, last_value from pg_sequences where schemaname = $1", [schema])
  ).rows;
  return async () => {
    await raw.query(`drop schema ${schema} cascade`);
    await postgresOnce(schema);
    await raw.query(`delete from ${schema}.era`);
    await raw.query(`insert into ${schema}.era select * from json_populate_record(null::${schema}.era, $1)`, [era]);
    for (const { name, last_value } of sequences) {
      if (last_value !== null) await raw.query("select setval($1, $2)", [`${schema}.${name}`, last_value]);
    }
  };
}

async function postgresOnce(schema: string) {
  const store = postgres({ connectionString: await postgresUrl(), schema });
  await store.open(context);
  await store.close();
}

test("a schema that is restored from a dump, on a server that runs on, gives no number again that was given since", async () => {
  const schema = freshSchema();
  await postgresOnce(schema);
  const raw = await rawClient(await postgresUrl());
  const restore = await dumped(raw, schema);
  const before = await opened({ schema });
  const jobs = await before.store.enqueue(Array.from({ length: 50 }, () => job()));
  const instance = await before.store.register(worker, 60_000);
  const term = await before.store.campaign("captain", "one", 60_000);
  await before[Symbol.asyncDispose]();
  await restore();
  await using after = await opened({ schema });
  const others = await after.store.enqueue(Array.from({ length: 50 }, () => job()));
  assert.deepEqual(
    others.filter((id) => jobs.includes(id)),
    [],
  );
  assert.notEqual(await after.store.register(worker, 60_000), instance);
  assert.notEqual((await after.store.campaign("captain", "one", 60_000))?.token, term?.token);
  const next = Number(await after.store.register(worker, 60_000));
  await postgresOnce(schema);
  assert.ok(Number(await after.store.register(worker, 60_000)) < next + 10, "only the first who opens it moves them");
  await raw.end();
});

test("a worker that lived through a restore finds the restored queues once its heartbeat says that it is not known", async () => {
  await using given = await opened();
  const { store, schema, raw } = given;
  const restore = await dumped(raw, schema);
  const me = await store.register(worker, 60_000);
  await store.enqueue([job()]);
  const claim = async (as: string) => (await store.claim(as, { wants: [{ queue: "q", limit: 9 }], names }))[0]?.jobs;
  assert.equal((await claim(me))?.length, 1);
  await restore();
  await using newcomer = await opened({ schema });
  const ids = await newcomer.store.enqueue([job()]);
  assert.deepEqual(await store.heartbeat(me, 60_000), { alive: false });
  assert.deepEqual(
    (await claim(await store.register(worker, 60_000)))?.map(({ id }) => id),
    ids,
  );
});

test("a process whose tables were changed under it by a newer version is told so, and goes on if they come back", async () => {
  await using given = await opened();
  const { store, schema, raw } = given;
  const me = await store.register(worker, 60_000);
  await store.enqueue([job()]);
  const claim = () => store.claim(me, { wants: [{ queue: "q", limit: 1 }], names });
  await raw.query(`alter function ${schema}.claim rename to claim_2; alter function ${schema}.work rename to work_2`);
  await assert.rejects(claim(), {
    code: "NS_STORE_UNAVAILABLE",
    message:
      /The tables in PostgreSQL .* changed \(function .* does not exist\)\. A newer version .* restart this process/,
  });
  await raw.query(`alter function ${schema}.claim_2 rename to claim; alter function ${schema}.work_2 rename to work`);
  assert.equal((await claim())[0]?.jobs.length, 1);
});
