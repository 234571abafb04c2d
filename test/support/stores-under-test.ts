/** Every kind of store as the conformance suite wants it: fresh for each test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { ShardedStore } from "../../src/store/sharded/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { capturingLogger, VirtualClock } from "../../src/testing/index.ts";
import type { StoreHarness, StoreUnderTest } from "../../src/testing/store-conformance/index.ts";
import { storesOn } from "../store/postgres/under-test.ts";
import { postgresUrl, rawClient } from "./postgres.ts";

/** Stores on virtual time, made again on the same data for another process's. */
async function onVirtualTime(
  make: () => Store,
  dispose: () => void = () => undefined,
): Promise<StoreUnderTest & { second(): Promise<Store> }> {
  const clock = new VirtualClock();
  const open = async () => {
    const store = make();
    await store.open({ clock, logger: capturingLogger() });
    return store;
  };
  const store = await open();
  return {
    store,
    advance: (milliseconds) => clock.advance(milliseconds),
    jump: (by) => clock.jump(clock.now() + by),
    second: open,
    async dispose() {
      await store.close();
      dispose();
    },
  };
}

export const ofMemory: StoreHarness = {
  async create() {
    const { second: _none, ...under } = await onVirtualTime(memory);
    return under;
  },
};

/** Without waiting for the disk: what `full` adds is tried by the fault tests. */
export const ofSqlite: StoreHarness = {
  create() {
    const folder = mkdtempSync(join(tmpdir(), "nightshift-"));
    return onVirtualTime(
      () => sqlite({ path: join(folder, "test.db"), pollInterval: 20, durability: "normal" }),
      () => rmSync(folder, { recursive: true, force: true }),
    );
  },
};

/** The queues of the suite, q and r, live apart with these names: random sequences of operations go to both. */
export const ofMemoryShards: StoreHarness = {
  create() {
    const shards = ["one", "two"].map((name) => ({ name, store: memory() }));
    const queues = new Map([
      ["r", "two"],
      ["q", "one"],
    ]);
    return onVirtualTime(() => new ShardedStore({ shards, queues, leader: null }));
  },
};

const onOneSchema = storesOn(1, (connectionString, [schema = ""]) => ({ connectionString, schema, connections: 4 }));

export const ofPostgres: StoreHarness = { create: async () => ({ ...(await onOneSchema()), begin }) };

export const ofPostgresShards: StoreHarness = {
  create: storesOn(2, (connectionString, [one = "", two = ""]) => ({
    shards: [
      { name: "one", connectionString, schema: one },
      { name: "two", connectionString, schema: two },
    ],
    queues: { q: "one", r: "two" },
    connections: 3,
  })),
};

async function begin() {
  const client = await rawClient(await postgresUrl());
  await client.query("begin");
  const end = async (how: "commit" | "rollback") => {
    await client.query(how);
    await client.end();
  };
  return { tx: client, commit: () => end("commit"), rollback: () => end("rollback") };
}
