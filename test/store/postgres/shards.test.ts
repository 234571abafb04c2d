import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { type PostgresShardsOptions, postgres } from "../../../src/store/postgres/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { storeConformance } from "../../../src/testing/store-conformance/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { freshSchema, postgresUrl, rawClient } from "../../support/postgres.ts";
import { ofPostgresShards } from "../../support/stores-under-test.ts";
import { newJob } from "../sharded/support.ts";

storeConformance("two shards of postgres", ofPostgresShards);

const at = (name: string, database = "shop") => ({
  name,
  connectionString: `postgres://app:secret@db-${name}/${database}`,
});
const refused = (options: object, code: string, message: RegExp) =>
  assert.throws(() => postgres(options as PostgresShardsOptions), { code, message }, String(message));

test("options that cannot be meant are refused, with the value and what to do", () => {
  const shards = [at("one"), at("two")];
  refused({ shards: [] }, "NS_OPTION_INVALID", /shards is \[\]\. Give a list of databases/);
  refused({ shards: "postgres://x" }, "NS_OPTION_INVALID", /Give a list of databases/);
  refused({ shards: [at("one"), at("one", "other")] }, "NS_OPTION_INVALID", /two shards are named "one"/);
  refused({ shards: [at("One")] }, "NS_OPTION_INVALID", /shards\[0\]\.name is "One"\. Give up to 32 small letters/);
  refused(
    { shards: [at("one"), { ...at("one"), name: "two" }] },
    "NS_OPTION_INVALID",
    /"one" and "two" are both at db-one:5432\/shop\. Each needs a database or a schema of its own/,
  );
  refused(
    { shards, queues: { mail: "tow" } },
    "NS_OPTION_INVALID",
    /queues\["mail"\] is "tow", which is no shard\. Did you mean "two"\?/,
  );
  refused({ shards, leader: "three" }, "NS_OPTION_INVALID", /leader is "three", which is no shard/);
  refused(
    { shards: shards.map((shard) => ({ ...shard, draining: true })) },
    "NS_OPTION_INVALID",
    /no shard takes new jobs/,
  );
  refused(
    { shards: [at("one"), { ...at("two"), draining: true }], queues: { mail: "two" } },
    "NS_OPTION_INVALID",
    /"two", which is draining/,
  );
  refused({ shards, quues: {} }, "NS_OPTION_UNKNOWN", /no option "quues"\. Did you mean "queues"\?/);
  refused({ shards, connectionString: "postgres://x/y" }, "NS_OPTION_UNKNOWN", /no option "connectionString"/);
  refused(
    { shards: [{ ...at("one"), schemma: "x" }] },
    "NS_OPTION_UNKNOWN",
    /shard "one" has no option "schemma"\. Did you mean "schema"\?/,
  );
  refused({ shards: [{ name: "one" }] }, "NS_OPTION_INVALID", /shard "one": give a connectionString or a pool/);
  refused({ shards, connections: 1 }, "NS_BUILD_INVALID", /2 problems/);
});

test("the location names every shard, with a schema that is not the usual one, without secrets", () => {
  const { location, shards } = postgres({
    shards: [at("one"), { ...at("two"), draining: true }],
    schema: "jobs",
  }).info();
  assert.equal(location, "one: db-one:5432/shop (schema jobs), two: db-two:5432/shop (schema jobs)");
  assert.deepEqual(
    shards?.map(({ name, draining }) => [name, draining]),
    [
      ["one", false],
      ["two", true],
    ],
  );
});

test("a transaction enqueues on the database of its queue, and is refused on another, before anything is written", async () => {
  const url = await postgresUrl();
  const schema = freshSchema();
  const database = freshSchema("d");
  const raw = await rawClient(url);
  await raw.query(`create database ${database}`);
  const otherUrl = url.replace(/\/[^/]*$/, `/${database}`);
  const store = postgres({
    shards: [
      { name: "a", connectionString: url },
      { name: "b", connectionString: otherUrl },
    ],
    queues: { here: "a", there: "b" },
    ...{ schema, connections: 3 },
  });
  await store.open({ clock: systemClock, logger: silentLogger });
  const other = new pg.Client({ connectionString: otherUrl });
  await other.connect();
  try {
    await other.query("begin");
    await assert.rejects(store.enqueue([newJob({ queue: "here" })], { tx: other }), {
      code: "NS_STORE_TX",
      message: /Queue "here" lives on shard a .*pin the queue to the shard of your data/,
    });
    const [id = ""] = await store.enqueue([newJob({ queue: "there" })], { tx: other });
    assert.equal((await store.statesOf([id])).size, 0);
    await other.query("commit");
    assert.equal((await store.statesOf([id])).get(id), "ready");
    assert.deepEqual(
      (await store.counts()).queues.map(({ queue }) => queue),
      ["there"],
    );
  } finally {
    await other.end();
    await store.close();
    await raw.query(`drop schema ${schema} cascade`);
    await raw.query(`drop database ${database}`);
    await raw.end();
  }
});
