import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { translate } from "../../../src/store/sqlite/errors.ts";
import { sqlite } from "../../../src/store/sqlite/index.ts";
import { first } from "../../../src/store/sqlite/migrations/001-first.ts";
import { isAtLeast } from "../../../src/store/sqlite/processes.ts";
import { CREATE_MIGRATION_TABLE } from "../../../src/store/sqlite/sql/schema.ts";
import { enqueueOne, hasCode, newJob, stateOf } from "../../../src/testing/store-conformance/worker.ts";
import { TestFolder } from "./files.ts";

/** Expects a refusal that leaves the file byte for byte as it was, and nothing beside it. */
async function refusedUntouched(folder: TestFolder, code: string, message: RegExp): Promise<void> {
  const before = readFileSync(folder.file());
  await assert.rejects(folder.open(), (error) => hasCode(code)(error) && message.test(String(error)));
  assert.deepEqual(readFileSync(folder.file()), before);
  assert.equal(existsSync(`${folder.file()}-wal`), false);
}

test("a new file and what SQLite puts beside it belong to their owner alone", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  await enqueueOne(store);
  for (const suffix of ["", "-wal", "-shm"]) assert.equal(statSync(folder.file() + suffix).mode & 0o777, 0o600, suffix);
});

test("a store that is opened again has what it had", async () => {
  await using folder = new TestFolder();
  const first = await folder.open();
  const id = await enqueueOne(first);
  await first.close();
  assert.equal(existsSync(`${folder.file()}-wal`), false);
  assert.equal(await stateOf(await folder.open(), id), "ready");
});

test("an application's own tables, user_version and application_id stay as they are", async () => {
  await using folder = new TestFolder();
  const own = new DatabaseSync(folder.file());
  own.exec(
    "CREATE TABLE customer (name TEXT); INSERT INTO customer VALUES ('Ada'); PRAGMA user_version = 42; PRAGMA application_id = 7",
  );
  await enqueueOne(await folder.open());
  assert.deepEqual({ ...own.prepare("SELECT name FROM customer").get() }, { name: "Ada" });
  assert.deepEqual({ ...own.prepare("PRAGMA user_version").get() }, { user_version: 42 });
  assert.deepEqual({ ...own.prepare("PRAGMA application_id").get() }, { application_id: 7 });
  own.close();
});

test("a file that is no database, or is encrypted, is refused untouched", async () => {
  for (const content of ["hello", "no database ".repeat(1_000), "\0".repeat(4_096)]) {
    await using folder = new TestFolder();
    writeFileSync(folder.file(), content);
    await refusedUntouched(folder, "NS_STORE_FOREIGN", /not an SQLite database/);
  }
});

test("a database that is cut off or scrambled is refused untouched as damaged", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  await store.enqueue(Array.from({ length: 2_000 }, () => newJob()));
  await store.close();
  truncateSync(folder.file(), statSync(folder.file()).size - 4_096 * 5);
  await refusedUntouched(folder, "NS_STORE_CORRUPT", /damaged/);
});

test("somebody else's nightshift_* tables are refused untouched", async () => {
  for (const sql of ["CREATE TABLE nightshift_job (x)", "CREATE TABLE nightshift_migration (version INTEGER)"]) {
    await using folder = new TestFolder();
    const own = new DatabaseSync(folder.file());
    own.exec(sql);
    own.close();
    await refusedUntouched(folder, "NS_STORE_FOREIGN", /nightshift_\* tables/);
  }
});

test("a schema that needs a newer library is refused untouched, one that does not is used", async () => {
  await using folder = new TestFolder();
  await (await folder.open()).close();
  const change = (sql: string) => {
    const own = new DatabaseSync(folder.file());
    own.exec(`PRAGMA journal_mode = DELETE; ${sql}`);
    own.close();
  };
  change("INSERT INTO nightshift_migration VALUES (90, 'from the future', 1, 0)");
  await (await folder.open()).close();
  change("UPDATE nightshift_migration SET compatible_from = 90 WHERE version = 90");
  await refusedUntouched(folder, "NS_STORE_VERSION", /needs version 90/);
});

test("a folder, a symbolic link, a missing folder and a forbidden file are named with what to do", async () => {
  await using folder = new TestFolder();
  mkdirSync(folder.file("folder"));
  symlinkSync(folder.file("target"), folder.file("link"));
  const cases = [
    ["folder", /is a folder/],
    ["link", /symbolic link/],
    ["missing/test.db", /folder that does not exist/],
  ] as const;
  for (const [name, message] of cases) {
    const opening = folder.open({ path: folder.file(name) });
    await assert.rejects(opening, (error) => hasCode("NS_STORE_UNAVAILABLE")(error) && message.test(String(error)));
  }
  if (process.getuid?.() !== 0) {
    writeFileSync(folder.file("forbidden"), "x");
    chmodSync(folder.file("forbidden"), 0);
    await assert.rejects(folder.open({ path: folder.file("forbidden") }), hasCode("NS_STORE_UNAVAILABLE"));
  }
});

test("a file that may not be opened is told with whose it is and who asks", async () => {
  await using folder = new TestFolder();
  writeFileSync(folder.file(), "x", { mode: 0o640 });
  const cannotOpen = Object.assign(new Error("unable to open database file"), { errcode: 14 });
  const { uid } = statSync(folder.file());
  const whose = new RegExp(
    `cannot be opened\\. .*belongs to user ${uid} \\(mode 640\\), and this process to user ${uid}`,
  );
  assert.match(translate(cannotOpen, folder.file()).message, whose);
  assert.match(translate(cannotOpen, folder.file("no/such")).message, /Check that its folder exists/);
});

test("a store that could not be opened can be opened once the reason is gone", async () => {
  await using folder = new TestFolder();
  const path = folder.file("later/test.db");
  const store = sqlite(path);
  const context = { clock: (await import("../../../src/time/index.ts")).systemClock, logger: console as never };
  await assert.rejects(store.open(context), hasCode("NS_STORE_UNAVAILABLE"));
  mkdirSync(folder.file("later"));
  await store.open(context);
  await enqueueOne(store);
  await store.close();
});

test("many stores that open a new file at once make one schema", async () => {
  await using folder = new TestFolder();
  const stores = await Promise.all(Array.from({ length: 6 }, () => folder.open()));
  await Promise.all(stores.map((store) => enqueueOne(store)));
  assert.equal((await stores[0]?.counts())?.queues[0]?.ready, 6);
});

test("options that are unknown or not allowed are named together", () => {
  const options = { path: "", durabilty: "full", busyTimeout: "soon" } as never;
  assert.throws(() => sqlite(options), /did you mean "durability".*path is "".*busyTimeout is "soon"/is);
  for (const path of [":memory:", "file:x.db?mode=ro"]) assert.throws(() => sqlite(path), /use memory\(\)/);
  assert.throws(() => sqlite({ path: "x.db", durability: "off" as never }), /"full" or "normal"/);
  assert.equal(sqlite(new URL("file:///tmp/x.db")).info().location, "/tmp/x.db");
  assert.equal(sqlite({ path: "x.db", durability: "normal" }).info().durability, "process");
});

test("the rule about old versions of SQLite knows which are old", () => {
  const answers = ["3.51.2", "3.51.3", "3.7.17", "3.52.0", "4.0.0", "3.51"].map((version) =>
    isAtLeast(version, "3.51.3"),
  );
  assert.deepEqual(answers, [false, true, false, true, true, false]);
});

test("an old SQLite is refused once another process has the file open", async () => {
  await using folder = new TestFolder();
  await folder.open();
  const own = new DatabaseSync(folder.file());
  // Another living process on this boot, with an old engine: this test's parent.
  own.exec(`UPDATE nightshift_process SET pid = ${process.ppid}, started = '', engine = '3.50.4'`);
  const refused = (error: unknown) =>
    hasCode("NS_STORE_UNSUPPORTED")(error) &&
    new RegExp(`process ${process.ppid} has SQLite 3.50.4`).test(String(error));
  await assert.rejects(folder.open(), refused);
  own.exec("UPDATE nightshift_process SET engine = '3.51.3'");
  await folder.open();
  own.close();
});

test("a file of the first schema is brought up to date, and its finished jobs are counted once", async () => {
  await using folder = new TestFolder();
  const own = new DatabaseSync(folder.file());
  own.exec(`${CREATE_MIGRATION_TABLE}; ${first.sql};
    INSERT INTO nightshift_migration VALUES (1, 'first schema', 1, 0);
    INSERT INTO nightshift_name VALUES (1, 'q'), (2, 'a');
    INSERT INTO nightshift_total VALUES ('succeeded', 10)`);
  for (const id of [1, 2, 3]) {
    own.exec(`INSERT INTO nightshift_job VALUES (${id}, 1, 2, 0, 1, 1, 0, '{}', NULL);
      INSERT INTO nightshift_finished VALUES (${id}, ${id}, ${id}, NULL, 1, 2, NULL, 1, 's', 1, NULL, NULL)`);
  }
  own.close();
  const store = await folder.open();
  assert.equal(await store.prune({ succeeded: { count: 2 } }, 10), 1);
  assert.deepEqual([...(await store.statesOf(["1", "2", "3"])).keys()], ["2", "3"]);
  assert.equal((await store.counts()).finished.succeeded, 10);
});
