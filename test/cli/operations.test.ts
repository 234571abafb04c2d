/** The commands that care for stores, as a person runs them: real processes, files and a real PostgreSQL. */
import assert from "node:assert/strict";
import { type SpawnOptions, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { postgres } from "../../src/store/postgres/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { countsOf, died, newJob, succeeded, TestWorker } from "../../src/testing/store-conformance/worker.ts";
import { systemClock } from "../../src/time/index.ts";
import { TestFolder } from "../store/sqlite/files.ts";
import { eventually } from "../support/eventually.ts";
import { freshSchema, postgresUrl, rawClient } from "../support/postgres.ts";

const context = { clock: systemClock, logger: silentLogger };

async function nightshift(args: readonly string[], input = "", options: SpawnOptions = {}) {
  const child = spawn(process.execPath, ["src/cli/main.ts", ...args], { ...options, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin?.end(input);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  assert.ok(child.stdout && child.stderr);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, err };
}

/** A file with 30 jobs: 10 of them over, one of these dead. */
async function shop(folder: TestFolder) {
  const store = await folder.open({ durability: "normal" });
  await store.enqueue(Array.from({ length: 30 }, () => newJob()));
  const worker = await TestWorker.register(store, "shop@web-1");
  const lease = await worker.claim(10);
  await worker.settle(lease, ...lease.jobs.map(({ id }, n) => (n === 0 ? died(id) : succeeded(id))));
  return { store, worker, address: `sqlite:${folder.file()}` };
}

test("stats tells queues, totals and processes, as a table and as JSON", async () => {
  await using folder = new TestFolder();
  const { store, address } = await shop(folder);
  await store.pauseQueue("q", "deploy");
  const { status, out } = await nightshift(["stats", "--store", address]);
  assert.equal(status, 0);
  assert.match(out, /^q +20 +0 +0 +0 .*paused: deploy$/m);
  assert.match(out, /9 succeeded, 1 dead, 0 cancelled/);
  assert.match(out, /^shop@web-1 +host +1 +0 +0\/10 .*alive$/m);
  await store.resumeQueue("q");
  const ahead = await TestWorker.register(store, "shop@web-2");
  await ahead.claim(13);
  const busy = (await nightshift(["stats", "--store", address])).out;
  assert.match(busy, /^q +7 +0 +0 +13 .*\nof those that run, at least 3 are claimed ahead and have not begun$/m);
  assert.match(busy, /^shop@web-2 +host +1 +0 +10\/10 \+3 ahead .*alive$/m);
  await store.deregister(ahead.instance);
  await store.pauseQueue("q", "deploy");
  const json = JSON.parse((await nightshift(["stats", "--store", address, "--json"])).out);
  assert.deepEqual([json.counts.queues[0].ready, json.instances[0].name], [20, "shop@web-1"]);
});

test("pause and resume stop and begin the work of a queue, and say why it stood", async () => {
  await using folder = new TestFolder();
  const { store, worker, address } = await shop(folder);
  const queue = (command: string, ...args: string[]) => nightshift([command, "--store", address, ...args]);
  assert.equal((await queue("resume", "--queue", "q")).err, "q is not paused.\n");
  assert.equal((await queue("pause", "--queue", "q", "--reason", "deploy")).err, "q is paused.\n");
  assert.equal((await worker.claimLeases(1)).length, 0);
  await store.pauseQueue("other");
  assert.equal((await queue("resume", "--queue", "q")).err, "q goes on; it was paused: deploy.\n");
  assert.equal((await worker.claimLeases(1)).length, 1);
  assert.equal((await queue("resume", "--all")).err, "other goes on.\n");
  assert.equal((await queue("resume", "--all")).err, "No queue is paused.\n");
  for (const args of [[], ["--queue", "q", "--all"]]) {
    assert.match((await queue("resume", ...args)).err, /^NS_OPTION_INVALID: Give either --queue or --all\./);
  }
  assert.match((await queue("pause", "--queue", "")).err, /^NS_OPTION_INVALID: --queue needs a value/);
});

test("jobs lists what runs with by whom and since when, and what died with its error", async () => {
  await using folder = new TestFolder();
  const { worker, store, address } = await shop(folder);
  const jobs = (...args: string[]) => nightshift(["jobs", "--store", address, ...args]);
  assert.match((await jobs("--state", "running")).out, /^no such jobs$/m);
  const { jobs: held } = await worker.claim(2);
  const { status, out, err } = await jobs("--state", "running", "--limit", "1");
  assert.equal(status, 0);
  const line = new RegExp(`^${held[0]?.id} +a +q +1 of 5 +(now|\\d+s ago) +shop@web-1 \\(pid 1 on host\\)$`, "m");
  assert.match(out, line);
  assert.match(err, /more than these 1: .*--limit/);
  const { jobs: listed } = JSON.parse((await jobs("--state", "running", "--queue", "q", "--json")).out);
  const at = (await store.getJob(held[0]?.id ?? ""))?.at;
  assert.deepEqual(
    [listed.length, listed[0].at, listed[1].instance],
    [2, at, { name: "shop@web-1", host: "host", pid: 1, expiresAt: (await store.listInstances())[0]?.expiresAt }],
  );
  assert.match((await jobs("--state", "dead")).out, /^id .*last error\n.* 1 of 5 +(now|\d+s ago) +fatal$/m);
  assert.match(
    (await jobs("--state", "dead", "--limit", "0")).err,
    /^NS_OPTION_INVALID: --limit is "0"\. Give a whole/,
  );
});

test("jobs that run stand with the longest running first, and a process that gave no sign in its time is named as silent", async () => {
  await using folder = new TestFolder();
  const { worker, store, address } = await shop(folder);
  const [late = ""] = await store.enqueue([newJob({ priority: 9 })]);
  const gone = await TestWorker.register(store, "shop@web-2");
  const { claimedAt } = await gone.claim(1);
  await eventually(async () => assert.ok((await store.now()) > claimedAt));
  const [early] = (await worker.claim(1)).jobs;
  assert.ok(Number(early?.id) < Number(late));
  await store.heartbeat(gone.instance, 1);
  const { out } = await nightshift(["jobs", "--store", address, "--state", "running"]);
  const [, first, second] = out.split("\n");
  assert.match(first ?? "", new RegExp(`^${late} .* shop@web-2 \\(pid 1 on host\\), silent( for \\d+s)?$`));
  assert.match(second ?? "", new RegExp(`^${early?.id} .* shop@web-1 \\(pid 1 on host\\)$`));
});

test("of more running jobs than are sorted, it is said that only those enqueued last were looked at", async () => {
  await using folder = new TestFolder();
  const { worker, store, address } = await shop(folder);
  await store.enqueue(Array.from({ length: 10_001 }, () => newJob()));
  await worker.claim(10_000);
  await worker.claim(21);
  const { out, err } = await nightshift(["jobs", "--store", address, "--state", "running", "--limit", "1"]);
  assert.match(out, / shop@web-1 \(pid 1 on host\)$/m);
  assert.equal(err, "Only the 10000 that were enqueued last were looked at: narrow them down.\n");
});

test("count tells how many jobs are of a state, a queue, a name, and refuses a state that there is not", async () => {
  await using folder = new TestFolder();
  const { address } = await shop(folder);
  const count = (...args: string[]) => nightshift(["count", "--store", address, ...args]);
  assert.deepEqual(await count("--state", "succeeded"), { status: 0, out: "9\n", err: "" });
  assert.deepEqual((await count("--state", "ready", "--queue", "q", "--name", "a")).out, "20\n");
  assert.deepEqual((await count("--state", "ready", "--queue", "other", "--json")).out, '{"count":0,"exact":true}\n');
  const wrong = await count("--state", "done");
  assert.equal(wrong.status, 2);
  assert.match(wrong.err, /^NS_OPTION_INVALID: state is "done"\. Give one of .*succeeded/);
  assert.match((await count()).err, /^NS_OPTION_INVALID: --state is missing\./);
});

test("a file that cannot be read or written is named, before anything else is touched", async () => {
  await using folder = new TestFolder();
  const { store, address } = await shop(folder);
  await store.close();
  const fresh = folder.file("fresh.db");
  const refused = async (args: readonly string[], message: RegExp) => {
    const { status, err } = await nightshift(args);
    assert.deepEqual([status, message.test(err) ? message : err], [2, message]);
  };
  const missing = folder.file("no/such/file");
  await refused(
    ["import", "--store", `sqlite:${fresh}`, "--from", missing],
    /^NS_OPTION_INVALID: .*file does not exist/,
  );
  await refused(
    ["import", "--store", `sqlite:${fresh}`, "--from", folder.file("..")],
    /NS_OPTION_INVALID: .* is a folder/,
  );
  assert.equal(existsSync(fresh), false);
  await refused(
    ["export", "--store", address, "--to", folder.file()],
    /NS_OPTION_INVALID: .*exists already, and is not replaced/,
  );
  const move = ["move", "--from", address, "--to", `sqlite:${fresh}`, "--mapping", missing];
  await refused(move, /NS_OPTION_INVALID: .*does not exist, or its folder/);
  assert.equal((await nightshift(["count", "--store", address, "--state", "ready"])).out, "20\n");
});

test("a schema without tables is named, with what to do", async () => {
  const url = await postgresUrl();
  const { status, err } = await nightshift(["stats", "--store", url, "--schema", freshSchema("none")]);
  assert.equal(status, 2);
  assert.match(
    err,
    /^NS_STORE_VERSION: .* has no tables of Nightshift's in the schema "none\w+".*run nightshift migrate/,
  );
});

test("a backup made while jobs are written is whole, private, and never replaces a file", async () => {
  await using folder = new TestFolder();
  const { store, address } = await shop(folder);
  let writing = true;
  const writer = (async () => {
    while (writing) await store.enqueue(Array.from({ length: 50 }, () => newJob()));
  })();
  const copy = folder.file("copy.db");
  const { status, err } = await nightshift(["backup", "--store", address, "--to", copy]);
  writing = false;
  await writer;
  assert.deepEqual([status, statSync(copy).mode & 0o777], [0, 0o600], err);
  assert.equal(existsSync(`${copy}.partial`), false);
  const again = await nightshift(["backup", "--store", address, "--to", copy]);
  assert.equal(again.status, 2);
  assert.match(again.err, /copy\.db exists already/);
  const checked = await nightshift(["check", "--store", `sqlite:${copy}`]);
  assert.equal(checked.status, 0, checked.out);
  const restored = sqlite(copy);
  await restored.open(context);
  const jobs = (await restored.counts()).queues[0]?.ready ?? 0;
  assert.ok(jobs >= 20 && jobs <= (await countsOf(store)).ready, `${jobs}`);
  await restored.close();
});

test("check finds what is broken, names the jobs, and ends with 1", async () => {
  await using folder = new TestFolder();
  const { store, address } = await shop(folder);
  await store.close();
  const raw = new DatabaseSync(folder.file());
  raw.exec(`DELETE FROM nightshift_job WHERE id = 30;
    DELETE FROM nightshift_ready WHERE job_id = 29;
    INSERT INTO nightshift_scheduled SELECT 5, 28, queue_id, rank, attempt FROM nightshift_ready WHERE job_id = 28;
    INSERT INTO nightshift_ready SELECT queue_id, 0, 1, 1 FROM nightshift_ready WHERE job_id = 20;
    INSERT INTO nightshift_lease (instance_id, queue_id, claimed_at, size, jobs) VALUES (99, 1, 0, 0, '[]')`);
  raw.close();
  const { status, out } = await nightshift(["check", "--store", address]);
  assert.equal(status, 1);
  assert.match(out, /1 jobs are waiting or running but have no body.*\(30\)/);
  assert.match(out, /1 jobs are not over and in no place.*\(29\)/);
  assert.match(out, /1 jobs are in more than one place.*\(28\)/);
  assert.match(out, /1 jobs ended, and wait or run all the same.*\(1\)/);
  assert.match(out, /warning +1 are leases of instances that are gone/);
  assert.match(out, /the store is damaged/);
  await store.open(context);
});

test("check finds the same in PostgreSQL", async () => {
  const connectionString = await postgresUrl();
  const schema = freshSchema();
  const store = postgres({ connectionString, schema });
  await store.open(context);
  await store.enqueue(Array.from({ length: 6 }, () => newJob()));
  const worker = await TestWorker.register(store);
  const lease = await worker.claim(1);
  await worker.settle(lease, succeeded(lease.jobs[0]?.id ?? ""));
  const raw = await rawClient(connectionString);
  await raw.query(`delete from ${schema}.job where id = 6; delete from ${schema}.ready where job_id = 5;
    insert into ${schema}.scheduled select job_id, 5, lane_id, kind_id, bucket, attempt from ${schema}.ready where job_id = 4;
    insert into ${schema}.ready select 1, lane_id, kind_id, bucket, 1 from ${schema}.ready where job_id = 3;
    insert into ${schema}.lease values (1, 0, 99, 1, '{2}', '{1}', '{1}', '{1}', '{1}')`);
  const { findings } = await store.verify();
  const found = findings.map(({ what, details }) => [what, details["count"]]);
  assert.deepEqual(found, [
    ["job without body", 2],
    ["job in two places", 2],
    ["job that is over and waits", 1],
    ["job in no place", 1],
    ["lease without instance", 1],
  ]);
  const checked = await nightshift(["check", "--store", connectionString, "--schema", schema]);
  assert.equal(checked.status, 1);
  assert.match(checked.out, /the store is damaged/);
  await raw.end();
  await store.close();
});

test("export and import go through pipes and files, and a mapping tells the new ids", async () => {
  await using folder = new TestFolder();
  const { address } = await shop(folder);
  const { out, status } = await nightshift(["export", "--store", address]);
  assert.equal(status, 0);
  assert.equal(out.trim().split("\n").length, 32);
  const file = folder.file("live.jsonl");
  assert.equal((await nightshift(["export", "--store", address, "--live", "--to", file])).status, 0);
  assert.equal(readFileSync(file, "utf8").trim().split("\n").length, 22);
  const other = `sqlite:${folder.file("other.db")}`;
  const imported = await nightshift(["import", "--store", other, "--mapping", folder.file("ids")], out);
  assert.match(imported.err, /30 jobs imported, 0 were there already/);
  assert.equal(readFileSync(folder.file("ids"), "utf8").split("\n")[0], '{"from":"1","to":"1"}');
  assert.match(
    (await nightshift(["import", "--store", other, "--from", file])).err,
    /0 jobs imported, 20 were there already/,
  );
  const cut = await nightshift(["import", "--store", other], out.slice(0, out.length / 2));
  assert.equal(cut.status, 2);
  assert.match(cut.err, /NS_IMPORT_INVALID: line \d+: not JSON/);
});

test("move refuses a store in use, then brings it to PostgreSQL, where check finds it whole", async () => {
  await using folder = new TestFolder();
  const { store, worker, address } = await shop(folder);
  const url = await postgresUrl();
  const schema = freshSchema();
  const move = [
    "move",
    "--from",
    address,
    "--to",
    url,
    "--to-schema",
    schema,
    "--finished",
    "--mapping",
    folder.file("ids"),
  ];
  const refused = await nightshift(move);
  assert.equal(refused.status, 2);
  assert.match(refused.err, /NS_STORE_IN_USE: The source is in use by shop@web-1/);
  await store.deregister(worker.instance);
  const { status, err } = await nightshift(move);
  assert.equal(status, 0, err);
  assert.match(err, /30 jobs moved; 30 jobs of the source were found in the target, none is missing/);
  assert.match(err, /Queues that stay paused in the source.*: 1\. .*nightshift resume --store <it> --all\./);
  assert.equal(readFileSync(folder.file("ids"), "utf8").trim().split("\n").length, 30);
  assert.match(
    (await nightshift(["check", "--store", url, "--schema", schema])).out,
    /30 jobs looked at, the store is whole/,
  );
  assert.match((await nightshift(["stats", "--store", url, "--schema", schema])).out, /^q +20 /m);
});

test("move names the schedules of which the target has another one", async () => {
  await using folder = new TestFolder();
  const [from, to] = [folder.file("from.db"), folder.file("to.db")];
  const base = { group: "", source: "dynamic", job: "a", nextAt: null, paused: false } as const;
  for (const [path, definition] of [
    [from, "{}"],
    [to, '{"other":1}'],
  ] as const) {
    const store = sqlite(path);
    await store.open(context);
    await store.saveSchedules([{ ...base, id: "report", definition }]);
    await store.close();
  }
  const { err } = await nightshift(["move", "--from", `sqlite:${from}`, "--to", `sqlite:${to}`]);
  assert.match(err, /Schedules: 0, and 1 were there already\./);
  assert.match(
    err,
    /the target has others under the same ids.*: "report"\. The source keeps its own, which fire no more/,
  );
});

test("several databases are one store to the commands, and what a drained one has left moves into the others", async () => {
  await using folder = new TestFolder();
  const url = await postgresUrl();
  const shards = ["one", "two"].map((name) => ({ name, connectionString: url, schema: freshSchema(name) }));
  const [one, two] = shards;
  assert.ok(one && two);
  const write = (name: string, options: object) => {
    const file = folder.file(name);
    writeFileSync(file, JSON.stringify(options));
    return `shards:${file}`;
  };
  const all = write("all.json", { shards, queues: { q: "two" } });
  const store = postgres({ shards, queues: { q: "two" } });
  await store.open(context);
  await store.enqueue(Array.from({ length: 3 }, () => newJob({ queue: "q" })));
  const worker = await TestWorker.register(store);
  const lease = await worker.claim(3);
  await worker.settle(lease, ...lease.jobs.map(({ id }) => succeeded(id)));
  await store.deregister(worker.instance);
  await store.close();
  assert.match((await nightshift(["stats", "--store", all])).out, /3 succeeded, 0 dead/);

  const draining = write("draining.json", { shards: [one, { ...two, draining: true }] });
  assert.equal((await nightshift(["count", "--state", "succeeded", "--store", draining])).out, "3\n");
  assert.match(
    (await nightshift(["stats", "--store", draining])).out,
    /^two +127\.0\.0\.1:.* +PostgreSQL .* +draining$/m,
  );
  const left = write("left.json", { shards: [one] });
  const move = (...to: readonly string[]) =>
    nightshift(["move", "--from", url, "--from-schema", two.schema, "--finished", ...to]);
  assert.match((await move("--to", url, "--to-schema", one.schema)).err, /^NS_STORE_SHARDS: .*Give all of them/);
  assert.match((await move("--to", left)).err, /^3 jobs moved; 3 jobs of the source were found/);
  assert.equal((await nightshift(["count", "--state", "succeeded", "--store", left])).out, "3\n");
  assert.match((await nightshift(["check", "--store", left])).out, /3 jobs looked at, the store is whole/);
});

test("the SQL that migrate prints makes a schema that a role without rights can work with, and nothing when all is there", async () => {
  const url = await postgresUrl();
  const schema = freshSchema();
  const print = ["migrate", "--store", url, "--schema", schema, "--print"];
  const { out } = await nightshift(print);
  const refused = await nightshift(["stats", "--store", url, "--schema", schema]);
  assert.match(refused.err, /NS_STORE_VERSION/, "stats makes no tables");
  const raw = await rawClient(url);
  await raw.query(out);
  await raw.end();
  assert.match((await nightshift(print)).out, /is up to date/);
  const store = postgres({ connectionString: url, schema, migrate: false });
  await store.open(context);
  await store.enqueue([newJob()]);
  await store.close();
  assert.match((await nightshift(["migrate", "--store", url, "--schema", schema])).err, /is up to date/);
  await using folder = new TestFolder();
  const database = new DatabaseSync(folder.file());
  database.exec((await nightshift(["migrate", "--store", "sqlite:x.db", "--print"])).out);
  database.close();
  await (await folder.open()).enqueue([newJob()]);
});

test("a server, a database or a user that is not there is told with where to look", async () => {
  const url = new URL(await postgresUrl());
  const stats = async (change: (url: URL) => void) => {
    const changed = new URL(url);
    change(changed);
    return (await nightshift(["stats", "--store", changed.href])).err;
  };
  assert.match(
    await stats((url) => (url.port = "1")),
    // Within a second, and again when the patience is over.
    /cannot be reached.*tries again, for 10s in all\.\nNS_STORE_UNAVAILABLE: .*cannot be reached.*whether the server runs, and whether the address/,
  );
  assert.match(await stats((url) => (url.pathname = "/nowhere")), /has no such database.*Create it/);
  assert.match(await stats((url) => (url.username = "nobody")), /lets nobody in like this.*the user and the password/);
});

test("what was typed wrong is told with what was meant, and makes no file", async () => {
  await using folder = new TestFolder();
  const missing = folder.file("missing.db");
  const list = folder.file("shards.json");
  const shard = { name: "one", connectionString: "postgres://app@localhost/shop", drainin: true };
  writeFileSync(list, JSON.stringify({ shards: [shard] }));
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["stats", "--stroe", "x"], /--stroe is not an option\. Did you mean --store\?/],
    [["stats"], /--store is missing/],
    [["stats", "--store"], /--store needs a value/],
    [["stats", "--store", `sqlite:${missing}`], /missing\.db does not exist/],
    [["check", "--store", "package.json"], /For the file package\.json, write sqlite:package\.json/],
    [["check", "--store", "sqlite:package.json"], /NS_STORE_FOREIGN/],
    [["backup", "--store", "postgres://x/y", "--to", "z"], /Use pg_dump/],
    [["move", "--from", `sqlite:${missing}`, "--to", "redis://user:secret@x"], /^(?!.*secret)/s],
    [["stats", "postgres://user:secret@x/shop"], /^(?!.*secret).*A store is given as --store/s],
    [["stats", ":secret@x/shop"], /^(?!.*secret).*What was given belongs to no option/s],
    [["stats", "host=x password=secret"], /^(?!.*secret).*What was given belongs to no option/s],
    [["postgres://user:secret@x/shop", "stats"], /^(?!.*secret).*What was given is not a command/s],
    [["stats", "shop@web-1"], /"shop@web-1" belongs to no option/],
    [["stats", "--store", "shop@web-1"], /"shop@web-1" is not a store/],
    [["exprot"], /Did you mean "export"\?/],
    [["import", "--from", "package.json", "--store", `sqlite:${missing}`], /NS_IMPORT_INVALID: line 1: not JSON/],
    [["stats", "--store", `shards:${missing}`], /missing\.db cannot be read .*Give a file with \{ "shards"/],
    [["stats", "--store", "shards:package.json"], /package\.json has no list of shards/],
    [["migrate", "--print", "--store", `shards:${list}`], /Each database has its own migrations/],
    [["stats", "--store", `shards:${list}`], /has no option "drainin"\. Did you mean "draining"\?/],
    [
      ["export", "shop.db", "--store", "sqlite:package.json"],
      /"shop\.db" belongs to no option\. A store is given as --store/,
    ],
  ];
  for (const [args, message] of cases) {
    const { status, err } = await nightshift(args);
    assert.equal(status, 2, args.join(" "));
    assert.match(err, message);
    assert.doesNotMatch(err, /\[cause\]/);
  }
  assert.equal(existsSync(missing), false);
  assert.match((await nightshift(["--version"])).out, /^\d+\.\d+\.\d+\n$/);
  const help = await nightshift(["--help"]);
  assert.match(help.out, /^ {2}move +everything from one store to another$/m);
  assert.match((await nightshift(["move", "--help"])).out, /Refuses while processes use the source/);
});
