/** A statement that goes right behind another one, and the sign of a lone job, which is one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import pg from "pg";
import type { NewJob } from "../../../src/store/contract.ts";
import { Database } from "../../../src/store/postgres/database.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { settingsOf } from "../../../src/store/postgres/options.ts";
import { type Asked, putBoth } from "../../../src/store/postgres/question.ts";
import { channelOf } from "../../../src/store/postgres/quote.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock, VirtualClock } from "../../../src/time/index.ts";
import { eventually } from "../../support/eventually.ts";
import { freshSchema, postgresUrl, rawClient } from "../../support/postgres.ts";
import { tcpProxy } from "../../support/tcp-proxy.ts";

const job = (input = "{}"): NewJob => ({
  ...{ name: "a", queue: "q", priority: 0, maxAttempts: 3, maxCrashes: 3 },
  input,
});

async function proxied(ends: AsyncDisposableStack) {
  const url = new URL(await postgresUrl());
  const proxy = await tcpProxy(Number(url.port));
  ends.defer(() => proxy.close());
  url.host = `127.0.0.1:${proxy.port}`;
  return { proxy, url: url.href };
}

/** A store, what its connections were asked (the last word of each statement's name), and the signs that others hear. */
async function watched(ends: AsyncDisposableStack) {
  const connectionString = await postgresUrl();
  const schema = freshSchema();
  const { proxy, url } = await proxied(ends);
  const packets: string[] = [];
  proxy.cutAfterSending((packet) => packets.push(packet.toString("latin1")) < 0);
  const pool = new pg.Pool({ connectionString: url, max: 5 });
  ends.defer(() => pool.end());
  const asked: { readonly client: number; readonly what: string }[] = [];
  let clients = 0;
  pool.on("connect", (client) => {
    const number = ++clients;
    const query = client.query.bind(client) as (config: pg.QueryConfig) => unknown;
    const noted = (config: pg.QueryConfig) => {
      asked.push({ client: number, what: /(enqueue_one|notify_first|notify)$/.exec(config.name ?? "")?.[0] ?? "" });
      return query(config);
    };
    client.query = noted as typeof client.query;
  });
  const store = postgres({ pool, schema });
  await store.open({ clock: systemClock, logger: silentLogger });
  ends.defer(() => store.close());
  // It asks itself whether it hears.
  await eventually(() => assert.ok(asked.some(({ what }) => what === "notify")));
  asked.length = 0;
  const raw = await rawClient(connectionString);
  ends.defer(() => raw.end());
  const ear = await rawClient(connectionString);
  ends.defer(() => ear.end());
  const heard: unknown[] = [];
  ear.on("notification", ({ payload }) => heard.push(JSON.parse(payload ?? "")));
  await ear.query(`listen ${channelOf(schema)}`);
  /** Nothing is under way: one connection listens, all others are idle. */
  const isQuiet = () => eventually(() => assert.equal(pool.idleCount, pool.totalCount - 1));
  return { store, schema, raw, asked, heard, packets, isQuiet };
}

test("the sign of a lone job leaves with it in one packet, is heard once the job can be claimed, and names it", async () => {
  await using ends = new AsyncDisposableStack();
  const { store, schema, raw, asked, heard, packets } = await watched(ends);
  const blocker = await rawClient(await postgresUrl());
  ends.defer(() => blocker.end());
  await blocker.query("begin");
  await blocker.query(`lock table ${schema}.ready in share mode`);
  const stored = store.enqueue([job()]);
  await eventually(() => assert.ok(asked.some(({ what }) => what === "notify_first")));
  const [first, second] = asked.slice(-2);
  assert.deepEqual([first?.what, second?.what], ["enqueue_one", "notify_first"]);
  assert.equal(first?.client, second?.client);
  const isBoth = (packet: string) => packet.includes("_enqueue_one\0") && packet.includes("_notify_first\0");
  await eventually(() => assert.ok(packets.some(isBoth)));
  // Heard after all that was said before it.
  await raw.query("select pg_notify($1, $2)", [channelOf(schema), '"not yet"']);
  await eventually(() => assert.deepEqual(heard, ["not yet"]));
  await blocker.query("commit");
  await eventually(() => assert.equal(heard.length, 2));
  const { rows } = await raw.query(`select job_id::text as id, lane_id as lane from ${schema}.ready`);
  const { queues, lanes } = heard[1] as { readonly queues: unknown; readonly lanes: unknown };
  assert.deepEqual([queues, lanes], [["q"], [[rows[0]?.lane, rows[0]?.id]]]);
  assert.ok((await stored)[0]?.endsWith(rows[0]?.id));
});

test("the sign is a transaction of its own: it is said though the job cannot be stored, and the connection goes on", async () => {
  await using ends = new AsyncDisposableStack();
  const { store, schema, raw, asked, heard, isQuiet } = await watched(ends);
  await raw.query(`alter table ${schema}.job add constraint no_evil check (input <> '"evil"')`);
  await assert.rejects(store.enqueue([job('"evil"')]), { code: "NS_OPTION_INVALID" });
  await eventually(() => assert.equal(heard.length, 1));
  await isQuiet();
  assert.equal((await store.enqueue([job('"good"')])).length, 1);
  const [evil, sign, good] = asked.filter(({ what }) => what === "enqueue_one" || what === "notify_first");
  assert.deepEqual([evil?.what, sign?.what, good?.what], ["enqueue_one", "notify_first", "enqueue_one"]);
  assert.deepEqual([sign?.client, good?.client], [evil?.client, evil?.client]);
});

test("a connection that hangs is ended, and both statements have failed", async () => {
  await using ends = new AsyncDisposableStack();
  const { proxy, url } = await proxied(ends);
  const pool = new pg.Pool({ connectionString: url });
  ends.defer(() => pool.end());
  const clock = new VirtualClock();
  const database = await Database.create(settingsOf({ pool, schema: freshSchema() }), clock, silentLogger);
  ends.defer(() => database.end());
  const statement = { name: "one", text: "select 1" };
  assert.deepEqual(await database.run(statement, [], "always"), [["1"]]);
  proxy.swallow("down");
  const ended = once(pool, "remove");
  const failed = Promise.withResolvers<unknown>();
  const follow = { statement: { name: "two", text: "select 2" }, values: [], failed: failed.resolve };
  const refused = assert.rejects(database.run(statement, [], "if-refused", follow), { code: "NS_STORE_UNAVAILABLE" });
  await clock.advance("36s");
  await refused;
  assert.match(String(await failed.promise), /no answer/);
  await ended;
  proxy.heal();
  assert.deepEqual(await database.run(statement, [], "always"), [["1"]]);
});

/** What both were answered: rows, or the error. */
function answersOf(client: object, first: Asked, second: Asked): Promise<unknown> {
  return new Promise((done) => {
    const answers: unknown[] = [];
    const note = (error: unknown, rows: unknown) => {
      if (answers.push(error === null ? rows : String(error)) === 2) done(answers);
    };
    putBoth(client as never, first, note, second, note);
  });
}

test("a statement that cannot be sent takes the one behind it along, and the connection goes on", async () => {
  const client = await rawClient(await postgresUrl());
  const one = { name: "same", text: "select 1", values: [] };
  const two = { name: "two", text: "select 2", values: [] };
  assert.deepEqual(await answersOf(client, one, two), [[["1"]], [["2"]]]);
  const refused = "Error: The statement same is another one already.";
  assert.deepEqual(await answersOf(client, { ...one, text: "select 3" }, two), [refused, refused]);
  assert.deepEqual(await answersOf(client, one, two), [[["1"]], [["2"]]]);
  await client.end();
});

test("a client that is not pg's own is asked the second when it has answered the first, and not after a failure", async () => {
  const asked: string[] = [];
  const client = {
    async query({ text }: { readonly text: string }) {
      asked.push(text);
      if (text === "bad") throw new Error("bad");
      return { rows: [[text]] };
    },
  };
  const both = (first: string, second: string) =>
    answersOf(client, { text: first, values: [] }, { text: second, values: [] });
  assert.deepEqual(await both("a", "b"), [[["a"]], [["b"]]]);
  assert.deepEqual(await both("bad", "c"), ["Error: bad", "Error: bad"]);
  assert.deepEqual(asked, ["a", "b", "bad"]);
});
