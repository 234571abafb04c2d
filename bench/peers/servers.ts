/** Places for the systems: a fresh database, file or Redis each. Everything listens on loopback and is gone afterwards. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { freePort } from "../../test/support/free-port.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { serverTime } from "./server-time.ts";
import type { Kind } from "./systems/index.ts";

/** Where a system keeps its jobs for one repetition. */
export interface Place {
  readonly address: string;
  /** Milliseconds that its server has spent since it was started; undefined where there is none, or nobody tells. */
  serverTime(): number | undefined;
  /** How many transactions its database has seen. */
  readonly transactions?: () => Promise<number>;
  dispose(): Promise<void>;
}

export interface Servers {
  readonly versions: readonly string[];
  /** Whether the program pgbench is on this machine. */
  readonly pgbench: boolean;
  /** Undefined where what it needs is not on this machine. */
  place(kind: Kind): Promise<Place> | undefined;
  /** Where the PostgreSQL server's log of changes has got to, in bytes. */
  walBytes(): Promise<number>;
  /** Statistics as autovacuum would make them a little later. */
  analyze(place: Place): Promise<void>;
  /** All that autovacuum and the next checkpoint would do a little later: a backlog of writes is not what comes next is measured by. */
  settle(place: Place): Promise<void>;
  /** Nothing but the system's own transactions from here on, or autovacuum's again; a server that is not ours stays as it is. */
  autovacuum(on: boolean): Promise<void>;
  /** A reading transaction that stays open until it is disposed of: nothing that was deleted meanwhile can be cleaned away. */
  holdSnapshot(place: Place): Promise<AsyncDisposable>;
  close(): Promise<void>;
}

/** Durable as by default; otherwise as a person would start it. */
const SETTINGS = { fsync: "on", shared_buffers: "256MB", max_wal_size: "4GB", checkpoint_timeout: "30min" };

export async function startServers(): Promise<Servers> {
  const given = process.env["NIGHTSHIFT_TEST_POSTGRES"];
  const server = given ? undefined : await startPostgres({ settings: SETTINGS });
  const url = given ?? server?.url ?? "";
  const client = new pg.Client({ connectionString: url });
  client.on("error", (error) => console.error(error.message)); // a server that is told to end says so
  await client.connect();
  const home = mkdtempSync(join(tmpdir(), "nightshift-peers-"));
  const redis = versionOf("redis-server", /v=([\d.]+)/);
  const pgbench = versionOf("pgbench", /([\d.]+)/);
  const { rows } = await client.query<{ version: string }>("select current_setting('server_version') as version");
  let made = 0;

  const database = async (): Promise<Place> => {
    const name = `peers_${process.pid}_${++made}`;
    await client.query(`create database ${name}`);
    const address = new URL(url);
    address.pathname = `/${name}`;
    return {
      address: address.href,
      serverTime: () => (server === undefined ? undefined : serverTime(server.pid())),
      async transactions() {
        const sql = "select xact_commit + xact_rollback as n from pg_stat_database where datname = $1";
        return Number((await client.query<{ n: string }>(sql, [name])).rows[0]?.n);
      },
      dispose: async () => void (await client.query(`drop database ${name} with (force)`)),
    };
  };
  const folder = (): string => mkdtempSync(join(home, "place-"));
  const file = async (): Promise<Place> => {
    const path = folder();
    return {
      address: join(path, "jobs.db"),
      serverTime: () => undefined,
      dispose: async () => rmSync(path, { recursive: true, force: true }),
    };
  };
  return {
    versions: [
      `PostgreSQL ${rows[0]?.version}`,
      redis ? `Redis ${redis}` : "no redis-server on this machine: BullMQ left out",
      pgbench ? `pgbench ${pgbench}` : "no pgbench on this machine: one-row commits from Node only",
    ],
    pgbench: pgbench !== undefined,
    place(kind) {
      if (kind === "postgres") return database();
      if (kind === "sqlite") return file();
      return redis ? startRedis(folder(), kind === "redis-aof") : undefined;
    },
    async walBytes() {
      const result = await client.query<{ n: string }>("select pg_current_wal_insert_lsn() - '0/0' as n");
      return Number(result.rows[0]?.n);
    },
    analyze: (place) => inside(place, (one) => one.query("analyze")),
    async settle(place) {
      await inside(place, (one) => one.query("vacuum (analyze)"));
      if (server !== undefined) await client.query("checkpoint");
    },
    async autovacuum(on) {
      if (server === undefined) return;
      await client.query(`alter system set autovacuum = ${on ? "on" : "off"}`);
      await client.query("select pg_reload_conf()");
    },
    async holdSnapshot({ address }) {
      const holder = new pg.Client({ connectionString: address });
      await holder.connect();
      holder.on("error", (error) => console.error(error.message));
      await holder.query("begin isolation level repeatable read");
      await holder.query("select count(*) from pg_class");
      return { [Symbol.asyncDispose]: () => holder.end() };
    },
    async close() {
      await client.end();
      await server?.dispose();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function inside({ address }: Place, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function startRedis(folder: string, append: boolean): Promise<Place> {
  const port = await freePort();
  const persistence = append ? ["--appendonly", "yes", "--appendfsync", "everysec"] : ["--appendonly", "no"];
  const flags = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", "", ...persistence];
  const server = spawn("redis-server", flags, { stdio: ["ignore", "pipe", "inherit"] });
  await ready(server);
  return {
    address: `redis://127.0.0.1:${port}`,
    serverTime: () => (server.pid === undefined ? undefined : serverTime(server.pid)),
    async dispose() {
      const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
      server.kill("SIGKILL"); // what it holds is of no use to anyone
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)));
    server.once("error", reject);
    server.stdout?.on("data", (chunk: Buffer) => {
      if (chunk.toString("utf8").includes("Ready to accept connections")) resolve();
    });
  });
}

/** The version that a program tells of itself; undefined when it is not installed. */
function versionOf(program: string, pattern: RegExp): string | undefined {
  try {
    return pattern.exec(execFileSync(program, ["--version"], { encoding: "utf8" }))?.[1];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
