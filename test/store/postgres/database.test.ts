/** The way to the database: whose answer is whose, and which connection is free when. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mock, test } from "node:test";
import pg from "pg";
import { Database } from "../../../src/store/postgres/database.ts";
import { Deadlines } from "../../../src/store/postgres/deadlines.ts";
import { refuseOld } from "../../../src/store/postgres/driver.ts";
import { failureKind, toNightshiftError } from "../../../src/store/postgres/failures.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { settingsOf } from "../../../src/store/postgres/options.ts";
import { capturingLogger, silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock, VirtualClock } from "../../../src/time/index.ts";
import { eventually } from "../../support/eventually.ts";
import { freshSchema, postgresUrl, rawClient } from "../../support/postgres.ts";
import { tcpProxy } from "../../support/tcp-proxy.ts";

/** A database with connections of its own, and a lock that its statements may wait for. */
async function ground(ends: AsyncDisposableStack) {
  const connectionString = await postgresUrl();
  const applicationName = freshSchema();
  const raw = await rawClient(connectionString);
  ends.defer(() => raw.end());
  const clock = new VirtualClock();
  const database = await Database.create(settingsOf({ connectionString, applicationName }), clock, silentLogger);
  ends.defer(() => database.end());
  await raw.query("select pg_advisory_lock(27)");
  /** Of each of its connections, whether it waits for the lock. */
  const waiting = async () => {
    const text = "select wait_event = 'advisory' as waits from pg_stat_activity where application_name = $1 order by 1";
    return (await raw.query(text, [applicationName])).rows.map(({ waits }) => waits === true);
  };
  const unlock = () => raw.query("select pg_advisory_unlock(27)");
  return { clock, database, waiting, unlock };
}

const one = { name: "one", text: "select 'one'" };
const bad = { name: "bad", text: "select 1 / $1::int" };
const lock = { name: "lock", text: "select 'locked', pg_advisory_xact_lock_shared($1)" };

test("an answer that comes too late is nobody's: its connection is ended, and the next statement has its own answer", async () => {
  await using ends = new AsyncDisposableStack();
  const { clock, database, waiting, unlock } = await ground(ends);
  const late = assert.rejects(database.run(lock, [27], "if-refused"), {
    code: "NS_STORE_UNAVAILABLE",
    message: /no answer within 35000 ms.*unknown/s,
  });
  await eventually(async () => assert.deepEqual(await waiting(), [true]));
  await clock.advance("36s");
  await late;
  assert.deepEqual(await database.run(one, [], "if-refused"), [["one"]]);
  await unlock();
  await eventually(async () => assert.deepEqual(await waiting(), [false]));
  assert.deepEqual(await database.run(lock, [27], "if-refused"), [["locked", ""]]);
});

test("a connection whose rollback got no answer is ended, and its transaction is nobody else's", {
  timeout: 20_000,
}, async () => {
  await using ends = new AsyncDisposableStack();
  const url = new URL(await postgresUrl());
  const proxy = await tcpProxy(Number(url.port));
  ends.defer(() => proxy.close());
  url.port = String(proxy.port);
  const clock = new VirtualClock();
  const database = await Database.create(settingsOf(url.href), clock, silentLogger);
  ends.defer(() => database.end());
  const failed = Promise.withResolvers<void>();
  const call = database.transaction("if-refused", async (query) => {
    await query("select 1 / 0").catch((error: unknown) => {
      proxy.swallow("up");
      failed.resolve();
      throw error;
    });
  });
  let over = false;
  const refused = assert.rejects(call, { message: /division by zero/ }).then(() => (over = true));
  await failed.promise;
  await eventually(async () => {
    await clock.advance("5s");
    assert.ok(over);
  });
  await refused;
  proxy.heal();
  assert.deepEqual(await database.run(one, [], "if-refused"), [["one"]]);
});

test("a connection that broke inside a transaction is not asked to roll back first", {
  timeout: 20_000,
}, async () => {
  await using ends = new AsyncDisposableStack();
  const { clock, database, waiting, unlock } = await ground(ends);
  const call = database.transaction("if-refused", (query) => query(lock.text, [27]));
  const refused = assert.rejects(call, { code: "NS_STORE_UNAVAILABLE", message: /no answer within 35000 ms/ });
  await eventually(async () => assert.deepEqual(await waiting(), [true]));
  await clock.advance("36s");
  await refused; // and time stands still
  await unlock();
  await eventually(async () => assert.deepEqual(await waiting(), []));
});

test("nobody waits for what follows a statement, whether that was carried out or not", async () => {
  await using ends = new AsyncDisposableStack();
  const { database, waiting, unlock } = await ground(ends);
  const follow = { statement: lock, values: [27], failed: assert.ifError };
  assert.deepEqual(await database.run(one, [], "if-refused", follow), [["one"]]);
  await assert.rejects(database.run(bad, [0], "if-refused", follow), { code: "NS_OPTION_INVALID" });
  assert.deepEqual(await database.run(one, [], "if-refused"), [["one"]]);
  await eventually(async () => assert.deepEqual(await waiting(), [false, true, true]));
  await unlock();
  await eventually(async () => assert.deepEqual(await waiting(), [false, false, false]));
});

test("a connection is free again when what followed a statement there has failed", async () => {
  await using ends = new AsyncDisposableStack();
  const { database, waiting } = await ground(ends);
  for (let times = 0; times < 2; times++) {
    const failed = Promise.withResolvers<unknown>();
    const follow = { statement: bad, values: [0], failed: failed.resolve };
    assert.deepEqual(await database.run(one, [], "if-refused", follow), [["one"]]);
    assert.match(String(await failed.promise), /division by zero/);
  }
  assert.deepEqual(await waiting(), [false]);
});

test("one statement after the other asks the store's own pool for a connection once", async (t) => {
  await using ends = new AsyncDisposableStack();
  const { database } = await ground(ends);
  const { mock: connects } = t.mock.method(pg.Pool.prototype, "connect");
  for (let times = 0; times < 5; times++) await database.run(one, [], "if-refused");
  assert.equal(connects.callCount(), 1);
});

test("a pooler that lost its server is taken for a lost connection: repeated where that is harmless, unknown elsewhere", async () => {
  await using ends = new AsyncDisposableStack();
  const { database, clock } = await ground(ends);
  const schema = freshSchema();
  const raw = await rawClient(await postgresUrl());
  ends.defer(() => raw.end());
  await raw.query(`create schema ${schema}; create sequence ${schema}.times`);
  ends.defer(async () => void (await raw.query(`drop schema ${schema} cascade`)));
  // As PgBouncer says it.
  await raw.query(`create function ${schema}.flaky() returns text language plpgsql as $$ begin
    if nextval('${schema}.times') % 2 = 1 then raise 'server conn crashed?' using errcode = '08P01'; end if;
    return 'answered';
  end $$`);
  const flaky = { name: "flaky", text: `select ${schema}.flaky()` };
  const repeated = database.run(flaky, [], "always");
  const isOver = { yet: false };
  void repeated.finally(() => void (isOver.yet = true)).catch(() => undefined);
  await eventually(async () => {
    await clock.advance("100ms");
    assert.ok(isOver.yet);
  });
  assert.deepEqual(await repeated, [["answered"]]);
  await assert.rejects(database.run(flaky, [], "if-refused"), { message: /was lost.*unknown/ });
});

test("a message that PostgreSQL itself calls wrong is not sent again, and its connection goes on", {
  timeout: 20_000,
}, async () => {
  await using ends = new AsyncDisposableStack();
  const { database } = await ground(ends);
  const sum = { name: "sum", text: "select $1::int + $2::int" };
  // The clock stands: a repetition would never come.
  await assert.rejects(database.run(sum, [1], "always"), { message: /failed \(bind message supplies 1 parameters/ });
  assert.deepEqual(await database.run(sum, [1, 2], "always"), [["3"]]);
});

test("a statement that was put to a connection known to be over was not carried out, and is repeated", async () => {
  const client = await rawClient(await postgresUrl());
  await client.end();
  const refused = await client.query("select 1").catch((error: unknown) => error);
  assert.equal(failureKind(refused, true), "refused");
});

test("a password that is missing, which the driver says without a code, is told with where passwords are looked for", () => {
  const missing = new Error("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string");
  assert.match(toNightshiftError(missing, "db/shop", true).message, /lets nobody in like this.*PGPASSWORD/);
});

test("a pg that is too old to answer on today's Node.js is refused by its version, and the oldest that does is not", () => {
  const { peerDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { peerDependencies: { pg: string } };
  for (const version of [peerDependencies.pg.slice(1), "8.23.1", "9.0.0-beta.1", "10.2.0"]) refuseOld(version);
  for (const version of ["8.10.9", "8.0.3", "7.18.2"]) {
    const message = `NS_STORE_UNSUPPORTED: The package pg is ${version} here.`;
    assert.throws(
      () => refuseOld(version),
      ({ message: said }) => said.startsWith(message) && /8\.11 or newer/.test(said),
    );
  }
});

test("each statement under way is overdue at its own time, and not when it is over before", async () => {
  const clock = new VirtualClock();
  using deadlines = new Deadlines(clock, 1_000);
  const overdue = mock.fn((_which: string) => undefined);
  const heard = () => overdue.mock.calls.map(({ arguments: [which] }) => which);
  deadlines.begin(() => overdue("first"));
  const over = deadlines.begin(() => overdue("answered"));
  await clock.advance(600);
  deadlines.begin(() => overdue("second"));
  over();
  await clock.advance(400);
  assert.deepEqual(heard(), ["first"]);
  await clock.advance(599);
  assert.deepEqual(heard(), ["first"]);
  await clock.advance(1);
  assert.deepEqual(heard(), ["first", "second"]);
  await clock.advance(10_000);
  deadlines.begin(() => overdue("third"));
  await clock.advance(1_000);
  assert.deepEqual(heard(), ["first", "second", "third"]);
});

/** The address of a server that is away until it comes back. */
async function awayServer(ends: AsyncDisposableStack) {
  const url = new URL(await postgresUrl());
  const proxy = await tcpProxy(1); // nobody is there
  ends.defer(() => proxy.close());
  const server = Number(url.port);
  url.port = String(proxy.port);
  return { address: url.href, comeBack: () => proxy.retarget(server) };
}

test("a server that is away is said once within a second or so, long before a call gives up, and so is its answer", async () => {
  await using ends = new AsyncDisposableStack();
  const { address, comeBack } = await awayServer(ends);
  const clock = new VirtualClock();
  const logger = capturingLogger();
  const database = await Database.create(settingsOf(address), clock, logger);
  ends.defer(() => database.end());
  const said = () =>
    logger.entries.filter(({ level }) => level !== "debug").map(({ level, message }) => [level, message]);
  const calls = [database.run(one, [], "always"), database.run(one, [], "always")];
  const failures = Promise.allSettled(calls);
  let over = false;
  void failures.then(() => (over = true));
  const begun = clock.monotonic();
  await eventually(async () => {
    await clock.advance("20ms");
    assert.equal(said().length, 1);
  });
  assert.ok(clock.monotonic() - begun < 3_000 && !over);
  assert.equal(said()[0]?.[0], "warn");
  assert.match(said()[0]?.[1] ?? "", /cannot be reached \(.*terminated.*tries again, for 10s in all\.$/);
  await eventually(async () => {
    await clock.advance("2s");
    assert.ok(over);
  });
  assert.equal(said().length, 1);
  comeBack();
  assert.deepEqual(await database.run(one, [], "always"), [["one"]]);
  assert.match(said()[1]?.join() ?? "", /^info,PostgreSQL at .* answers\.$/);
  assert.equal(said().length, 2);
});

test("an opening that nobody waits for any more gives up at once, and the store can be opened later", async () => {
  await using ends = new AsyncDisposableStack();
  const { address, comeBack } = await awayServer(ends);
  const store = postgres({ connectionString: address, schema: freshSchema() });
  const logger = capturingLogger();
  const start = new AbortController();
  const clock = new VirtualClock();
  const opening = store.open({ clock, logger, signal: start.signal });
  const refused = assert.rejects(opening, { code: "NS_STORE_UNAVAILABLE" });
  await eventually(async () => {
    await clock.advance("20ms");
    assert.equal(logger.messages("warn").length, 1);
  });
  start.abort();
  await refused; // and time stands still
  comeBack();
  await store.open({ clock: systemClock, logger, signal: new AbortController().signal });
  ends.defer(() => store.close());
  assert.ok((await store.now()) > 0);
});
