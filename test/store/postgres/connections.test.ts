import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { Connections } from "../../../src/store/postgres/connections.ts";
import type { PgPool } from "../../../src/store/postgres/driver.ts";
import { VirtualClock } from "../../../src/time/index.ts";
import { eventually } from "../../support/eventually.ts";
import { postgresUrl, rawClient } from "../../support/postgres.ts";

const MINUTE = 60_000;

async function withPool(max: number, isOwn: boolean, work: (ground: Ground) => Promise<void>): Promise<void> {
  const pool = new pg.Pool({ connectionString: await postgresUrl(), max });
  pool.on("error", () => undefined);
  const clock = new VirtualClock();
  const connections = new Connections(pool as unknown as PgPool, isOwn, clock);
  try {
    await work({ pool, clock, connections });
  } finally {
    connections.over();
    await pool.end();
  }
}

interface Ground {
  readonly pool: pg.Pool;
  readonly clock: VirtualClock;
  readonly connections: Connections;
}

test("the connection that was used last is at hand for the next statement, and one that is not needed goes back to the pool", () =>
  withPool(3, true, async ({ pool, clock, connections }) => {
    const first = await connections.take();
    const second = await connections.take();
    connections.letGo(first, null);
    connections.letGo(second, null);
    for (let times = 0; times < 10; times++) {
      await clock.advance(MINUTE / 30);
      assert.equal(connections.take(), second);
      connections.letGo(second, null);
    }
    assert.deepEqual([pool.totalCount, pool.idleCount], [2, 1]);
    await clock.advance(MINUTE);
    assert.deepEqual([pool.totalCount, pool.idleCount], [2, 2]);
  }));

test("once nobody asks any more, all that were at hand go back to the pool", () =>
  withPool(3, true, async ({ pool, clock, connections }) => {
    const all = [await connections.take(), await connections.take(), await connections.take()];
    for (const client of all) connections.letGo(client, null);
    assert.deepEqual([pool.totalCount, pool.idleCount], [3, 0]);
    await clock.advance(MINUTE);
    assert.deepEqual([pool.totalCount, pool.idleCount], [3, 3]);
  }));

test("what is let go after the end goes back at once", () =>
  withPool(1, true, async ({ pool, connections }) => {
    const late = await connections.take();
    connections.over();
    connections.letGo(late, null);
    assert.equal(pool.idleCount, 1);
  }));

test("one that is let go as broken is ended, though it would still answer, and never at hand again", () =>
  withPool(1, true, async ({ pool, connections }) => {
    const first = await connections.take();
    connections.letGo(first, new Error("no answer within 35000 ms"));
    assert.equal(pool.totalCount, 0);
    const second = await connections.take();
    assert.notEqual(second, first);
    connections.letGo(second, null);
  }));

test("who waits for a connection gets the next one that is free", () =>
  withPool(1, true, async ({ pool, connections }) => {
    const only = await connections.take();
    const waiting = connections.take();
    connections.letGo(only, null);
    assert.equal(await waiting, only);
    connections.letGo(only, null);
    assert.equal(pool.idleCount, 0);
    connections.over();
    assert.equal(pool.idleCount, 1);
  }));

test("an application's pool has each connection back at once", () =>
  withPool(1, false, async ({ pool, connections }) => {
    const heard = new Set<number>();
    for (let times = 0; times < 3; times++) {
      const client = (await connections.take()) as unknown as pg.PoolClient;
      connections.letGo(client as never, null);
      assert.equal(pool.idleCount, 1);
      heard.add(client.listenerCount("error"));
    }
    assert.equal(heard.size, 1, "listeners pile up on it");
    assert.equal((await pool.query("select 1 as one")).rows[0]?.one, 1);
  }));

test("a connection that the server ends while it is at hand is not given to anybody", () =>
  withPool(2, true, async ({ pool, connections }) => {
    const first = await connections.take();
    const { rows } = await (first as unknown as pg.Client).query("select pg_backend_pid() as pid");
    connections.letGo(first, null);
    const raw = await rawClient(await postgresUrl());
    await raw.query("select pg_terminate_backend($1)", [rows[0].pid]);
    await raw.end();
    await eventually(() => assert.equal(pool.totalCount, 0));
    const second = await connections.take();
    assert.notEqual(second, first);
    connections.letGo(second, null);
  }));

test("a connection that ended in somebody's hands is never at hand, whatever was said of it", () =>
  withPool(2, true, async ({ pool, connections }) => {
    const first = await connections.take();
    const { rows } = await (first as unknown as pg.Client).query("select pg_backend_pid() as pid");
    const ended = new Promise<void>((resolve) => void first.on("end", resolve));
    const raw = await rawClient(await postgresUrl());
    await raw.query("select pg_terminate_backend($1)", [rows[0].pid]);
    await raw.end();
    await ended;
    connections.letGo(first, null);
    assert.equal(pool.totalCount, 0);
    const second = await connections.take();
    assert.notEqual(second, first);
    connections.letGo(second, null);
  }));
