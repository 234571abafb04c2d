/** PostgreSQL: the store beside the limits of the same server in the same minutes. */
import pg from "pg";
import type { Store } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { systemClock } from "../../src/time/index.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import type { Workload } from "../measure.ts";
import type { Group } from "../run.ts";
import { manyRows, oneRowCommits, pacedCommit, pacedHandOver, refill, takeAndDelete } from "./limits.ts";
import { directLatency, drain, fill, latency, newJob } from "./ours.ts";

/** Durable as by default; sized as a person would. NIGHTSHIFT_BENCH_POSTGRES names another server. */
const SETTINGS = { fsync: "on", shared_buffers: "256MB", max_wal_size: "4GB" };
const SECONDS = 1;
const TOTAL = 40_000;
const BATCH = 500;

export async function postgresGroup(long: boolean): Promise<Group> {
  const given = process.env["NIGHTSHIFT_BENCH_POSTGRES"];
  const server = given ? null : await startPostgres({ settings: SETTINGS });
  const connectionString = given ?? server?.url ?? "";
  const raw = new pg.Client({ connectionString });
  await raw.connect();
  const ear = new pg.Client({ connectionString });
  await ear.connect();
  const pool = new pg.Pool({ connectionString, max: 16 });
  const stores: Store[] = [];
  const open = async (schema: string) => {
    const store = postgres({ connectionString, schema });
    await store.open({ clock: systemClock, logger: silentLogger });
    stores.push(store);
    return store;
  };
  const schema = `bench_${process.pid}`;
  const store = await open(schema);
  const other = await open(schema);
  await fill(store, 10_000);
  await drain(store, BATCH, 1);
  await refill(raw, 1);

  const wal = async (work: () => Promise<unknown>) => {
    const at = async () => {
      const { rows } = await raw.query<{ n: string }>("select pg_current_wal_insert_lsn() - '0/0' as n");
      return Number(rows[0]?.n);
    };
    const before = await at();
    await work();
    return ((await at()) - before) / TOTAL;
  };
  const drained =
    (size: number, loops: number, total = TOTAL) =>
    async () => {
      await fill(store, total);
      return rate(total, () => drain(store, size, loops));
    };

  const workloads: Workload[] = [
    {
      name: "enqueue one by one",
      unit: "jobs/s",
      contenders: [
        { name: "nightshift", run: () => forSeconds(() => store.enqueue([newJob()])) },
        { name: "limit: one-row commits, one connection", run: () => forSeconds(() => oneRowCommits(raw)) },
      ],
    },
    {
      name: "enqueue, 100 concurrent",
      unit: "jobs/s",
      contenders: [
        { name: "nightshift", run: () => forSeconds(() => hundred(() => store.enqueue([newJob()])), 100) },
        {
          name: "one-row commits, 16 connections",
          run: () => forSeconds(() => hundred(() => oneRowCommits(pool)), 100),
        },
      ],
    },
    {
      name: "enqueue, 10,000 a call",
      unit: "jobs/s",
      contenders: [
        { name: "nightshift", run: () => forSeconds(() => fill(store, 10_000), 10_000) },
        { name: "limit: 1,000-row inserts", run: () => forSeconds(() => manyRows(raw, 10_000), 10_000) },
      ],
    },
    {
      name: "drain, 500 a batch",
      unit: "jobs/s",
      contenders: [
        { name: "nightshift, two loops", run: drained(BATCH, 2) },
        { name: "nightshift, one loop", run: drained(BATCH, 1) },
        {
          name: "limit: read 500, delete 500, nothing kept",
          run: async () => {
            await refill(raw, TOTAL);
            return rate(TOTAL, () => takeAndDelete(raw, TOTAL, BATCH));
          },
        },
      ],
    },
    {
      name: "drain, 50 a batch",
      unit: "jobs/s",
      contenders: [
        { name: "nightshift, two loops", run: drained(50, 2, 15_000) },
        {
          name: "limit: read 50, delete 50, nothing kept",
          run: async () => {
            await refill(raw, 15_000);
            return rate(15_000, () => takeAndDelete(raw, 15_000, 50));
          },
        },
      ],
    },
    {
      name: "latency, enqueue to claimed",
      unit: "ms",
      contenders: [
        { name: "nightshift, stored and claimed in one commit", run: () => directLatency(store, 60) },
        { name: "limit: one-row commit at that pace", run: () => pacedCommit(raw, 60) },
        { name: "nightshift, same process, woken", run: () => latency(store, store, 60) },
        { name: "nightshift, through NOTIFY", run: () => latency(other, store, 60) },
        { name: "limit: one-row commit, NOTIFY, delete one row", run: () => pacedHandOver(raw, ear, 60) },
      ],
    },
    {
      name: "write-ahead log per job, in and out with history",
      unit: "bytes",
      repetitions: 3,
      contenders: [
        { name: "nightshift, in", run: () => wal(() => fill(store, TOTAL)) },
        {
          name: "nightshift, out",
          run: async () => {
            await drain(store, BATCH, 1);
            await fill(store, TOTAL);
            return wal(() => drain(store, BATCH, 1));
          },
        },
      ],
    },
  ];
  if (long) workloads.push(...longWorkloads({ raw, store, schema, connectionString, drained }));

  // A queue that is not empty would be part of the next measurement.
  const tidy = (workload: Workload): Workload => ({
    ...workload,
    repetitions: workload.repetitions ?? 3,
    contenders: workload.contenders.map(({ name, run }) => ({
      name,
      async run() {
        await drain(store, 2_000, 2);
        return run();
      },
    })),
  });
  const { rows } = await raw.query<{ v: string }>("select current_setting('server_version') as v");
  return {
    about: [`PostgreSQL ${rows[0]?.v}`, "synchronous_commit on", "history kept", "client and server on one machine"],
    workloads: workloads.map(tidy),
    async close() {
      for (const one of stores) await one.close();
      await raw.query(`drop schema ${schema} cascade; drop table if exists limit_rows`);
      await raw.end();
      await ear.end();
      await pool.end();
      await server?.dispose();
    },
  };
}

interface Ground {
  readonly raw: pg.Client;
  readonly store: Store;
  readonly schema: string;
  readonly connectionString: string;
  readonly drained: (size: number, loops: number) => () => Promise<number>;
}

/** What others hold, or much that is already there, must not slow the drain. */
function longWorkloads({ raw, schema, connectionString, drained }: Ground): Workload[] {
  const run = drained(100, 1);
  const held = async () => {
    const holder = new pg.Client({ connectionString });
    await holder.connect();
    await holder.query("begin isolation level repeatable read; select 1 from pg_class limit 1");
    try {
      await run();
      return await run();
    } finally {
      await holder.end();
    }
  };
  const crowded = async () => {
    const { rows } = await raw.query<{ n: string }>(`select count(*) as n from ${schema}.scheduled`);
    if (Number(rows[0]?.n) === 0) {
      await raw.query(
        `insert into ${schema}.scheduled select g, 9000000000000 + g, 1, 1, 1, 0 from generate_series(10000000, 10999999) g`,
      );
      await raw.query(`insert into ${schema}.finished (at, job_id, lease_id, day, bucket, lane_id, kind_id, attempt, state)
        select ${schema}.now_ms(), g, 0, ${schema}.now_ms() / 86400000, 1, 1, 1, 1, 'S' from generate_series(10000000, 10999999) g`);
      await raw.query("vacuum analyze");
    }
    return run();
  };
  return [
    {
      name: "drain, 100 a batch, a snapshot held open",
      unit: "jobs/s",
      repetitions: 3,
      contenders: [
        { name: "nightshift, held", run: held },
        { name: "nightshift, clean", run },
      ],
    },
    {
      name: "drain, 100 a batch, beside 1,000,000 finished and 1,000,000 scheduled",
      unit: "jobs/s",
      repetitions: 3,
      contenders: [{ name: "nightshift, crowded", run: crowded }],
    },
  ];
}

function hundred(once: () => Promise<unknown>): Promise<unknown> {
  return Promise.all(Array.from({ length: 100 }, once));
}

async function forSeconds(once: () => Promise<unknown>, each = 1): Promise<number> {
  const started = performance.now();
  let count = 0;
  for (; performance.now() - started < SECONDS * 1_000; count += each) await once();
  return (count / (performance.now() - started)) * 1_000;
}

async function rate(count: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (count / (performance.now() - started)) * 1_000;
}
