import assert from "node:assert/strict";
import { Socket } from "node:net";
import { before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import { type Asked, put, putBoth } from "../../../src/store/postgres/question.ts";
import { eventually } from "../../support/eventually.ts";
import { postgresUrl, rawClient } from "../../support/postgres.ts";

let connectionString = "";
before(async () => {
  connectionString = await postgresUrl();
});

async function connected(options: object, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString, ...options });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

const ask = (client: pg.Client, asked: Asked) =>
  new Promise((resolve, reject) => {
    put(client as never, asked, (error, rows) => (error ? reject(error) : resolve(rows)));
  });

for (const how of ["one after the other", "ahead"]) {
  test(`rows are arrays of the server's own text, and a failed statement leaves a usable connection, sent ${how}`, () =>
    connected({ pipeline: how === "ahead" }, async (client) => {
      const echo = { name: "echo", text: "select $1::bigint, $2::text, $3::boolean, $4::text" };
      const many = { text: "select g from generate_series(1, $1::int) g", values: [3] };
      const values = ["9007199254740993", "é", true, null];
      assert.deepEqual(await ask(client, { ...echo, values }), [["9007199254740993", "é", "t", null]]);
      await assert.rejects(ask(client, { ...echo, values: ["much", "", false, undefined] }), { code: "22P02" });
      await assert.rejects(ask(client, { name: "none", text: "select nothing", values: [] }), { code: "42703" });
      assert.deepEqual(await ask(client, { ...echo, values: [1, "", false, "d"] }), [["1", "", "f", "d"]]);
      assert.deepEqual(await ask(client, many), [["1"], ["2"], ["3"]]);
      assert.deepEqual(await ask(client, { text: "select 'two'", values: [] }), [["two"]]);
      await assert.rejects(ask(client, { ...many, name: "echo" }), /echo/);
    }));
}

test("whoever watches a client's queries reads the statement, and hears of its end by the callback", () =>
  connected({}, async (client) => {
    const heard: unknown[] = [];
    const query = client.query.bind(client) as (question: unknown) => unknown;
    client.query = ((question: { text: string; callback: (error: unknown, answer: unknown) => void }) => {
      const { text, callback } = question;
      question.callback = (error, answer) => {
        heard.push(text, answer);
        callback(error, answer);
      };
      return query(question);
    }) as typeof client.query;
    assert.deepEqual(await ask(client, { name: "six", text: "select $1::int + 1", values: [5] }), [["6"]]);
    assert.deepEqual(heard, ["select $1::int + 1", [["6"]]]);
  }));

test("the driver's own limit on answers holds", () =>
  connected({ query_timeout: 20 }, async (client) => {
    await assert.rejects(ask(client, { text: "select pg_sleep($1)", values: [0.3] }), /timeout/);
  }));

test("a statement that fails after some of its rows has failed, and leaves no row to the next one", () =>
  connected({}, async (client) => {
    const values = [1_000];
    const text = "select 1 / (900 - g) from generate_series(1, $1::int) g";
    await assert.rejects(ask(client, { name: "some", text, values }), { code: "22012" });
    await assert.rejects(ask(client, { text: text.replace("$1::int", "1000"), values: [] }), { code: "22012" });
    assert.deepEqual(await ask(client, { name: "some", text, values: [2] }), [["0"], ["0"]]);
  }));

test("a statement that the server did not understand is not taken for one that it knows", () =>
  connected({}, async (client) => {
    const count = { name: "count", text: "select count(*) from pg_temp.later where id > $1", values: [0] };
    await assert.rejects(ask(client, count), { code: "42P01" });
    await assert.rejects(ask(client, count), { code: "42P01" });
    await ask(client, { text: "create temp table later as select 1 as id", values: [] });
    assert.deepEqual(await ask(client, count), [["1"]]);
  }));

test("a statement that is cancelled has failed alone: those that wait behind it are carried out", () =>
  connected({}, async (client) => {
    const slept = assert.rejects(ask(client, { name: "sleep", text: "select pg_sleep($1)", values: [60] }), {
      code: "57014",
    });
    const behind = ask(client, { text: "select $1::int", values: [7] });
    await whileAsleep("select pg_cancel_backend(pid)", client);
    await slept;
    assert.deepEqual(await behind, [["7"]]);
  }));

test("when its session is ended, the statement under way and all behind it are told so, each of them once", async () => {
  const client = await rawClient(connectionString);
  const told: string[] = [];
  const note = (who: string) => (error: unknown) => void told.push(`${who} ${error === null ? "answered" : "failed"}`);
  const sleep = { text: "select pg_sleep($1)", values: [60] };
  putBoth(client as never, sleep, note("first"), { text: "select $1::int", values: [1] }, note("sent with it"));
  put(client as never, { text: "select $1::int", values: [2] }, note("behind"));
  await whileAsleep("select pg_terminate_backend(pid)", client);
  await eventually(() => assert.equal(told.length, 3));
  put(client as never, { text: "select $1::int", values: [3] }, note("too late"));
  await eventually(() => assert.equal(told.length, 4));
  assert.deepEqual(told, ["first failed", "sent with it failed", "behind failed", "too late failed"]);
});

/** Does something to a client's session, once it is seen in `pg_sleep`. */
async function whileAsleep(what: string, client: pg.Client): Promise<void> {
  const { processID } = client as unknown as { readonly processID: number };
  const other = await rawClient(connectionString);
  const text = `${what} from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`;
  await eventually(async () => assert.equal((await other.query(text, [processID])).rowCount, 1));
  await other.end();
}

test("values and rows of many megabytes arrive whole, and so does what is behind them", () =>
  connected({}, async (client) => {
    const half = "æ".repeat(4_000_000);
    const [echo, behind] = await Promise.all([
      ask(client, { text: "select $1::text || g from generate_series(1, 2) g", values: [half] }),
      ask(client, { text: "select $1::int", values: [8] }),
    ]);
    assert.ok(isDeepStrictEqual(echo, [[`${half}1`], [`${half}2`]]));
    assert.deepEqual(behind, [["8"]]);
  }));

test("a statement, and the one behind it, are handed to the system in one piece", () => {
  let pieces = 0;
  class Counted extends Socket {
    override _write(...chunk: Parameters<Socket["_write"]>) {
      pieces++;
      super._write(...chunk);
    }
    override _writev(...chunks: Parameters<NonNullable<Socket["_writev"]>>) {
      pieces++;
      super._writev?.(...chunks);
    }
  }
  return connected({ stream: new Counted() }, async (client) => {
    const one = { name: "one", text: "select $1::int", values: [1] };
    const two = { name: "two", text: "select $1::int + 1", values: [1] };
    pieces = 0;
    assert.deepEqual(await ask(client, one), [["1"]]);
    assert.equal(pieces, 1);
    const answers: unknown[] = [];
    const note = (error: unknown, rows: unknown) => void answers.push(error ?? rows);
    putBoth(client as never, one, note, two, note);
    assert.equal(pieces, 2);
    await eventually(() => assert.deepEqual(answers, [[["1"]], [["2"]]]));
    assert.equal(pieces, 2);
  });
});
