/** Options of the stores and of what is done to whole stores: each mistake is one clear error, before anything is opened. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createDashboard } from "../../src/dashboard/index.ts";
import { createHost, createJobs, defineJob } from "../../src/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { exportStore, importStore, moveStore } from "../../src/store/operations/index.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { backupSqlite, sqlite } from "../../src/store/sqlite/index.ts";
import { temporaryFolder } from "../support/folder.ts";

const URL_OF = "postgres://app:secret@127.0.0.1:1/shop";
const shard = { name: "a", connectionString: URL_OF };

/** How options are given by somebody whom no compiler warns. */
type Loose = (options: unknown) => unknown;
const STORES = { sqlite: sqlite as Loose, postgres: postgres as Loose, memory: memory as Loose };

const REFUSED: readonly (readonly [keyof typeof STORES, unknown, RegExp])[] = [
  ["memory", 5, /^NS_OPTION_INVALID: memory\(\) got 5 as options\. Give an object\.$/],
  ["memory", null, /^NS_OPTION_INVALID: memory\(\) got null/],
  ["memory", { maxJob: 5 }, /^NS_OPTION_UNKNOWN: .*Did you mean "maxJobs"\?$/],
  ["memory", { maxJobs: "5" }, /^NS_OPTION_INVALID: memory\(\): maxJobs is "5"\./],
  ["memory", { maxJobs: Number.NaN }, /^NS_OPTION_INVALID: memory\(\): maxJobs is NaN\./],
  ["sqlite", undefined, /^NS_OPTION_INVALID: sqlite\(\): path is undefined\. Give the path of a file\.$/],
  ["sqlite", null, /^NS_OPTION_INVALID: sqlite\(\): path is null\./],
  ["sqlite", 5, /^NS_OPTION_INVALID: sqlite\(\): path is 5\./],
  ["sqlite", "", /^NS_OPTION_INVALID: sqlite\(\): path is ""\./],
  ["sqlite", "sqlite:shop.db", /^NS_OPTION_INVALID: .*Give the path alone, "shop\.db"/],
  ["sqlite", "http://x/shop.db", /^NS_OPTION_INVALID: sqlite\(\): path is a URL of something else\./],
  ["sqlite", new URL("http://x/shop.db"), /^NS_OPTION_INVALID: sqlite\(\): path is a URL of something else\./],
  ["sqlite", "postgres://app:secret@db/shop", /^NS_OPTION_INVALID: (?!.*secret)/],
  ["sqlite", { file: "shop.db" }, /NS_OPTION_UNKNOWN: sqlite\(\) has no option "file"/],
  ["sqlite", { path: "shop.db", durabilty: "full" }, /^NS_OPTION_UNKNOWN: .*Did you mean "durability"\?$/],
  ["sqlite", { path: "shop.db", durability: "fast" }, /^NS_OPTION_INVALID: .*Give "full" or "normal"\.$/],
  ["sqlite", { path: "shop.db", pollInterval: -1 }, /^NS_DURATION_INVALID: sqlite\(\): pollInterval is -1\./],
  ["sqlite", { path: "shop.db", pollInterval: "" }, /^NS_DURATION_INVALID: sqlite\(\): pollInterval is ""\./],
  ["sqlite", { path: "shop.db", pollInterval: "5 parsecs" }, /^NS_DURATION_INVALID/],
  ["sqlite", { path: "shop.db", busyTimeout: Number.NaN }, /^NS_DURATION_INVALID: sqlite\(\): busyTimeout is NaN\./],
  ["sqlite", { path: "shop.db", busyTimeout: "60d" }, /^NS_DURATION_INVALID: .*"60d"\. Give at most 24d\.$/],
  ["postgres", undefined, /^NS_OPTION_INVALID: postgres\(\) got undefined\. Give postgres:\/\/user/],
  ["postgres", null, /^NS_OPTION_INVALID: postgres\(\) got null\./],
  ["postgres", 5, /^NS_OPTION_INVALID: postgres\(\) got 5\./],
  ["postgres", "", /^NS_OPTION_INVALID: postgres\(\): connectionString is not a URL\./],
  [
    "postgres",
    "http://x/y",
    /^NS_OPTION_INVALID: postgres\(\): connectionString begins with "http:"\. Give postgres:\/\//,
  ],
  ["postgres", "postgres://app:secr/et@db/shop", /^NS_OPTION_INVALID: (?!.*secr).*not a URL.*\/ as %2F/],
  ["postgres", "postgres://app:s@cr/et@db/shop", /^NS_OPTION_INVALID: (?!.*cr).*@ behind its host: .*\/ as %2F/],
  ["postgres", "mysql://app:secret@db/shop", /^NS_OPTION_INVALID: (?!.*secret).*"mysql:"/],
  [
    "postgres",
    { connectionString: undefined },
    /^NS_OPTION_INVALID: postgres\(\): connectionString is undefined\. Give/,
  ],
  ["postgres", {}, /^NS_OPTION_INVALID: postgres\(\): give a connectionString or a pool, one of the two\.$/],
  ["postgres", { connectionString: 5 }, /^NS_OPTION_INVALID: postgres\(\): connectionString is 5\./],
  ["postgres", { conectionString: URL_OF }, /^NS_OPTION_UNKNOWN: .*Did you mean "connectionString"\?$/],
  [
    "postgres",
    { shardz: [shard] },
    /^NS_OPTION_UNKNOWN: postgres\(\) has no option "shardz"\. Did you mean "shards"\?$/,
  ],
  ["postgres", { connectionString: URL_OF, queues: {} }, /no option "connectionString".*\n.*shards is undefined\./],
  ["postgres", { connectionString: URL_OF, schema: "" }, /^NS_OPTION_INVALID: postgres\(\): schema is ""\./],
  ["postgres", { connectionString: URL_OF, schema: "pg_x" }, /^NS_OPTION_INVALID: postgres\(\): schema is "pg_x"\./],
  [
    "postgres",
    { connectionString: URL_OF, connections: "6" },
    /^NS_OPTION_INVALID: .*connections is "6"\. Give a whole/,
  ],
  [
    "postgres",
    { connectionString: URL_OF, migrate: "no" },
    /^NS_OPTION_INVALID: .*migrate is "no"\. Give true or false\.$/,
  ],
  ["postgres", { connectionString: URL_OF, pooler: 1 }, /^NS_OPTION_INVALID: .*pooler is 1\. Give true or false\.$/],
  ["postgres", { connectionString: URL_OF, applicationName: 5 }, /^NS_OPTION_INVALID: .*applicationName is 5\./],
  ["postgres", { connectionString: URL_OF, applicationName: "" }, /^NS_OPTION_INVALID: .*applicationName is ""\./],
  [
    "postgres",
    { connectionString: URL_OF, listenConnectionString: 5 },
    /^NS_OPTION_INVALID: .*listenConnectionString is 5\./,
  ],
  [
    "postgres",
    { connectionString: URL_OF, listenConnectionString: "http://x" },
    /listenConnectionString begins with "http:"/,
  ],
  [
    "postgres",
    { connectionString: URL_OF, statementTimeout: 0 },
    /^NS_OPTION_INVALID: .*statementTimeout is 0\. Every/,
  ],
  ["postgres", { connectionString: URL_OF, statementTimeout: "30d" }, /^NS_DURATION_INVALID: .*Give at most 24d\.$/],
  [
    "postgres",
    { connectionString: URL_OF, patience: "30d" },
    /^NS_DURATION_INVALID: postgres\(\): patience is "30d"\./,
  ],
  ["postgres", { connectionString: URL_OF, patience: "" }, /^NS_DURATION_INVALID: postgres\(\): patience is ""\./],
  ["postgres", { shards: [shard], queues: [] }, /^NS_OPTION_INVALID: postgres\(\): queues got \[\] as options\./],
  [
    "postgres",
    { shards: [shard], leader: "z" },
    /^NS_OPTION_INVALID: postgres\(\): leader is "z", which is no shard\.$/,
  ],
  [
    "postgres",
    { shards: [{ ...shard, drainin: true }] },
    /^NS_OPTION_UNKNOWN: .*shard "a".*Did you mean "draining"\?$/,
  ],
  [
    "postgres",
    { shards: [shard, { ...shard, name: "b", schema: "b", draining: "no" }] },
    /shard "b": draining is "no"\./,
  ],
  ["postgres", { shards: [shard], patience: -1 }, /^NS_DURATION_INVALID: postgres\(\): shard "a": patience is -1\./],
];

for (const [store, options, message] of REFUSED) {
  test(`${store}(${JSON.stringify(options) ?? "undefined"}) is refused when it is called`, () => {
    assert.throws(
      () => STORES[store](options),
      (error: Error) => {
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test("a schema's name may hold quotes, spaces and letters of any script", () => {
  const store = postgres({ connectionString: URL_OF, schema: `we"ird; 'ø` });
  assert.match(store.info().location, /\(schema we"ird; 'ø\)$/);
});

test("times may be text or milliseconds, in every store", () => {
  sqlite({ path: "never-opened.db", pollInterval: "5s", busyTimeout: 1_500 });
  postgres({ connectionString: URL_OF, statementTimeout: "5s", patience: 0 });
});

test("an operation whose options are wrong touches neither store", async () => {
  using folder = temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  const move = moveStore as (...given: readonly unknown[]) => Promise<unknown>;
  const [from, to] = [sqlite(path("from.db")), sqlite(path("to.db"))];
  await assert.rejects(move(from, to, { finishd: true }), /^NightshiftError: NS_OPTION_UNKNOWN: .*"finished"\?$/);
  await assert.rejects(move(from, to, { finished: "yes" }), /NS_OPTION_INVALID: moveStore\(\): finished is "yes"\./);
  await assert.rejects(move(from, to, { signal: 5 }), /signal is 5\. Give an AbortSignal\./);
  await assert.rejects(
    move(from, "sqlite:to.db"),
    /NS_OPTION_INVALID: moveStore\(\): to is "sqlite:to\.db"\. Give a store/,
  );
  await assert.rejects(importStore(to, [], { onJob: 5 } as never), /onJob is 5\. Give a function\./);
  await assert.rejects(exportStore(from, { live: true } as never).next(), /NS_OPTION_UNKNOWN: exportStore\(\)/);
  await assert.rejects(backupSqlite(5 as never, path("copy.db")), /NS_OPTION_INVALID: backupSqlite\(\): path is 5\./);
  assert.deepEqual([existsSync(path("from.db")), existsSync(path("to.db"))], [false, false]);
});

test("addJobs() tells of options that are none, and of queues as one text, in one sentence each", () => {
  const build = (options: unknown) =>
    createHost()
      .addJobs(options as never)
      .build();
  assert.throws(
    () => build({ store: memory(), jobs: [], queues: "mail" }),
    /NS_OPTION_INVALID: addJobs: queues is "mail"\./,
  );
  assert.throws(
    () => build({ store: memory(), jobs: [], instanceName: 5 }),
    /addJobs: instanceName is 5\. Give a text/,
  );
  assert.throws(() => build(undefined), /NS_OPTION_INVALID: addJobs got undefined as options\./);
});

test("createDashboard() refuses a store, a logger or a clock that is none", () => {
  const create = (options: unknown) => createDashboard(options as never);
  assert.throws(() => create(undefined), /createDashboard\(\) got undefined as options\. Give an object\./);
  assert.throws(() => create({ store: "shop.db" }), /NS_OPTION_INVALID: createDashboard\(\): store is "shop\.db"\./);
  assert.throws(() => create({ store: memory(), logger: "console" }), /createDashboard\(\): logger is "console"\./);
  assert.throws(
    () => create({ store: memory(), services: [] }),
    /createDashboard\(\): services is \[\]\. Give a function/,
  );
});

test("calls with a job's name, with nothing, or with what is no list are told what to give", async () => {
  const known = defineJob({ name: "known", run: () => undefined });
  await using jobs = createJobs({ store: memory(), jobs: [known] });
  const loose = jobs as unknown as Record<string, (...given: readonly unknown[]) => Promise<unknown>>;
  const refused = (name: string, given: readonly unknown[], message: RegExp) =>
    assert.rejects(async () => loose[name]?.call(jobs, ...given), message);
  await refused(
    "enqueue",
    ["known"],
    /^NightshiftError: NS_JOB_UNKNOWN: "known" is no job definition\. Give the value/,
  );
  await refused("enqueue", [], /^NightshiftError: NS_JOB_UNKNOWN: undefined is no job definition\./);
  await refused("enqueueMany", [known, "x"], /NS_OPTION_INVALID: enqueueMany: inputs is "x"\. Give a list/);
  await refused("list", [], /NS_OPTION_INVALID: list: query is undefined\. Give what to list/);
  assert.throws(() => (defineJob as (given: unknown) => unknown)(undefined), /^NightshiftError: NS_JOB_DEFINITION: /);
});

test("createJobs() refuses a logger or a clock that is none", () => {
  const create = (more: object) => createJobs({ store: memory(), jobs: [], ...more });
  assert.throws(() => create({ logger: "silent" }), /NS_OPTION_INVALID: createJobs: logger is "silent"\. Give a pino/);
  assert.throws(() => create({ clock: Date }), /NS_OPTION_INVALID: createJobs: clock has no method monotonic\(\)/);
});

test("a store's second argument, which drivers take and we do not, is refused without showing its values", () => {
  const loose = (make: unknown) => make as (...given: readonly unknown[]) => unknown;
  assert.throws(() => loose(postgres)(URL_OF, { schema: "jobs", password: "secret" }), {
    code: "NS_OPTION_INVALID",
    message:
      /^NS_OPTION_INVALID: postgres\(\) takes one argument, and was given a second one \(\{ schema, password \}\)\. Give one object/,
  });
  assert.throws(
    () => loose(sqlite)("a.db", { durability: "normal" }),
    /sqlite\(\) takes one argument, .* \(\{ durability \}\)/,
  );
  assert.throws(() => loose(sqlite)("a.db", "normal"), /was given a second one\. Give one object/);
  assert.ok(loose(sqlite)("a.db", undefined));
  assert.equal(["a.db", "b.db"].map(sqlite).length, 2);
});
