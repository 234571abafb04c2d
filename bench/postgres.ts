/**
 * PostgreSQL: the store's workloads beside the physical limits of the same server in the same run. Ratios count, since
 * machines differ. `node bench/postgres.ts [word ...]` runs those whose name contains a word.
 */
import pg from "pg";
import type { Lease, NewJob, Store } from "../src/store/contract.ts";
import { postgres } from "../src/store/postgres/index.ts";
import { silentLogger } from "../src/telemetry/index.ts";
import { systemClock } from "../src/time/index.ts";
import { startPostgres } from "../test/support/postgres.ts";

/** One measured line. */
export interface Measurement {
  readonly name: string;
  /** Operations a second, or what `unit` says. */
  readonly value: number;
  readonly unit: string;
}

type Report = (name: string, value: number, unit?: string) => void;

/** Durable as by default; otherwise as a person would start it. */
const SETTINGS = { fsync: "on", shared_buffers: "256MB", max_wal_size: "4GB", autovacuum_naptime: "5s" };
const BATCH = 500;
const NAMES = new Set(["noop"]);
const payload = JSON.stringify({ to: "somebody@example.com", subject: "x".repeat(60), n: 12_345 });

const newJob = (over: Partial<NewJob> = {}): NewJob => ({
  ...{ name: "noop", queue: "bench", priority: 0, input: payload, maxAttempts: 5, maxCrashes: 3 },
  ...over,
});

interface Bench {
  readonly url: string;
  readonly raw: pg.Client;
  fresh(): Promise<Store>;
  walBytes(): Promise<number>;
}

/** Runs the workloads whose name contains one of the words; all without words. */
export async function benchPostgres(words: readonly string[], report: Report): Promise<void> {
  const given = process.env["NIGHTSHIFT_BENCH_POSTGRES"];
  const server = given ? null : await startPostgres({ settings: SETTINGS });
  const url = given ?? server?.url ?? "";
  const raw = new pg.Client({ connectionString: url });
  await raw.connect();
  const open: Store[] = [];
  let schemas = 0;
  const bench: Bench = {
    url,
    raw,
    async fresh() {
      const store = postgres({ connectionString: url, schema: `bench_${process.pid}_${++schemas}` });
      await store.open({ clock: systemClock, logger: silentLogger });
      open.push(store);
      return store;
    },
    async walBytes() {
      const { rows } = await raw.query<{ n: string }>("select pg_current_wal_insert_lsn() - '0/0' as n");
      return Number(rows[0]?.n);
    },
  };
  try {
    for (const [name, run] of Object.entries(WORKLOADS)) {
      if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
      await run(bench, report);
    }
  } finally {
    for (const store of open) await store.close();
    for (let n = 1; n <= schemas; n++) await raw.query(`drop schema if exists bench_${process.pid}_${n} cascade`);
    await raw.query("drop table if exists limit_rows");
    await raw.end();
    await server?.dispose();
  }
}

const WORKLOADS: Readonly<Record<string, (bench: Bench, report: Report) => Promise<void>>> = {
  async "one by one"({ raw, fresh }, report) {
    await raw.query(
      "create table if not exists limit_rows (id bigint generated always as identity primary key, body text)",
    );
    const store = await fresh();
    const commits = () =>
      forSeconds(2, () =>
        raw.query({ name: "one", text: "insert into limit_rows (body) values ($1)", values: [payload] }),
      );
    const enqueues = () => forSeconds(2, () => store.enqueue([newJob()]));
    await enqueues();
    const [limit, ours] = await interleaved(3, [commits, enqueues]);
    report("limit: one-row commits from Node", limit);
    report("enqueue one by one", ours);
    report("enqueue one by one / limit", ours / limit, "×");
  },
  async "100 concurrent"({ fresh }, report) {
    const store = await fresh();
    const run = () =>
      forSeconds(2, () => Promise.all(Array.from({ length: 100 }, () => store.enqueue([newJob()]))), 100);
    await run();
    report("enqueue, 100 concurrent", (await interleaved(3, [run]))[0] ?? 0);
  },
  async bulk({ raw, fresh, walBytes }, report) {
    await raw.query(
      "create table if not exists limit_rows (id bigint generated always as identity primary key, body text)",
    );
    const store = await fresh();
    const bodies = Array.from({ length: 1_000 }, () => payload);
    const limit = () =>
      forSeconds(
        2,
        () =>
          raw.query({
            name: "many",
            text: "insert into limit_rows (body) select unnest($1::text[])",
            values: [bodies],
          }),
        1_000,
      );
    const jobs = Array.from({ length: 10_000 }, () => newJob());
    const ours = () => forSeconds(2, () => store.enqueue(jobs), 10_000);
    await ours();
    const [top, got] = await interleaved(3, [limit, ours]);
    report("limit: 1,000-row inserts from Node", top);
    report("enqueue, 10,000 in a call", got);
    report("enqueue in bulk / limit", got / top, "×");
    const before = await walBytes();
    for (let n = 0; n < 10; n++) await store.enqueue(jobs);
    report("WAL per job enqueued", ((await walBytes()) - before) / 100_000, "bytes");
  },
  async drain({ raw, fresh, walBytes }, report) {
    const store = await fresh();
    const total = 100_000;
    const limit = async () => {
      await raw.query(
        "drop table if exists limit_rows; create table limit_rows (id bigint generated always as identity primary key, body text)",
      );
      await raw.query("insert into limit_rows (body) select $1 from generate_series(1, $2::int)", [payload, total]);
      await raw.query("vacuum analyze limit_rows");
      return rate(total, async () => {
        for (let done = 0; done < total; ) {
          const { rows } = await raw.query<{ id: string }>({
            name: "take",
            text: `select id, body from limit_rows where id > $1 order by id limit ${BATCH} for update skip locked`,
            values: [String(done)],
          });
          await raw.query({
            name: "drop",
            text: "delete from limit_rows where id = any ($1::bigint[])",
            values: [rows.map(({ id }) => id)],
          });
          done += rows.length;
        }
      });
    };
    let bytes = 0;
    const ours = async () => {
      await fill(store, total);
      const before = await walBytes();
      const got = await rate(total, () => drain(store, BATCH));
      bytes = ((await walBytes()) - before) / total;
      return got;
    };
    await ours();
    const [top, got] = await interleaved(3, [limit, ours]);
    report(`limit: claim ${BATCH}, delete ${BATCH}, one connection`, top);
    report(`drain by the store, ${BATCH} a batch, history kept`, got);
    report("drain / limit", got / top, "×");
    report("WAL per job drained", bytes, "bytes");
    for (const size of [100, 10]) {
      await fill(store, size * 300);
      report(`drain by the store, ${size} a batch`, await rate(size * 300, () => drain(store, size)));
    }
  },
};

async function fill(store: Store, total: number): Promise<void> {
  const slice = Array.from({ length: 10_000 }, () => newJob());
  for (let done = 0; done < total; done += slice.length) await store.enqueue(slice.slice(0, total - done));
}

/** Settles and claims until nothing is left, with one call under way and the next batch's outcomes waiting. */
async function drain(store: Store, size: number): Promise<void> {
  const me = await store.register(
    {
      name: "bench",
      host: "bench",
      pid: process.pid,
      version: "0",
      queues: ["bench"],
      names: ["noop"],
      concurrency: 1,
    },
    600_000,
  );
  const request = { wants: [{ queue: "bench", limit: size }], names: NAMES };
  let leases: readonly Lease[] = await store.claim(me, request);
  while (leases.length > 0) {
    const settlements = leases.map(({ id, jobs }) => ({
      lease: id,
      outcomes: jobs.map(({ id }) => ({ job: id, type: "succeeded", ms: 1 }) as const),
    }));
    leases = (await store.settleAndClaim(me, settlements, request)).leases;
  }
  await store.deregister(me);
}

async function forSeconds(seconds: number, once: () => Promise<unknown>, each = 1): Promise<number> {
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < seconds * 1_000) {
    await once();
    count += each;
  }
  return (count / (performance.now() - started)) * 1_000;
}

async function rate(count: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (count / (performance.now() - started)) * 1_000;
}

/** The medians of several rounds, one of each in turn, so that what disturbs the machine disturbs them all. */
async function interleaved(rounds: number, runs: readonly (() => Promise<number>)[]): Promise<[number, number]> {
  const results: number[][] = runs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, run] of runs.entries()) results[index]?.push(await run());
  }
  const medians = results.map((values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
  return [medians[0] ?? 0, medians[1] ?? 0];
}

if (import.meta.main) {
  await benchPostgres(process.argv.slice(2), (name, value, unit = "/s") => {
    const shown = value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
    console.log(`${name.padEnd(55)} ${shown.padStart(12)} ${unit}`);
  });
}
