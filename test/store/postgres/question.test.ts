import assert from "node:assert/strict";
import { before, test } from "node:test";
import pg from "pg";
import { type Asked, put } from "../../../src/store/postgres/question.ts";
import { postgresUrl } from "../../support/postgres.ts";

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
