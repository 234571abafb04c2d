/**
 * What a job costs, for the model of docs/guides/scaling.md: processor time of Node and of the server, write-ahead log,
 * disk, commits. On one database, and on two of one server behind `shards`, so that what the layer costs can be seen.
 * Two cores say nothing of how throughput grows with shards; cost per job and independence can be measured.
 *
 * A job costs something by itself and something for the call that carries it, so both small and large calls are measured.
 *
 *     node bench/shards.ts > bench/shards.json        about a minute
 */
import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import pg from "pg";
import type { Lease, Store } from "../src/store/contract.ts";
import { postgres } from "../src/store/postgres/index.ts";
import { silentLogger } from "../src/telemetry/index.ts";
import { systemClock } from "../src/time/index.ts";
import { type PostgresServer, startPostgres } from "../test/support/postgres.ts";
import { NAMES, newJob } from "./postgres/ours.ts";

const SETTINGS = { fsync: "on", shared_buffers: "256MB", max_wal_size: "4GB", checkpoint_timeout: "30min" };
const TOTAL = 60_000;
/** Jobs in a large call. */
const LARGE = 1_000;
/** Jobs that are carried in small calls, which take long. */
const FEW = 4_000;
const QUEUES = ["bench-0", "bench-1"];
const TICK = 1_000_000 / 100; // a clock tick in microseconds, on every Linux

interface Cost {
  readonly nodeMicros: number;
  readonly serverMicros: number;
  readonly walBytes: number;
  readonly commits: number;
  readonly jobsPerSecond: number;
}

/** Processor time of the server's processes, in microseconds: those that live, and what their parent has waited for. */
function serverMicros(server: PostgresServer): number {
  const parent = server.pid();
  let ticks = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .map(Number);
      const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
      if (Number(pid) === parent) ticks += user + system + childUser + childSystem;
      else if (fields[1] === parent) ticks += user + system;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" && (error as NodeJS.ErrnoException).code !== "ESRCH")
        throw error;
    }
  }
  return ticks * TICK;
}

async function measured(
  server: PostgresServer,
  raw: pg.Client,
  jobs: number,
  work: () => Promise<void>,
): Promise<Cost> {
  const number = async (text: string) => Number((await raw.query<{ n: string }>(text)).rows[0]?.n);
  const at = async () => {
    await raw.query("select pg_stat_clear_snapshot()");
    return {
      wal: await number("select pg_current_wal_insert_lsn() - '0/0' as n"),
      commits: await number("select sum(xact_commit) as n from pg_stat_database where datname <> 'postgres'"),
      server: serverMicros(server),
      cpu: process.cpuUsage(),
      time: performance.now(),
    };
  };
  const before = await at();
  await work();
  const time = performance.now();
  const cpu = process.cpuUsage(before.cpu);
  // Backends report their statistics about once a second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const after = await at();
  return {
    nodeMicros: (cpu.user + cpu.system) / jobs,
    serverMicros: (after.server - before.server) / jobs,
    walBytes: (after.wal - before.wal) / jobs,
    commits: (after.commits - before.commits) / jobs,
    jobsPerSecond: (jobs / (time - before.time)) * 1_000,
  };
}

async function enqueueAll(store: Store, total = TOTAL): Promise<void> {
  await Promise.all(
    QUEUES.map(async (queue) => {
      const slice = Array.from({ length: LARGE }, () => newJob({ queue }));
      for (let done = 0; done < total / QUEUES.length; done += slice.length) await store.enqueue(slice);
    }),
  );
}

/** So many callers, one job each, as web requests do it: calls of one moment share a commit. */
async function enqueueOneByOne(store: Store, total: number, callers: number): Promise<void> {
  let left = total;
  const caller = async (queue: string) => {
    while (left-- > 0) await store.enqueue([newJob({ queue })]);
  };
  await Promise.all(Array.from({ length: callers }, (_, n) => caller(QUEUES[n % 2] ?? "")));
}

async function drain(store: Store, batch: number): Promise<void> {
  const about = { name: "bench", host: "bench", pid: process.pid, version: "0", queues: QUEUES, names: ["noop"] };
  const me = await store.register({ ...about, concurrency: 1 }, 600_000);
  const request = { wants: QUEUES.map((queue) => ({ queue, limit: batch / 2 })), names: NAMES };
  let leases: readonly Lease[] = await store.claim(me, request);
  while (leases.length > 0) {
    const settlements = leases.map(({ id, jobs }) => ({
      lease: id,
      outcomes: jobs.map(({ id: job }) => ({ job, type: "succeeded", ms: 1 }) as const),
    }));
    leases = (await store.settleAndClaim(me, settlements, request)).leases;
  }
  await store.deregister(me);
}

async function bytesOnDisk(urls: readonly string[]): Promise<number> {
  let total = 0;
  for (const connectionString of urls) {
    const client = new pg.Client({ connectionString });
    await client.connect();
    await client.query("vacuum");
    const text = `select sum(pg_total_relation_size(c.oid)) as n from pg_class c join pg_namespace s on s.oid = c.relnamespace
      where s.nspname = 'nightshift' and c.relkind = 'r'`;
    total += Number((await client.query<{ n: string }>(text)).rows[0]?.n);
    await client.end();
  }
  return total;
}

async function run(): Promise<void> {
  const server = await startPostgres({ settings: SETTINGS });
  const raw = new pg.Client({ connectionString: server.url });
  await raw.connect();
  const results: Record<string, unknown> = {};
  try {
    for (const shards of [1, 2]) {
      const urls: string[] = [];
      for (let n = 0; n < shards; n++) {
        await raw.query(`create database bench_${shards}_${n}`);
        urls.push(server.url.replace(/\/[^/]*$/, `/bench_${shards}_${n}`));
      }
      const list = urls.map((connectionString, n) => ({ name: `s${n}`, connectionString }));
      const queues = Object.fromEntries(QUEUES.map((queue, n) => [queue, `s${n % shards}`]));
      const store = postgres(shards === 1 ? (urls[0] ?? "") : { shards: list, queues });
      await store.open({ clock: systemClock, logger: silentLogger });
      const cost = (jobs: number, work: () => Promise<void>) => measured(server, raw, jobs, work);
      await enqueueAll(store);
      await drain(store, LARGE);
      const sizeBefore = await bytesOnDisk(urls);
      const largeIn = await cost(TOTAL, () => enqueueAll(store));
      const largeOut = await cost(TOTAL, () => drain(store, LARGE));
      const disk = ((await bytesOnDisk(urls)) - sizeBefore) / TOTAL;
      const callers = await cost(10_000, () => enqueueOneByOne(store, 10_000, 100));
      await drain(store, LARGE);
      const smallIn = await cost(FEW, () => enqueueOneByOne(store, FEW, 1));
      const smallOut = await cost(FEW, () => drain(store, 2));
      results[`${shards} shard${shards > 1 ? "s" : ""}`] = {
        ...{ largeIn, callers, smallIn, largeOut, smallOut },
        diskBytesPerFinishedJob: disk,
      };
      await store.close();
    }
    const { rows } = await raw.query<{ version: string }>("select current_setting('server_version') as version");
    console.log(
      JSON.stringify(
        {
          ...{ date: new Date().toISOString().slice(0, 10), node: process.version, postgres: rows[0]?.version },
          ...{ cores: cpus().length, processor: cpus()[0]?.model, inputs: newJob().input.length, ...results },
        },
        null,
        2,
      ),
    );
  } finally {
    await raw.end();
    await server.dispose();
  }
}

await run();
