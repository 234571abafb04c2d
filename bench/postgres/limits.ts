/** The physical limits: the same server and driver without a library. */
import type pg from "pg";
import { PAYLOAD } from "./ours.ts";

const TABLE = "create table if not exists limit_rows (id bigint generated always as identity primary key, body text)";

export async function oneRowCommits(client: pg.Client | pg.Pool): Promise<void> {
  await client.query({ name: "one", text: "insert into limit_rows (body) values ($1)", values: [PAYLOAD] });
}

export async function manyRows(client: pg.Client, count: number): Promise<void> {
  const bodies = Array.from({ length: 1_000 }, () => PAYLOAD);
  for (let done = 0; done < count; done += 1_000) {
    await client.query({
      name: "many",
      text: "insert into limit_rows (body) select unnest($1::text[])",
      values: [bodies],
    });
  }
}

export async function refill(client: pg.Client, total: number): Promise<void> {
  await client.query("drop table if exists limit_rows");
  await client.query(TABLE);
  await client.query("insert into limit_rows (body) select $1 from generate_series(1, $2::int)", [PAYLOAD, total]);
  await client.query("vacuum analyze limit_rows");
}

/** Reads and deletes batch by batch; nothing is kept. */
export async function takeAndDelete(client: pg.Client, total: number, batch: number): Promise<void> {
  for (let done = 0; done < total; ) {
    const { rows } = await client.query<{ id: string }>({
      name: "take",
      text: "select id, body from limit_rows where id > $1 order by id limit $2 for update skip locked",
      values: [String(done), batch],
    });
    const ids = rows.map(({ id }) => id);
    await client.query({ name: "drop", text: "delete from limit_rows where id = any ($1::bigint[])", values: [ids] });
    done += rows.length;
  }
}

/** As at 50 jobs a second: what is begun finds everything idle. */
const BEAT = 20;

/** A one-row commit at that pace: the median in milliseconds. */
export function pacedCommit(client: pg.Client, times: number): Promise<number> {
  return paced(times, () => oneRowCommits(client));
}

/** The round trips of a job to another process and no more: a one-row commit, a NOTIFY, a row deleted. Nothing is kept. */
export async function pacedHandOver(producer: pg.Client, consumer: pg.Client, times: number): Promise<number> {
  let heard = Promise.withResolvers<void>();
  const hear = () => heard.resolve();
  consumer.on("notification", hear);
  await consumer.query("listen limit_rows");
  const unhurried = "set_config('synchronous_commit', 'off', true)";
  const median = await paced(times, async () => {
    heard = Promise.withResolvers<void>();
    await oneRowCommits(producer);
    const said = producer.query({
      name: "say",
      text: `select pg_notify('limit_rows', '') where ${unhurried} is not null`,
    });
    await heard.promise;
    await consumer.query({
      name: "take one",
      text: `delete from limit_rows where id = any (array(select id from limit_rows where ${unhurried} is not null
        order by id limit 1 for update skip locked)) returning id, body`,
    });
    await said;
  });
  await consumer.query("unlisten *");
  consumer.off("notification", hear);
  return median;
}

async function paced(times: number, once: () => Promise<void>): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < times; n++) {
    const started = performance.now();
    await once();
    took.push(performance.now() - started);
    await new Promise((done) => setTimeout(done, BEAT));
  }
  return took.sort((a, b) => a - b)[times >> 1] ?? 0;
}
