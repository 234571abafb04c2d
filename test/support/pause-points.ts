/**
 * Pause points in the functions of a PostgreSQL schema: before each of their statements, and where they read the clock,
 * a session can be held up by a test, or be given an error. Only sessions of the application named `paused` are.
 */
import type pg from "pg";
import type { Pause } from "../../src/testing/store-conformance/harness.ts";
import { eventually } from "./eventually.ts";

/** The name of the application whose sessions can be held up. */
export const PAUSED = "paused";
/** Where the clock is read: in the middle of a statement, after its snapshot and before its row locks. */
const CLOCK = "clock";

/** Lays the points into all functions of the schema; returns their names. What is laid once stays. */
export async function layPausePoints(client: pg.Client, schema: string): Promise<readonly string[]> {
  await client.query(`set search_path to ${schema}, pg_temp`);
  await client.query(`
    create table if not exists fault (point text primary key, code text not null, hits int not null);
    create sequence if not exists fault_seq;
    create unlogged table if not exists passed (point text);
    create or replace function pause_point(p_point text) returns void language plpgsql as $$
    declare v_code text;
    begin
      if current_setting('application_name') <> '${PAUSED}' then return; end if;
      insert into passed values (p_point);
      perform pg_advisory_lock_shared(hashtext('${schema}/pause'), hashtext(p_point));
      perform pg_advisory_unlock_shared(hashtext('${schema}/pause'), hashtext(p_point));
      select f.code into v_code from fault f where f.point = p_point and nextval('fault_seq') <= f.hits;
      if found then raise exception 'a fault at %', p_point using errcode = v_code; end if;
    end $$;
    create or replace function pause_ms(p_point text) returns bigint language plpgsql as $$
    begin
      perform pause_point(p_point);
      return now_ms();
    end $$`);
  const { rows } = await client.query<{ name: string; text: string }>(
    `select p.proname as name, pg_get_functiondef(p.oid) as text from pg_proc p join pg_language l on l.oid = p.prolang
     where p.pronamespace = $1::regnamespace and l.lanname = 'plpgsql' and p.proname not in ('pause_point', 'pause_ms', 'now_ms', 'maintain', 'retire')
     order by 1`,
    [schema],
  );
  const points = new Set([CLOCK]);
  for (const { name, text } of rows) {
    const laid = text.includes("pause_point(") ? text : withPoints(name, text);
    if (laid !== text) await client.query(laid);
    for (const [, point = ""] of laid.matchAll(/pause_(?:point|ms)\('([^']*)'\)/g)) points.add(point);
  }
  await setPausedClockAhead(client, schema, 0);
  return [...points];
}

/** The clock with its pause point, set forward. */
export async function setPausedClockAhead(client: pg.Client, schema: string, milliseconds: number): Promise<void> {
  await client.query(`create or replace function ${schema}.now_ms() returns bigint language plpgsql volatile
    set search_path from current as $$ begin
      perform pause_point('${CLOCK}');
      return (extract(epoch from clock_timestamp()) * 1000)::bigint + ${milliseconds};
    end $$`);
}

/** A point before each statement: where a line begins after one that ends a statement or opens a block. */
function withPoints(name: string, text: string): string {
  const lines = text.split("\n");
  const result: string[] = [];
  let inside = false;
  let before = "";
  let count = 0;
  for (const line of lines) {
    const code = line.replace(/--.*$/, "").trim();
    const begins = /(;|\bthen|\bloop|\belse|^begin)$/.test(before);
    // What looks at the statement before must follow it at once.
    const looksBack = /\bfound\b|\bget diagnostics\b/.test(code);
    if (inside && code !== "" && begins && !looksBack && !/^(end|elsif|else|exception|when|\$)\b/.test(code)) {
      result.push(`perform pause_point('${name}:${++count}');`);
    }
    result.push(line);
    if (code !== "") before = code;
    if (code === "begin") inside = true;
  }
  return result.join("\n");
}

/** The points that were passed since this was last asked. */
export async function passedPoints(client: pg.Client, schema: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ point: string }>(`delete from ${schema}.passed returning point`);
  return rows.map(({ point }) => point);
}

/** Changes a function of the schema, before or after points were laid; the change must change something. */
export async function rewrite(
  client: pg.Client,
  schema: string,
  name: string,
  changes: readonly (readonly [from: string | RegExp, to: string])[],
): Promise<void> {
  const { rows } = await client.query<{ text: string }>(
    "select pg_get_functiondef(p.oid) as text from pg_proc p where p.pronamespace = $1::regnamespace and p.proname = $2",
    [schema, name],
  );
  let text = rows[0]?.text ?? "";
  for (const [from, to] of changes) {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`${name} has nothing like ${from}`);
    text = changed;
  }
  await client.query(`set search_path to ${schema}, pg_temp`);
  await client.query(text);
}

/** Holds up the next session that comes to a point. The client is this function's alone while the pause lasts. */
export async function pauseAt(client: pg.Client, schema: string, point: string): Promise<Pause> {
  const key = [`${schema}/pause`, point];
  await client.query("select pg_advisory_lock(hashtext($1), hashtext($2))", key);
  let over = false;
  const reached = eventually(async () => {
    if (over) return;
    const { rows } = await client.query(
      "select from pg_locks where locktype = 'advisory' and not granted and classid = hashtext($1)::oid and objid = hashtext($2)::oid",
      key,
    );
    if (rows.length === 0) throw new Error(`nobody came to ${point}`);
  }, 30_000);
  return {
    // Who was not there when the pause ended did not come to it.
    reached: reached.then(() => (over ? new Promise<void>(() => undefined) : undefined)),
    async release() {
      over = true;
      await client.query("select pg_advisory_unlock(hashtext($1), hashtext($2))", key);
    },
  };
}

/** The point fails with this SQLSTATE, once. */
export async function failOnceAt(client: pg.Client, schema: string, point: string, code: string): Promise<void> {
  await client.query(`select setval('${schema}.fault_seq', 1, false)`);
  await client.query(`delete from ${schema}.fault`);
  await client.query(`insert into ${schema}.fault values ($1, $2, 1)`, [point, code]);
}

/** Ends the session that next comes to the point, there. */
export async function endAt(client: pg.Client, schema: string, point: string): Promise<() => Promise<void>> {
  const pause = await pauseAt(client, schema, point);
  const ended = pause.reached.then(async () => {
    await client.query(
      "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted and classid = hashtext($1)::oid",
      [`${schema}/pause`],
    );
    // Whoever repeats it passes.
    await pause.release();
  });
  return () => ended;
}
