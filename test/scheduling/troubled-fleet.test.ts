/** Nobody leads, so there is nobody to lose: instances are killed or frozen every second, while their clocks jump. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Store } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { systemClock } from "../../src/time/index.ts";
import type { Child } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freshSchema, startPostgres } from "../support/postgres.ts";
import { assertOneJobEach, history, type InstanceOptions, startInstance, stopGently } from "./fleet.ts";

const NAMES = ["one", "two", "three", "four"];
const ROUNDS = 8;
const A_SECOND = 1_000;

/** Four instances. Each round, the next of them is killed and started again, or frozen beyond its lease. */
async function trouble(place: string, options: InstanceOptions, store: Store, between: () => Promise<void>) {
  await using fleet = new AsyncDisposableStack();
  const children = new Map<string, Child>();
  const start = async (name: string) => {
    const child = await startInstance(place, name, options);
    children.set(name, fleet.use(child));
  };
  await Promise.all(NAMES.map(start));
  for (let round = 0; round < ROUNDS; round++) {
    const name = NAMES[round % NAMES.length] ?? "";
    const victim = children.get(name);
    assert.ok(victim);
    const before = (await history(store, "all")).length;
    if (round % 2 === 0) {
      victim.process.kill("SIGKILL");
      await victim.ended;
      await Promise.all([start(name), wait(A_SECOND)]);
    } else {
      victim.process.kill("SIGSTOP");
      // The time is the fault itself: longer than the lease, so that others take over what it held.
      await wait(A_SECOND + 200);
      victim.process.kill("SIGCONT");
    }
    if (round === ROUNDS / 2) await between();
    await eventually(async () => assert.ok((await history(store, "all")).length > before), 40_000);
  }
  for (const child of children.values()) await stopGently(child);
}

async function tell(t: TestContext, store: Store): Promise<void> {
  const made = await assertOneJobEach(store);
  const lines = await history(store, "all");
  const by = new Set(lines.map((line) => line.by));
  t.diagnostic(`${made} jobs of five schedules, ${lines.length} occurrences of one, fired by ${[...by].join(", ")}`);
}

describe("four processes, one of them killed or frozen every second, with clocks that jump", {
  concurrency: false,
}, () => {
  it("make exactly one job per occurrence on one file, whose time is their own", async (t) => {
    using folder = temporaryFolder();
    const path = join(folder.path, "fleet.db");
    await using cleanUp = new AsyncDisposableStack();
    const store = sqlite(path);
    await store.open({ clock: systemClock, logger: silentLogger });
    cleanUp.defer(() => store.close());
    await trouble(path, { jumps: 10_000 }, store, async () => undefined);
    await tell(t, store);
  });

  it("make exactly one job per occurrence on PostgreSQL through its crash, and none before its time", async (t) => {
    await using cleanUp = new AsyncDisposableStack();
    const server = await startPostgres();
    cleanUp.defer(() => server.dispose());
    const schema = freshSchema();
    const store = postgres({ connectionString: server.url, schema });
    await store.open({ clock: systemClock, logger: silentLogger });
    cleanUp.defer(() => store.close());
    await trouble(server.url, { schema, jumps: 3_600_000 }, store, async () => {
      await server.halt("immediate");
      await server.resume();
    });
    await tell(t, store);
    for (const { at, firedAt } of await history(store, "all")) assert.ok(firedAt >= at, "the server's clock decides");
  });
});
