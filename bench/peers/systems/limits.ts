/**
 * What the databases can do without any library. None of these keeps a history, holds a lease, retries, or has another
 * queue; what each of them does keep is said where it is.
 */
import pg from "pg";
import { RawFile } from "../../sqlite/raw.ts";
import type { Handler, Open, Payload } from "../system.ts";

const BATCH = 500;

/**
 * Locks 500 in the order of their keys, hands them over, deletes them, and commits: two of these loops never take the same
 * job, and what a killed one had locked is free again. Each holds a transaction open as long as its handlers run.
 */
export const lockAndDelete: Open = async (connectionString) => {
  const client = await connect(connectionString);
  const lock = { name: "lock", text: `select id, body from job order by id limit ${BATCH} for update skip locked` };
  const remove = { name: "remove", text: "delete from job where id = any ($1::bigint[])" };
  return {
    ...enqueueing(client),
    async work(handler: Handler) {
      await client.query("begin");
      const stop = await loop(async () => {
        const { rows } = await client.query<Row>(lock);
        for (const { body } of rows) handler(JSON.parse(body) as Payload);
        if (rows.length > 0) await client.query({ ...remove, values: [rows.map(({ id }) => id)] });
        await client.query("commit and chain");
        return rows.length;
      });
      return async () => {
        await stop();
        await client.query("commit");
      };
    },
    close: () => client.end(),
  };
};

/** Deletes 500 and hands them over, one statement and one commit: whoever dies after it takes up to 500 jobs along. */
export const deleteReturning: Open = async (connectionString) => {
  const client = await connect(connectionString);
  const take = {
    name: "take",
    text: `delete from job where id = any (array(select id from job order by id limit ${BATCH} for update skip locked))
      returning id, body`,
  };
  return {
    ...enqueueing(client),
    work: (handler: Handler) =>
      loop(async () => {
        const { rows } = await client.query<Row>(take);
        for (const { body } of rows) handler(JSON.parse(body) as Payload);
        return rows.length;
      }),
    close: () => client.end(),
  };
};

interface Row {
  readonly id: string;
  readonly body: string;
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query("create table if not exists job (id bigint generated always as identity primary key, body text)");
  return client;
}

/** One-row commits, and inserts of 1,000 rows each. */
function enqueueing(client: pg.Client) {
  const one = { name: "one", text: "insert into job (body) values ($1)" };
  const many = { name: "many", text: "insert into job (body) select unnest($1::text[])" };
  return {
    enqueue: (payload: Payload) => client.query({ ...one, values: [JSON.stringify(payload)] }),
    async enqueueMany(payloads: readonly Payload[]) {
      for (let from = 0; from < payloads.length; from += 1_000) {
        const bodies = payloads.slice(from, from + 1_000).map((payload) => JSON.stringify(payload));
        await client.query({ ...many, values: [bodies] });
      }
    },
  };
}

export const onSqlite: Open = (path) => rawFile(path, "FULL");
export const onSqliteNormal: Open = (path) => rawFile(path, "NORMAL");

/** The rows that our store writes too, lease and history included, through the driver alone. */
async function rawFile(path: string, durability: "FULL" | "NORMAL") {
  const file = new RawFile(path, durability);
  return {
    enqueue: async (payload: Payload) => file.enqueue([JSON.stringify(payload)]),
    enqueueMany: async (payloads: readonly Payload[]) =>
      file.enqueue(payloads.map((payload) => JSON.stringify(payload))),
    async work(handler: Handler) {
      const step = file.worker(BATCH, (body) => handler(JSON.parse(body) as Payload));
      return loop(async () => {
        await new Promise(setImmediate); // others have their turn, as in any program that is not only a loop
        return step();
      });
    },
    close: async () => file.close(),
  };
}

/** Steps until it is stopped or a step has found nothing. */
async function loop(step: () => Promise<number>) {
  let stopped = false;
  const running = (async () => {
    while (!stopped && (await step()) > 0);
  })();
  return async () => {
    stopped = true;
    await running;
  };
}
