/** What the databases can do without any library: one-row commits, multi-row inserts, claim 500 and delete 500. */
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import type { Handler, Open, Payload } from "../system.ts";

const BATCH = 500;

export const onPostgres: Open = async (connectionString) => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query("create table if not exists job (id bigint generated always as identity primary key, body text)");
  const one = { name: "one", text: "insert into job (body) values ($1)" };
  const many = { name: "many", text: "insert into job (body) select unnest($1::text[])" };
  const claim = {
    name: "claim",
    text: `select id, body from job where id > $1 order by id limit ${BATCH} for update skip locked`,
  };
  const remove = { name: "remove", text: "delete from job where id = any ($1::bigint[])" };
  return {
    enqueue: (payload: Payload) => client.query({ ...one, values: [JSON.stringify(payload)] }),
    async enqueueMany(payloads: readonly Payload[]) {
      for (let from = 0; from < payloads.length; from += 1_000) {
        const bodies = payloads.slice(from, from + 1_000).map((payload) => JSON.stringify(payload));
        await client.query({ ...many, values: [bodies] });
      }
    },
    work: (handler: Handler) =>
      loop(async (last) => {
        const { rows } = await client.query<{ id: string; body: string }>({ ...claim, values: [last] });
        for (const { body } of rows) handler(JSON.parse(body) as Payload);
        if (rows.length > 0) await client.query({ ...remove, values: [rows.map(({ id }) => id)] });
        return rows.at(-1)?.id;
      }),
    close: () => client.end(),
  };
};

export const onSqlite: Open = async (path) => {
  const database = new DatabaseSync(path);
  database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000");
  database.exec("create table if not exists job (id integer primary key, body text)");
  const one = database.prepare("insert into job (body) values (?)");
  const claim = database.prepare(
    `delete from job where id in (select id from job where id > ? order by id limit ${BATCH}) returning id, body`,
  );
  return {
    enqueue: async (payload: Payload) => one.run(JSON.stringify(payload)),
    async enqueueMany(payloads: readonly Payload[]) {
      database.exec("begin immediate");
      for (const payload of payloads) one.run(JSON.stringify(payload));
      database.exec("commit");
    },
    work: (handler: Handler) =>
      loop(async (last) => {
        const rows = claim.all(last) as { id: number; body: string }[];
        for (const { body } of rows) handler(JSON.parse(body) as Payload);
        return rows.length === 0 ? undefined : String(Math.max(...rows.map(({ id }) => id)));
      }),
    close: async () => database.close(),
  };
};

/** Steps until it is stopped or nothing is left. A step is told the last id and returns the next. */
async function loop(step: (last: string) => Promise<string | undefined>) {
  let stopped = false;
  const running = (async () => {
    for (let last: string | undefined = "0"; last !== undefined && !stopped; ) last = await step(last);
  })();
  return async () => {
    stopped = true;
    await running;
  };
}
