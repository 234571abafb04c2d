/** What is unique, wanted by many at once: the id of a schedule, and a schedule's occurrence. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Store } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { systemClock } from "../../src/time/index.ts";
import { startNode } from "../support/child.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freshSchema, postgresUrl } from "../support/postgres.ts";

const PROGRAM = fileURLToPath(new URL("one-of-many-process.ts", import.meta.url));
const PRODUCERS = 4;
const COUNT = 20;

async function assertOneOfMany(store: Store, place: readonly [kind: string, where: string, schema: string]) {
  await using ends = new AsyncDisposableStack();
  await store.open({ clock: systemClock, logger: silentLogger });
  ends.defer(() => store.close());
  const start = (mode: string) => ends.use(startNode([PROGRAM, ...place, mode, String(COUNT)]));
  const producers = Array.from({ length: PRODUCERS }, () => start("produce"));
  const worker = start("work");
  const all = [...producers, worker];
  for (const child of all) await child.until(/ready/);
  for (const child of all) child.process.kill("SIGUSR2");
  await Promise.all([...producers.map((child) => child.until(/produced/)), worker.until(/worked/)]);

  const said = producers.map((child) => child.output()).join("");
  const wordsOf = (what: RegExp) => Array.from(said.matchAll(what), ([, ...words]) => words);
  const each = Array.from({ length: COUNT }, (_, n) => String(n + 1)).sort();
  const numbersOf = (what: RegExp) =>
    wordsOf(what)
      .map(([number]) => number)
      .sort();
  assert.deepEqual(numbersOf(/^created s(\d+)/gm), each, "of the 100 that create a schedule one does");
  assert.deepEqual(numbersOf(/^moved (\d+)/gm), each, "of the 100 that fire an occurrence one moves its schedule");

  const { items } = await store.listOccurrences("s1", { limit: 500 });
  const jobs = new Map(items.map(({ at, job }) => [String(at), job]));
  assert.deepEqual([items.length, jobs.size, new Set(jobs.values()).size], [COUNT, COUNT, COUNT]);
  const made = wordsOf(/^made (\d+) (\S+)/gm);
  assert.equal(made.length, COUNT);
  const found = wordsOf(/^found (\d+) (\S+)/gm);
  assert.equal(found.length, PRODUCERS * COUNT);
  for (const [at = "", job] of [...made, ...found]) assert.equal(job, jobs.get(at), `occurrence ${at}`);
  const states = await store.statesOf([...jobs.values()].flatMap((job) => job ?? []));
  assert.deepEqual(new Set(states.values()), new Set(["succeeded"]));
  assert.equal((await store.counts()).finished.succeeded, COUNT);
}

test("SQLite: of 100 that create one schedule or fire one occurrence, in four processes, one does, and the others find its job, ended or not", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/shared.db`;
  await assertOneOfMany(sqlite(path), ["sqlite", path, ""]);
});

test("PostgreSQL: of 100 that create one schedule or fire one occurrence, in four processes, one does, and the others find its job, ended or not", async () => {
  const [connectionString, schema] = [await postgresUrl(), freshSchema()];
  await assertOneOfMany(postgres({ connectionString, schema }), ["postgres", connectionString, schema]);
});
