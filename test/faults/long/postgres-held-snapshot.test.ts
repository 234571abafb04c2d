import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { postgres } from "../../../src/store/postgres/index.ts";
import { capturingLogger } from "../../../src/testing/index.ts";
import { type Clock, systemClock } from "../../../src/time/index.ts";
import { freshSchema, rawClient, startPostgres } from "../../support/postgres.ts";
import { names, newJob, worker } from "../postgres-support.ts";

const SECONDS = Number(process.env["NIGHTSHIFT_HELD_SECONDS"] ?? 120);

test("a transaction held open for minutes under load slows claims by less than half, and is named in the log", async (t) => {
  const server = await startPostgres({ settings: { fsync: "on" } });
  // The watch looks once a minute and warns of five: here its minutes are seconds.
  let fast = 1;
  const clock: Clock = {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * fast,
    setTimer: (delay, then, options) => systemClock.setTimer(delay, then, options),
  };
  const logger = capturingLogger();
  const store = postgres({ connectionString: server.url, schema: freshSchema() });
  await store.open({ clock, logger });
  const holder = await rawClient(server.url);
  try {
    const me = await store.register(worker, 3_600_000);
    const request = { wants: [{ queue: "q", limit: 100 }], names };
    let done = 0;
    let slowest = 0;
    /** Feeds and drains for so many seconds; jobs a second. */
    const run = async (seconds: number) => {
      const from = performance.now();
      const before = done;
      slowest = 0;
      while (performance.now() - from < seconds * 1_000) {
        await store.enqueue(Array.from({ length: 500 }, () => newJob()));
        for (let n = 0; n < 5; n++) {
          const began = performance.now();
          const leases = await store.claim(me, request);
          slowest = Math.max(slowest, performance.now() - began);
          for (const { id, jobs } of leases) {
            await store.settle(me, [
              { lease: id, outcomes: jobs.map(({ id: job }) => ({ job, type: "succeeded", ms: 0 })) },
            ]);
            done += jobs.length;
          }
        }
      }
      return (done - before) / seconds;
    };
    await run(3);
    const clean = await run(10);
    await holder.query("begin isolation level repeatable read");
    await holder.query("select count(*) from pg_class");
    await run(SECONDS - 10);
    const held = await run(10);
    t.diagnostic(
      `clean ${Math.round(clean)} jobs/s; after ${SECONDS} s held ${Math.round(held)} jobs/s, slowest claim ${Math.round(slowest)} ms`,
    );
    assert.ok(held >= clean / 2, `${held} of ${clean}`);
    fast = 1_000;
    for (let tries = 0; tries < 300 && logger.messages("warn").length === 0; tries++) {
      await store.rescue(1);
      await wait(1_000);
    }
    assert.match(logger.messages("warn").join(), /a transaction has been open for long|dead rows pile up/);
  } finally {
    await holder.end();
    await store.close();
    await server.dispose();
  }
});
