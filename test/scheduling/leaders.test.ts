/** Who leads, as people are told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NightshiftError } from "../../src/errors/index.ts";
import { createHost, cron, defineJob, silentLogger } from "../../src/index.ts";
import { leadersOf } from "../../src/scheduling/index.ts";
import type { Store } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { eventually } from "../support/eventually.ts";

/** A store of which only this is asked. */
const thatSays = (leaders: Store["leaders"]) => ({ ...memory(), leaders });

test("who leads is told without tokens, and without the versions that an application's schedules keep", async () => {
  const store = memory();
  const job = defineJob({ name: "a", run: () => undefined });
  const builder = createHost({ name: "shop", logger: silentLogger, signals: false });
  builder.addJobs({ store, jobs: [job] });
  builder.addSchedule({ id: "a", trigger: cron("0 3 * * *", { timeZone: "UTC" }), job });
  await using host = builder.build();
  await host.start();
  await eventually(async () => assert.equal((await store.leaders()).length, 1));
  await store.campaign("reports", "shop@web-1", 60_000);
  assert.deepEqual(await leadersOf(store, new VirtualClock()), [{ role: "reports", holder: "shop@web-1" }]);
  await host.stop();
});

test("where a database is away or says nothing, who leads is not known; another error is one", async () => {
  const clock = new VirtualClock();
  const fails = (error: Error) =>
    leadersOf(
      thatSays(() => Promise.reject(error)),
      clock,
    );
  assert.equal(await fails(new NightshiftError("NS_STORE_UNAVAILABLE", "away")), null);
  await assert.rejects(fails(new NightshiftError("NS_STORE_CORRUPT", "broken")), { code: "NS_STORE_CORRUPT" });
  const silent = leadersOf(
    thatSays(() => new Promise(() => undefined)),
    clock,
  );
  await clock.advance("2s");
  assert.equal(await silent, null);
});
