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
