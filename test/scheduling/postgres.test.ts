import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Declarations } from "../../src/scheduling/declarations.ts";
import { Scheduler } from "../../src/scheduling/scheduler.ts";
import type { Store } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { interval, systemClock } from "../../src/time/index.ts";
import { eventually } from "../support/eventually.ts";
import { freshSchema, startPostgres } from "../support/postgres.ts";
import { declare, declaredOf, tick } from "./harness.ts";

const EVERY = 200;
const declared = declaredOf([
  declare({ id: "s", trigger: interval(EVERY), job: tick, misfire: "run-all", misfireThreshold: 500 }),
]);

async function schedulerOn(store: Store, by: string): Promise<Scheduler> {
  const declarations = new Declarations({ app: "fleet", by, logger: silentLogger, declared: async () => declared });
  const source = { open: async () => store };
  const around = { clock: systemClock, logger: silentLogger, by, random: Math.random };
  const scheduler = new Scheduler({ ...around, source, declarations, definitionOf: () => tick });
  await scheduler.start(new AbortController().signal);
  return scheduler;
}

describe("three schedulers on PostgreSQL", () => {
  it("make exactly one job per occurrence, through a crash of the database", async () => {
    const server = await startPostgres();
    const stores: Store[] = [];
    const schedulers: Scheduler[] = [];
    try {
      const schema = freshSchema();
      for (const by of ["one", "two", "three"]) {
        const store = postgres({ connectionString: server.url, schema });
        await store.open({ clock: systemClock, logger: silentLogger });
        stores.push(store);
        schedulers.push(await schedulerOn(store, by));
      }
      const [store] = stores;
      assert.ok(store);
      const history = async () => [...(await store.listOccurrences("s", { limit: 500 })).items].reverse();
      await eventually(async () => assert.ok((await history()).length >= 10));
      await server.halt("immediate");
      await server.resume();
      const back = Date.now();
      await eventually(async () => assert.ok((await history()).filter(({ at }) => at > back).length >= 10));
      for (const scheduler of schedulers) await scheduler.stop(new AbortController().signal);
      const lines = await history();
      const times = lines.map(({ at }) => at);
      assert.deepEqual(
        times,
        times.map((_, index) => (times[0] ?? 0) + index * EVERY),
      );
      const jobs = lines.map(({ job }) => job);
      assert.equal(new Set(jobs).size, lines.length);
      const { queues } = await store.counts();
      assert.equal(queues.find(({ queue }) => queue === "default")?.ready, lines.length);
    } finally {
      for (const scheduler of schedulers) await scheduler.stop(new AbortController().signal);
      for (const store of stores) await store.close();
      await server.dispose();
    }
  });
});
