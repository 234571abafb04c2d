/** A rolling deployment with real processes: two versions of one application on one store. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readSchedule } from "../../src/scheduling/schedule-info.ts";
import type { Store } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { systemClock } from "../../src/time/index.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freshSchema, postgresUrl } from "../support/postgres.ts";
import { EVERY, history, type InstanceOptions, startInstance, stopGently } from "./fleet.ts";

async function described(store: Store): Promise<Record<string, string | null | undefined>> {
  const { items } = await store.listSchedules({ limit: 50 });
  return Object.fromEntries(items.map((stored) => [stored.id, readSchedule(stored).settings?.description]));
}

async function deploy(place: string, options: InstanceOptions, store: Store): Promise<void> {
  await using fleet = new AsyncDisposableStack();
  const start = async (name: string, version?: 2) =>
    fleet.use(await startInstance(place, name, { ...options, ...(version ? { version } : {}) }));
  const old = await Promise.all([start("old-1"), start("old-2")]);
  await eventually(async () => assert.ok((await history(store, "all")).length >= 4));
  // Both of the new ones, and an old one that is started again, at one moment.
  const [first, ...others] = old;
  assert.ok(first);
  await stopGently(first);
  const [back, ...fresh] = await Promise.all([start("old-1"), start("new-1", 2), start("new-2", 2)]);
  const both = Object.fromEntries(["all", "new", "once", "serial", "skip"].map((id) => [id, "version 2"]));
  await eventually(async () => assert.deepEqual(await described(store), { ...both, some: "version 1" }));
  for (const child of [back, ...others]) await stopGently(child);
  fresh.push(await start("new-3", 2));
  assert.deepEqual(await described(store), both, "the next that begins removes what nobody declares any more");
  const since = await store.now();
  await eventually(async () => {
    for (const id of Object.keys(both))
      assert.ok(
        (await history(store, id)).some(({ at }) => at > since),
        id,
      );
  });
  for (const child of fresh) await stopGently(child);
  const lines = (await history(store, "all")).map(({ at }) => at);
  const grid = Array.from({ length: lines.length }, (_, n) => (lines[0] ?? 0) + n * EVERY);
  assert.deepEqual(lines, grid, "and no occurrence was lost or doubled on the way");
}

describe("two versions of one application, in processes of their own", { concurrency: false }, () => {
  it("settle on the newer one on one file", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "fleet.db");
    await using cleanUp = new AsyncDisposableStack();
    const store = sqlite(path);
    await store.open({ clock: systemClock, logger: silentLogger });
    cleanUp.defer(() => store.close());
    await deploy(path, {}, store);
  });

  it("settle on the newer one on PostgreSQL", async () => {
    await using cleanUp = new AsyncDisposableStack();
    const connectionString = await postgresUrl();
    const schema = freshSchema();
    const store = postgres({ connectionString, schema });
    await store.open({ clock: systemClock, logger: silentLogger });
    cleanUp.defer(() => store.close());
    await deploy(connectionString, { schema }, store);
  });
});
