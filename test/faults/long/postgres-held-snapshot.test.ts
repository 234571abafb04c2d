import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { postgres } from "../../../src/store/postgres/index.ts";
import { capturingLogger } from "../../../src/testing/index.ts";
import { type Clock, systemClock } from "../../../src/time/index.ts";
import { freshSchema, rawClient, startPostgres } from "../../support/postgres.ts";
import { names, newJob, worker } from "../postgres-support.ts";

const SECONDS = Number(process.env["NIGHTSHIFT_HELD_SECONDS"] ?? 120);

test("a transaction held open for minutes under load costs claims less than as much again, and is named in the log", async (t) => {
  const server = await startPostgres({ settings: { fsync: "on", shared_preload_libraries: "pg_stat_statements" } });
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
  const watcher = await rawClient(server.url);
  await watcher.query("create extension pg_stat_statements");
  /** Pages that claims and settlements have looked at. What time they take depends on the machine and its other load. */
  const pages = async () => {
    const text = `select sum(shared_blks_hit + shared_blks_read)::float8 as n from pg_stat_statements where query like '%claim%' or query like '%work%'`;
    return (await watcher.query<{ n: number }>(text)).rows[0]?.n ?? Number.NaN;
  };
  try {
    const me = await store.register(worker, 3_600_000);
    const request = { wants: [{ queue: "q", limit: 100 }], names };
    let done = 0;
    let slowest = 0;
    /** Feeds and drains for so many seconds; jobs a second, and pages for each. */
    const run = async (seconds: number) => {
      const from = performance.now();
      const before = done;
      const looked = await pages();
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
      const jobs = done - before;
      return { rate: jobs / seconds, pages: ((await pages()) - looked) / jobs };
    };
    await run(3);
    const clean = await run(10);
    await holder.query("begin isolation level repeatable read");
    await holder.query("select count(*) from pg_class");
    await run(SECONDS - 10);
    const held = await run(10);
    const told = ({ rate, pages }: typeof held) => `${Math.round(rate)} jobs/s, ${pages.toFixed(1)} pages a job`;
    t.diagnostic(
      `clean ${told(clean)}; after ${SECONDS} s held ${told(held)}, slowest claim ${Math.round(slowest)} ms`,
    );
    assert.ok(held.pages < 2 * clean.pages, `${told(held)}; clean ${told(clean)}`);
    fast = 1_000;
    for (let tries = 0; tries < 300 && logger.messages("warn").length === 0; tries++) {
      await store.rescue(1);
      await wait(1_000);
    }
    assert.match(logger.messages("warn").join(), /a transaction has been open for long|dead rows pile up/);
  } finally {
    await holder.end();
    await watcher.end();
    await store.close();
    await server.dispose();
  }
});
