/** The bytes of a real server, by every way to it and however they are cut: each answer is whole, or an error. */
import assert from "node:assert/strict";
import { appendFileSync, chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Store, Wake } from "../../src/store/contract.ts";
import { selfSigned } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { freshSchema, type PostgresServer, rawClient, startPostgres } from "../support/postgres.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";
import { assertAllOnce, Load, names, newJob, openStore, worker } from "./postgres-support.ts";

const PASSWORD = "a long word of passage";
const folder = mkdtempSync(join(tmpdir(), "nightshift-wire-"));
let server: PostgresServer;
let proxy: TcpProxy;

before(async () => {
  chmodSync(folder, 0o777);
  const { key, cert } = selfSigned();
  for (const [name, text] of [
    ["server.key", key],
    ["server.crt", cert],
  ] as const) {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    if (process.getuid?.() === 0) chownSync(join(folder, name), 65_534, 65_534);
  }
  server = await startPostgres({
    settings: {
      ...{ listen_addresses: "127.0.0.1,::1", unix_socket_directories: folder },
      ...{ ssl: "on", ssl_cert_file: join(folder, "server.crt"), ssl_key_file: join(folder, "server.key") },
    },
  });
  const raw = await rawClient(server.url);
  await raw.query(`create role shop login superuser password '${PASSWORD}'`);
  const rules = join(server.dataDirectory, "pg_hba.conf");
  const usual = readFileSync(rules, "utf8");
  writeFileSync(rules, "local all shop scram-sha-256\nhost all shop all scram-sha-256\n");
  appendFileSync(rules, usual);
  await raw.query("select pg_reload_conf()");
  await raw.end();
  proxy = await tcpProxy(server.port);
});
after(async () => {
  await proxy.close();
  await server.dispose();
  rmSync(folder, { recursive: true });
});

const at = (host: string, port: number, more = "") =>
  `postgres://shop:${encodeURIComponent(PASSWORD)}@${host}:${port}/postgres${more}`;

/** Jobs through their whole life, with inputs of these lengths; a second store hears of the first one's jobs. */
async function work(connectionString: string, sizes: readonly number[], schema = freshSchema()): Promise<void> {
  await using ends = new AsyncDisposableStack();
  const open = async () => {
    const store = await openStore({ connectionString, schema });
    ends.defer(() => store.close());
    return store;
  };
  const store = await open();
  const other = await open();
  const heard = wakesOf(other);
  // A wake-up that names its queue was heard; one that was found by polling is of an unknown change.
  await eventually(async () => {
    await store.enqueue([newJob({ queue: "bell" })]);
    assert.ok(heard.some((wake) => wake.what === "work" && wake.queues.includes("bell")));
  });
  const inputs = sizes.map((size, n) => JSON.stringify(`${n} ${"æ€😀".repeat(size)}`));
  const ids = await store.enqueue(inputs.map((input) => newJob({ input })));
  const me = await store.register(worker, 60_000);
  const bell = await claimAll(store, me, "bell");
  assert.deepEqual(new Map(await claimAll(store, me, "q")), new Map(ids.map((id, n) => [id, inputs[n]])));
  await assertAllOnce(server.url, schema, [...ids, ...bell.map(([id]) => id)]);
}

function wakesOf(store: Store): readonly Wake[] {
  const heard: Wake[] = [];
  store.subscribe((wake) => void heard.push(wake));
  return heard;
}

/** Claims what is there and settles it; ids and inputs. */
async function claimAll(store: Store, me: string, queue: string): Promise<(readonly [string, string])[]> {
  const claimed = await store.claim(me, { wants: [{ queue, limit: 100 }], names });
  for (const { id: lease, jobs } of claimed) {
    const outcomes = jobs.map(({ id: job }) => ({ job, type: "succeeded", ms: 1 }) as const);
    assert.deepEqual(await store.settle(me, [{ lease, outcomes }]), { refused: [] });
  }
  return claimed.flatMap(({ jobs }) => jobs.map(({ id, input }) => [id, input] as const));
}

const ways: readonly (readonly [string, () => string])[] = [
  ["IPv6", () => at("[::1]", server.port)],
  ["a Unix socket", () => at(encodeURIComponent(folder), server.port)],
  ["TLS", () => at("localhost", server.port, `?sslmode=verify-full&sslrootcert=${join(folder, "server.crt")}`)],
];
for (const [name, way] of ways) {
  test(`jobs go through ${name} with a password, and are heard of by others`, () => work(way(), [0, 10, 100_000]));
}

test("a server whose answers come byte by byte is understood: passwords, jobs and wake-ups", async () => {
  proxy.cutUp(() => 1);
  await work(at("127.0.0.1", proxy.port), [0, 1, 50]).finally(() => proxy.heal());
});

for (const more of ["", "?sslmode=no-verify"]) {
  test(`a server whose answers are cut anywhere is understood${more && ", over TLS too"}`, async () => {
    let seed = 7;
    proxy.cutUp(() => 1 + ((seed = (seed * 48_271) % 2_147_483_647) % (seed % 3 === 0 ? 7 : 4_000)));
    const sizes = Array.from({ length: 40 }, (_, n) => (n === 20 ? 100_000 : n * 7));
    await work(at("127.0.0.1", proxy.port, more), sizes).finally(() => proxy.heal());
  });
}

test("notices, changed settings and notifications that come among the rows of an answer are none of its rows", async () => {
  const schema = freshSchema();
  const raw = await rawClient(server.url);
  await (await openStore({ connectionString: server.url, schema })).close();
  await raw.query(`create function ${schema}.noise() returns trigger language plpgsql as $$ begin
    raise notice 'a notice of % bytes: %', 70000, repeat('n', 70000);
    perform set_config('application_name', 'noise ' || clock_timestamp(), false);
    execute 'listen noise';
    perform pg_notify('noise', clock_timestamp()::text);
    return null;
  end $$`);
  const tables = await raw.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = $1::regnamespace and relkind = 'r' and not relispartition",
    [schema],
  );
  for (const { name } of tables.rows)
    await raw.query(`create trigger noise after insert or delete on ${schema}.${name}
      for each row execute function ${schema}.noise()`);
  let notifications = 0;
  raw.on("notification", () => void notifications++);
  await raw.query("listen noise");
  await work(at("127.0.0.1", server.port), [0, 10, 100], schema);
  await eventually(() => assert.ok(notifications > 10));
  await raw.end();
});

test("a connection that ends in the middle of a message is a lost one: the question is asked again, or its outcome unknown", async () => {
  const schema = freshSchema();
  const store = await openStore({ connectionString: at("127.0.0.1", proxy.port), schema });
  try {
    const input = JSON.stringify("x".repeat(2_000_000));
    const ids = await store.enqueue([newJob({ input }), newJob({ input })]);
    const [id = ""] = ids;
    for (const bytes of [1, 4, 5, 6, 100, 65_536, 1_000_000]) {
      proxy.cutAfterHearing(bytes);
      assert.equal((await store.getJob(id))?.input, input);
    }
    const me = await store.register(worker, 60_000);
    await claimAll(store, me, "empty");
    proxy.cutAfterHearing(1_000_000);
    await assert.rejects(claimAll(store, me, "q"), { code: "NS_STORE_UNAVAILABLE", message: /outcome|unknown/ });
    await store.reconcile(me, []);
    assert.deepEqual(
      (await claimAll(store, me, "q")).map(([, got]) => got),
      [input, input],
    );
    await assertAllOnce(server.url, schema, ids);
  } finally {
    proxy.heal();
    await store.close();
  }
});

test("connections that end in the middle of messages under load, which come in pieces, cost no accepted job", async () => {
  const schema = freshSchema();
  const store = await openStore({ connectionString: at("127.0.0.1", proxy.port), schema });
  try {
    using load = new Load(store).start(4, 2);
    proxy.cutUp(() => 700);
    for (let bytes = 1; bytes < 6_000; bytes += 149) {
      await load.more(40);
      proxy.cutAfterHearing(bytes);
    }
    proxy.heal();
    await load.finish();
    await assertAllOnce(server.url, schema, load.accepted);
  } finally {
    proxy.heal();
    await store.close();
  }
});
