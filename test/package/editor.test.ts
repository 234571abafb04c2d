/** What an editor offers and shows while somebody writes an application, asked of the compiler's own language server. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { LanguageServer } from "../support/language-server.ts";

const server = await LanguageServer.start();
after(() => server[Symbol.asyncDispose]());

const HEAD = `import { createHost, createJobs, cron, defineJob, type Jobs } from "nightshift";
import { memory } from "nightshift/memory";
import { exportStore, importStore, moveStore } from "nightshift/operations";
import { postgres } from "nightshift/postgres";
import { sqlite } from "nightshift/sqlite";
const job = defineJob({ name: "a", run() {} });
const builder = createHost({ name: "a" });
declare const jobs: Jobs;
`;

const PLACES: Readonly<Record<string, string>> = {
  sqlite: `sqlite({ path: "shop.db", | });`,
  postgres: `postgres({ connectionString: "postgres://db/shop", | });`,
  shards: `postgres({ shards: [], | });`,
  shard: `postgres({ shards: [{ name: "one", | }] });`,
  memory: "memory({ | });",
  defineJob: `defineJob({ name: "b", | run() {} });`,
  retry: `defineJob({ name: "b", retry: { | }, run() {} });`,
  createHost: `createHost({ name: "b", | });`,
  addJobs: "builder.addJobs({ store: memory(), | });",
  retention: "builder.addJobs({ store: memory(), jobs: [job], retention: { | } });",
  createJobs: "createJobs({ store: memory(), | });",
  enqueue: "jobs.enqueue(job, undefined, { | });",
  addSchedule: `builder.addSchedule({ id: "a", trigger: cron("* * * * *"), job, | });`,
  addDashboard: "builder.addDashboard({ | });",
  moveStore: "moveStore(memory(), memory(), { | });",
  importStore: "importStore(memory(), [], { | });",
  exportStore: "exportStore(memory(), { | });",
};

for (const [name, code] of Object.entries(PLACES)) {
  test(`whoever writes ${name} is told of each option what it is`, async () => {
    const offers = await server.offers(`editor-${name}.ts`, HEAD + code);
    assert.ok(offers.length > 0);
    const silent = offers.filter(({ documentation }) => documentation.trim() === "").map(({ label }) => label);
    assert.deepEqual(silent, []);
  });
}

test("options of a store are offered without members of what else it takes: a URL, a pool, several databases", async () => {
  const labels = async (name: string) =>
    (await server.offers(`editor-only-${name}.ts`, HEAD + PLACES[name])).map(({ label }) => label).sort();
  assert.deepEqual(await labels("sqlite"), ["busyTimeout", "durability", "pollInterval"]);
  for (const name of ["postgres", "shards"]) {
    const offered = await labels(name);
    assert.ok(offered.includes("schema"), name);
    for (const other of ["connect", "end", "waitingCount", "hostname"]) assert.ok(!offered.includes(other), other);
  }
  assert.ok(!(await labels("shards")).includes("connectionString"));
});

test("every option of a store that is a time, a number or a choice names its default", async () => {
  for (const name of ["sqlite", "postgres", "shard", "addJobs", "memory"]) {
    for (const { label, documentation } of await server.offers(`editor-default-${name}.ts`, HEAD + PLACES[name])) {
      if (["jobs", "pool", "shards", "queues", "connectionString"].includes(label)) continue;
      assert.match(documentation, /default/i, `${name}: ${label}`);
    }
  }
});
