/** A migration of tables that others use: it waits briefly, lets them pass, and names who was in its way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Database } from "../../../src/store/postgres/database.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { migrate } from "../../../src/store/postgres/migrate.ts";
import { type Migration, migrations } from "../../../src/store/postgres/migrations.ts";
import { settingsOf } from "../../../src/store/postgres/options.ts";
import { capturingLogger, silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock, VirtualClock } from "../../../src/time/index.ts";
import { eventually } from "../../support/eventually.ts";
import { freshSchema, postgresUrl, rawClient, startPostgres } from "../../support/postgres.ts";

/** What a later version might do: it reads nothing, and nobody may read meanwhile. */
const next: Migration = {
  number: 2,
  name: "a column more",
  compatible: true,
  statements: ["alter table queue add column color text", "alter table ready add column color text"],
};
const job = { name: "a", queue: "q", priority: 0, input: "{}", maxAttempts: 3, maxCrashes: 3 };
const usual = { clock: systemClock, logger: silentLogger };

/** A store that is open, and what migrates its schema further. */
async function ground(ends: AsyncDisposableStack, context = usual, url?: string) {
  const connectionString = url ?? (await postgresUrl());
  const schema = freshSchema();
  const store = postgres({ connectionString, schema });
  await store.open(usual);
  ends.defer(() => store.close());
  const settings = settingsOf({ connectionString, schema, applicationName: "deploy" });
  const database = await Database.create(settings, context.clock, silentLogger);
  ends.defer(() => database.end());
  const raw = await rawClient(connectionString);
  ends.defer(() => raw.end());
  const columns = async () => {
    const text = `select count(*)::int as n from information_schema.columns where table_schema = $1 and column_name = 'color'`;
    return (await raw.query(text, [schema])).rows[0]?.n as number;
  };
  const goOn = () => migrate(database, context, [...migrations, next]);
  return { store, schema, connectionString, raw, goOn, columns };
}

/** A session that reads a table and leaves its transaction open. */
async function reader(ends: AsyncDisposableStack, url: string, table: string) {
  const client = await rawClient(`${url}?application_name=nightly_report`);
  ends.defer(() => client.end());
  await client.query("begin");
  await client.query(`select from ${table}`);
  const [row] = (await client.query("select pg_backend_pid() as pid")).rows;
  return { pid: Number(row?.pid), end: () => client.query("commit") };
}

test("work goes on while a migration waits for a reader, and the migration is done once the reader is", async () => {
  await using ends = new AsyncDisposableStack();
  const logger = capturingLogger();
  const { store, schema, connectionString, goOn, columns } = await ground(ends, { ...usual, logger });
  const report = await reader(ends, connectionString, `${schema}.ready`);
  const done = goOn();
  await eventually(() => assert.match(logger.entries.map(({ message }) => message).join(), /waits for a lock/));
  // Each would wait behind the ALTER for as long as the reader is there.
  for (let round = 0; round < 20; round++) await store.enqueue([job]);
  assert.equal((await store.counts()).queues[0]?.ready, 20);
  assert.equal(await columns(), 0);
  await report.end();
  await done;
  assert.equal(await columns(), 2);
  const [line, ...more] = logger.entries.filter(({ level }) => level === "warn");
  assert.match(
    line?.message ?? "",
    new RegExp(`In its way: process ${report.pid} \\("nightly_report", role postgres, idle`),
  );
  assert.deepEqual(more, [], "said once");
});

test("a migration that gets no lock within a minute fails, says who has it, and leaves nothing", async () => {
  await using ends = new AsyncDisposableStack();
  const clock = new VirtualClock();
  const { schema, connectionString, raw, goOn, columns } = await ground(ends, { clock, logger: silentLogger });
  const { pid } = await reader(ends, connectionString, `${schema}.ready`);
  let isOver = false;
  const failed = assert
    .rejects(goOn(), (error: Error & { code: string; details: { blockedBy: { pid: number }[] } }) => {
      assert.equal(error.code, "NS_STORE_BUSY");
      assert.match(
        error.message,
        new RegExp(`process ${pid} \\("nightly_report", role postgres, idle in transaction, `),
      );
      assert.match(error.message, new RegExp(`select pg_terminate_backend\\(${pid}\\)`));
      assert.equal(error.details.blockedBy[0]?.pid, pid);
      return true;
    })
    .finally(() => {
      isOver = true;
    });
  await eventually(async () => {
    await clock.advance("1s");
    assert.ok(isOver);
  }, 60_000);
  await failed;
  assert.equal(await columns(), 0);
  const { rows } = await raw.query(
    "select from pg_stat_activity where application_name = 'deploy' and state <> 'idle'",
  );
  assert.deepEqual(rows, []);
});

test("autovacuum makes way for a migration", async () => {
  await using ends = new AsyncDisposableStack();
  const server = await startPostgres({ settings: { autovacuum_naptime: "1s" } });
  ends.defer(() => server.dispose());
  const { schema, raw, goOn, columns } = await ground(ends, usual, server.url);
  // A page a tenth of a second: it would be at it for minutes.
  const slow = "autovacuum_vacuum_threshold = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1";
  await raw.query(`alter table ${schema}.ready set (${slow})`);
  await raw.query(`insert into ${schema}.ready select n, 1, 1, 1, 1 from generate_series(1, 100000) n`);
  await raw.query(`delete from ${schema}.ready`);
  const running = `select from pg_stat_progress_vacuum where relid = '${schema}.ready'::regclass`;
  await eventually(async () => assert.equal((await raw.query(running)).rowCount, 1), 60_000);
  await goOn();
  assert.equal(await columns(), 2);
});
