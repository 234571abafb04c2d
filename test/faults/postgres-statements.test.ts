import assert from "node:assert/strict";
import { test } from "node:test";
import { onFreshStore } from "../../src/testing/store-conformance/harness.ts";
import { hurtOperations, operationNames } from "../../src/testing/store-conformance/interleaving.ts";
import { type PausingStore, pausingStore } from "../store/postgres/pausing.ts";
import { eventually } from "../support/eventually.ts";
import { endAt, failOnceAt } from "../support/pause-points.ts";

type Hurt = (db: PausingStore, point: string) => Promise<() => Promise<void>>;

async function hurtAll(hurt: Hurt, names = operationNames) {
  let db: PausingStore | undefined;
  const create = async () => (db = await pausingStore());
  return onFreshStore({ create }, (given) => hurtOperations(given, names, (point) => hurt(db as PausingStore, point)));
}

const timeOut: Hurt = async ({ raw, schema }, point) => {
  await failOnceAt(raw, schema, point, "57014");
  return async () => undefined;
};

const CONFLICTS = { deadlock: "40P01", "serialization failure": "40001", "lock timeout": "55P03" };

test("a deadlock, a failed serialization and a lock timeout at any statement of any operation are repeated unseen", async (t) => {
  const codes = Object.values(CONFLICTS);
  let count = 0;
  const { times, failures } = await hurtAll(async ({ raw, schema }, point) => {
    await failOnceAt(raw, schema, point, codes[count++ % codes.length] ?? "");
    return async () => undefined;
  });
  t.diagnostic(`${times} times`);
  assert.ok(times > 60);
  assert.deepEqual(failures, []);
});

test("a statement timeout at any statement of any operation is a clear error, leaves nothing half done, and may be repeated", async (t) => {
  const { times, failures } = await hurtAll(
    timeOut,
    operationNames.filter((name) => name !== "heartbeat"),
  );
  t.diagnostic(`${times} times`);
  for (const failure of failures) assert.match(failure, /NS_STORE_BUSY.*did not finish in time/);
  // A heartbeat that fails on the connection that listens is asked again on another.
  const unseen = times - failures.length;
  assert.ok(unseen <= 1, `${unseen} of ${times} were not told`);
});

test("a heartbeat has two ways: one that times out on the connection that listens is repeated unseen through the pool", async () => {
  let db: PausingStore | undefined;
  const create = async () => (db = await pausingStore());
  await onFreshStore({ create }, (given) =>
    // Until that connection has heard itself, the pool is the only way.
    eventually(async () => {
      const hurt = (point: string) => timeOut(db as PausingStore, point);
      const { times, failures } = await hurtOperations(given, ["heartbeat"], hurt);
      assert.ok(times > 0);
      assert.deepEqual(failures, []);
    }),
  );
});

test("a session ended at any statement of any operation is replaced; what may not be repeated says so", async (t) => {
  const { times, failures } = await hurtAll(({ raw, schema }, point) => endAt(raw, schema, point));
  t.diagnostic(`${times} times, ${failures.length} unknown`);
  for (const failure of failures) assert.match(failure, /^claim( from several queues)? at .*unknown/);
});
