/** A migration beside others who use the tables. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Database } from "../../../src/store/postgres/database.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { migrate } from "../../../src/store/postgres/migrate.ts";
import { migrations } from "../../../src/store/postgres/migrations.ts";
import { settingsOf } from "../../../src/store/postgres/options.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { eventually } from "../../support/eventually.ts";
import { freshSchema, postgresUrl, rawClient } from "../../support/postgres.ts";

const NEXT = {
  number: (migrations.at(-1)?.number ?? 0) + 1,
  name: "another column",
  compatible: true,
  statements: ["create table another (id int)", "alter table job add column another int"],
};

/** A schema of today in which somebody reads the jobs, in a transaction that stays open. */
async function ground(ends: AsyncDisposableStack) {
  const connectionString = await postgresUrl();
  const schema = freshSchema();
  const store = postgres({ connectionString, schema });
  await store.open({ clock: systemClock, logger: silentLogger });
  await store.close();
  const [reader, other] = [await rawClient(connectionString), await rawClient(connectionString)];
  ends.defer(async () => {
    await reader.query("rollback");
    await reader.query(`drop schema ${schema} cascade`);
    await Promise.all([reader.end(), other.end()]);
  });
  await reader.query("set application_name = 'the copy'");
  await reader.query("begin");
  await reader.query(`select count(*) from ${schema}.job`);
  const database = await Database.create(settingsOf({ connectionString, schema }), systemClock, silentLogger);
  ends.defer(() => database.end());
  const migration = migrate(database, [...migrations, NEXT]);
  migration.catch(() => undefined); // looked at later
  const waiting = "select from pg_locks where not granted and relation = to_regclass($1)";
  await eventually(async () => {
    assert.equal((await other.query(waiting, [`${schema}.job`])).rowCount, 1);
  });
  return { migration, reader, other, schema };
}

test("a migration that waits for a reader keeps nobody else waiting, and is done once the reader is", {
  timeout: 30_000,
}, async () => {
  await using ends = new AsyncDisposableStack();
  const { migration, reader, other, schema } = await ground(ends);
  await other.query(`select count(*) from ${schema}.job`); // would wait behind it
  await reader.query("commit");
  await migration;
  await other.query(`select another from ${schema}.job`);
  const { rows } = await other.query(`select name from ${schema}.migration order by number desc limit 1`);
  assert.deepEqual(rows, [{ name: NEXT.name }]);
});

test("a migration that is kept from the tables for long changes nothing and says by whom", {
  timeout: 30_000,
}, async () => {
  await using ends = new AsyncDisposableStack();
  const { migration, other, schema } = await ground(ends);
  await assert.rejects(migration, {
    code: "NS_STORE_BUSY",
    message:
      /cannot be changed while others use them for so long \(process \d+ the copy for \d+ s\)\. Nothing was changed/,
  });
  const { rows } = await other.query("select to_regclass($1) as made", [`${schema}.another`]);
  assert.deepEqual(rows, [{ made: null }]);
});
