import pg from "pg";
import { postgres } from "../src/store/postgres/index.ts";
import { silentLogger } from "../src/telemetry/index.ts";
import { systemClock } from "../src/time/index.ts";
import { startPostgres } from "../test/support/postgres.ts";
const server = await startPostgres({ settings: { fsync: "off", shared_buffers: "256MB", max_wal_size: "4GB", autovacuum: "off", log_min_messages: "fatal" } });
const raw = new pg.Client({ connectionString: server.url });
await raw.connect();
raw.on("notice", (n) => console.log(n.message));
const payload = JSON.stringify({ to: "somebody@example.com", subject: "x".repeat(60), n: 12_345 });
const newJob = () => ({ name: "noop", queue: "bench", priority: 0, input: payload, maxAttempts: 5, maxCrashes: 3 });
try {
  const store = postgres({ connectionString: server.url, schema: "b" });
  await store.open({ clock: systemClock, logger: silentLogger });
  for (let i = 0; i < 6; i++) await store.enqueue(Array.from({ length: 10_000 }, newJob));
  const me = await store.register({ name: "x", host: "h", pid: 1, version: "1", queues: ["bench"], names: ["noop"], concurrency: 1 }, 600000);
  const [l] = await store.claim(me, { wants: [{ queue: "bench", limit: 5000 }], names: new Set(["noop"]) });
  await raw.query("set search_path to b");
  for (const s of ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit"]) await raw.query(`set ${s} = off`);
  await raw.query("load 'auto_explain'").then(() => raw.query("set auto_explain.log_min_duration=0; set auto_explain.log_nested_statements=on; set auto_explain.log_analyze=on; set auto_explain.log_timing=on; set auto_explain.log_level=notice; set auto_explain.log_buffers=on; set auto_explain.log_wal=on")).catch((e) => console.log(e.message));
  for (let i = 0; i < 3; i++) await raw.query(`select count(*) from work(${me}, null,null,null,null,null,null,null, array[1], array[500], array[1], '{1}', '{${5000}}', 0)`);
  const { rows: [last] } = await raw.query("select id, ids from lease order by id desc limit 1");
  await raw.query("select settle($1, array[$2]::bigint[], array[500], $3::bigint[], $4::\"char\"[], $5::int[], null, null)", [me, last.id, last.ids, last.ids.map(() => "S"), last.ids.map(() => 1)]);
  await store.close();
} finally { await raw.end(); await server.dispose(); }
