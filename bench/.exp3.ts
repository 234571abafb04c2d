import { readFileSync, readdirSync } from "node:fs";
import pg from "pg";
import { postgres } from "../src/store/postgres/index.ts";
import { silentLogger } from "../src/telemetry/index.ts";
import { systemClock } from "../src/time/index.ts";
import { startPostgres } from "../test/support/postgres.ts";
const server = await startPostgres({ settings: { fsync: "on", shared_buffers: "256MB", max_wal_size: "4GB", autovacuum: "off" } });
const raw = new pg.Client({ connectionString: server.url });
await raw.connect();
const cpuOf = (pid: number) => { const f = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" "); return (Number(f[11]) + Number(f[12])) * 10; };
const serverCpu = () => { let sum = 0; for (const p of readdirSync("/proc")) if (/^\d+$/.test(p)) try { const f = readFileSync(`/proc/${p}/stat`, "utf8").split(") ")[1]!.split(" "); if (Number(f[1]) === server.pid() || Number(p) === server.pid()) sum += (Number(f[11]) + Number(f[12])) * 10; } catch {} return sum; };
const payload = JSON.stringify({ to: "somebody@example.com", subject: "x".repeat(60), n: 12_345 });
const newJob = () => ({ name: "noop", queue: "bench", priority: 0, input: payload, maxAttempts: 5, maxCrashes: 3 });
const measure = async (name: string, n: number, f: () => Promise<unknown>) => {
  const c0 = process.cpuUsage(), s0 = serverCpu(), t0 = performance.now();
  await f();
  const c = process.cpuUsage(c0), t = performance.now() - t0;
  console.log(name.padEnd(30), "wall", (t * 1000 / n).toFixed(1), "µs/job; node cpu", ((c.user + c.system) / n).toFixed(1), "server cpu", ((serverCpu() - s0) * 1000 / n).toFixed(1));
};
try {
  const store = postgres({ connectionString: server.url, schema: "b" });
  await store.open({ clock: systemClock, logger: silentLogger });
  const slice = Array.from({ length: 10_000 }, newJob);
  const fill = async (n: number) => { for (let d = 0; d < n; d += 10_000) await store.enqueue(slice); };
  await fill(10000);
  const N = 60_000, B = Number(process.env.B ?? 500);
  const me = await store.register({ name: "x", host: "h", pid: 1, version: "1", queues: ["bench"], names: ["noop"], concurrency: 1 }, 600000);
  const names = new Set(["noop"]);
  const request = { wants: [{ queue: "bench", limit: B }], names };
  const drain = async () => {
    let leases = await store.claim(me, request);
    while (leases.length > 0) {
      const settlements = leases.map(({ id, jobs }) => ({ lease: id, outcomes: jobs.map(({ id }) => ({ job: id, type: "succeeded", ms: 1 }) as const) }));
      leases = (await store.settleAndClaim(me, settlements, request)).leases;
    }
  };
  await drain();
  const what = process.argv[2] ?? "all";
  if (what === "all" || what === "drain") {
  await measure("fill", N, () => fill(N));
  const { spawn } = await import("node:child_process"); const pf = spawn("perf", ["record", "-F", "2999", "--call-graph", "fp", "-a", "-o", "/tmp/perf.data"], { stdio: "ignore" }); await new Promise((r) => setTimeout(r, 500)); await measure("drain", N, drain); pf.kill("SIGINT"); await new Promise((r) => pf.on("exit", r));
  await raw.query("vacuum analyze");
  await fill(N);
  await measure("drain 2", N, drain);
  // raw limit
  await raw.query("create table limit_rows (id bigint generated always as identity primary key, body text)");
  await raw.query("insert into limit_rows (body) select $1 from generate_series(1, $2::int)", [payload, N]);
  await raw.query("vacuum analyze limit_rows");
  await measure("limit", N, async () => {
    for (let done = 0; done < N; ) {
      const { rows } = await raw.query<{ id: string }>({ name: "take", text: `select id, body from limit_rows where id > $1 order by id limit ${B} for update skip locked`, values: [String(done)] });
      await raw.query({ name: "drop", text: "delete from limit_rows where id = any ($1::bigint[])", values: [rows.map(({ id }) => id)] });
      done += rows.length;
    }
  });
  }
  if (what === "all" || what === "one") {
    await raw.query("create table if not exists limit_rows (id bigint generated always as identity primary key, body text)");
    for (let i = 0; i < 2; i++) {
    await measure("limit one", 1000, async () => { for (let n = 0; n < 1000; n++) await raw.query({ name: "one", text: "insert into limit_rows (body) values ($1)", values: [payload] }); });
    await measure("enqueue one", 1000, async () => { for (let n = 0; n < 1000; n++) await store.enqueue([newJob()]); });
    }
  }
  await store.close();
} finally { await raw.end(); await server.dispose(); }
