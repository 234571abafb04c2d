/**
 * What is alive when V8 collects young objects decides how far their room grows, and so how much memory a worker takes
 * (decision 064): it must be what is in hand, and nothing that is done with.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createJobs, defineJob, unchecked } from "../../src/jobs/index.ts";
import type { Store } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { startNode } from "../support/child.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freshSchema, postgresUrl } from "../support/postgres.ts";

const program = fileURLToPath(new URL("programs/drain.ts", import.meta.url));
const JOBS = 200_000;
const empty = defineJob({ name: "empty", input: unchecked<{ n: number }>(), run: () => undefined });

/** Bytes that survive a collection of young objects, the median of the last seven while a process drains the store. */
async function aliveIn(store: Store, ...place: readonly string[]): Promise<number> {
  {
    await using jobs = createJobs({ store, jobs: [empty] });
    const inputs = Array.from({ length: JOBS / 20 }, (_, n) => ({ n }));
    for (let call = 0; call < 20; call++) await jobs.enqueueMany(empty, inputs);
  }
  // Room for young objects that does not grow, and has a batch's worth left when V8 decides to collect between two of them.
  const room = ["--min-semi-space-size=16", "--max-semi-space-size=16"];
  await using child = startNode(["--trace-gc-nvp", ...room, program, String(JOBS), ...place]);
  await child.until(/the drain is over/, 60_000);
  const collections = child.output().matchAll(/gc=s .*?new_space_survived=(\d+)/g);
  const survived = Array.from(collections, ([, bytes]) => Number(bytes)).slice(-7);
  assert.equal(survived.length, 7, "too few collections to tell");
  return survived.sort((a, b) => a - b)[3] as number;
}

test("SQLite: a worker that drains has one batch in hand, and keeps nothing that it is done with", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "jobs.db");
  const bytes = await aliveIn(sqlite(file), file);
  assert.ok(bytes < 160_000, `${bytes} bytes were alive`);
});

test("PostgreSQL: a worker that drains has two batches in hand, and keeps nothing that it is done with", async () => {
  const [connectionString, schema] = [await postgresUrl(), freshSchema("drained")];
  const bytes = await aliveIn(postgres({ connectionString, schema }), connectionString, schema);
  assert.ok(bytes < 270_000, `${bytes} bytes were alive`);
});
