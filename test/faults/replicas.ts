/** A primary and its replica, as a failover needs them. */
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { type PostgresServer, rawClient, startPostgres, startReplica } from "../support/postgres.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";

/** A primary and a replica that follows it, on servers of their own. */
export interface Pair extends AsyncDisposable {
  readonly primary: PostgresServer;
  /** Between the two: what the replica hears goes through here. */
  readonly stream: TcpProxy;
  readonly replica: PostgresServer;
  /** The address that clients know. */
  readonly proxy: TcpProxy;
}

/** @param how `sync`: commits on the primary wait for the replica */
export async function primaryAndReplica(how: "sync" | "async"): Promise<Pair> {
  await using starting = new AsyncDisposableStack();
  const started = <T extends { close(): Promise<void> } | { dispose(): Promise<void> }>(one: T): T =>
    starting.adopt(one, (one) => ("dispose" in one ? one.dispose() : one.close()));
  const settings = how === "sync" ? { synchronous_standby_names: "replica" } : {};
  const primary = started(await startPostgres({ settings }));
  const stream = started(await tcpProxy(primary.port));
  const replica = started(await startReplica(primary, stream.port));
  const proxy = started(await tcpProxy(primary.port));
  await following(primary, how);
  const all = starting.move();
  return { primary, stream, replica, proxy, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** The URL of a server or a proxy. */
export function at(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

/** Waits until the replica streams. */
export async function following(primary: PostgresServer, how: "sync" | "async"): Promise<void> {
  await ask(primary, async (raw) => {
    await eventually(async () => {
      const { rows } = await raw.query("select sync_state from pg_stat_replication where state = 'streaming'");
      assert.deepEqual(rows, [{ sync_state: how }]);
    });
  });
}

/** Waits until the replica has everything. */
export async function caughtUp(primary: PostgresServer, replica: PostgresServer): Promise<void> {
  const end = await ask(primary, async (raw) => (await raw.query("select pg_current_wal_lsn() as at")).rows[0].at);
  await ask(replica, async (raw) => {
    await eventually(async () => {
      const { rows } = await raw.query("select pg_last_wal_replay_lsn() >= $1 as there", [end]);
      assert.deepEqual(rows, [{ there: true }]);
    });
  });
}

export async function promote(replica: PostgresServer): Promise<void> {
  await ask(replica, async (raw) => {
    assert.deepEqual((await raw.query("select pg_promote(true, 30)")).rows, [{ pg_promote: true }]);
  });
}

/** The ids of all jobs that a server has. */
export function jobsOf(server: PostgresServer, schema: string): Promise<Set<string>> {
  return ask(server, async (raw) => {
    const { rows } = await raw.query<{ id: string }>(`select bucket || '-' || id as id from ${schema}.job`);
    return new Set(rows.map(({ id }) => id));
  });
}

async function ask<T>(
  server: PostgresServer,
  question: (raw: Awaited<ReturnType<typeof rawClient>>) => Promise<T>,
): Promise<T> {
  const raw = await rawClient(server.url);
  try {
    return await question(raw);
  } finally {
    await raw.end();
  }
}
