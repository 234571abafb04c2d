/**
 * Statements read what they need and not the table: every call of the store on tables of 30,000 rows, each plan as the
 * server ran it, those inside functions too. A lost index or a plan that walks fails here, and not in production.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type pg from "pg";
import type { Store, WholeJob } from "../../../src/store/contract.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { encodeCursor } from "../../../src/store/shared/cursor.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { newInstance, newJob, serving, succeeded } from "../../../src/testing/store-conformance/worker.ts";
import { systemClock } from "../../../src/time/index.ts";
import { freshSchema, postgresUrl, rawClient, setClockAhead } from "../../support/postgres.ts";
import { watchedStore } from "./watching.ts";

/** Rows of each table that grows. */
const ROWS = 30_000;
/** More than any call below has to read of one table; a range of the block-range index is some 3,000 rows. */
const MOST = 10_000;
const DAY = 86_400_000;
const names = new Set(["a"]);
const schema = freshSchema("plans");
let raw: pg.Client;

before(async () => {
  const connectionString = await postgresUrl();
  raw = await rawClient(connectionString);
  const store = postgres({ connectionString, schema });
  await store.open({ clock: systemClock, logger: silentLogger });
  const old = [..."abcdefghij"].map((letter) => newJob({ queue: `old-${letter}`, name: letter }));
  await store.cancel(await store.enqueue([newJob(), newJob({ queue: "full" }), ...old]), "made for their numbers");
  await store.close();
  await raw.query(`set search_path to ${schema}; select setval('job_seq', 1000000)`);
  const { rows } = await raw.query(
    "select lane.id as lane from lane join queue on queue.id = queue_id where name = 'full'",
  );
  const lane = Number(rows[0]?.lane);
  // What has ended hours ago has ended today.
  if (new Date().getUTCHours() < 6) await setClockAhead(raw, schema, 6 * 3_600_000);
  await raw.query("create view today as select (now_ms() / 86400000)::int as day, now_ms() as now");
  const fill = (first: number, table: string, columns: string) =>
    raw.query(`insert into job (id, created_at, bucket, lane_id, kind_id, max_attempts, max_crashes, input)
        select g, t.now - 3600000, t.day - g % 3, ${lane}, 1, 3, 3, '{}' from today t, generate_series(${first}, ${first + ROWS - 1}) g;
      insert into ${table} select ${columns} from today t, generate_series(${first}, ${first + ROWS - 1}) g`);
  await fill(100_000, "ready (job_id, lane_id, kind_id, bucket, attempt)", `g, ${lane}, 1, t.day - g % 3, 0`);
  await fill(200_000, "parked (job_id, lane_id, kind_id, bucket, attempt)", `g, ${lane}, 3, t.day - g % 3, 0`);
  await fill(
    300_000,
    "scheduled (job_id, run_at, lane_id, kind_id, bucket, attempt)",
    `g, t.now + 86400000 + g, ${lane}, 1, t.day - g % 3, 0`,
  );
  for (const [first, state, hours] of [
    [400_000, "C", 3],
    [500_000, "D", 2],
    [600_000, "S", 1],
  ] as const) {
    await fill(
      first,
      "finished (at, job_id, lease_id, day, bucket, lane_id, kind_id, attempt, state)",
      `t.now - ${hours} * 3600000 + (g - ${first}) * 100, g, 0, t.day, t.day - g % 3, ${lane}, 1, 1, '${state}'`,
    );
  }
  await raw.query(`insert into schedule select 's' || g, case when g % 1000 = 0 then 'few' else 'many' end, 'code', 'a', '{}', now_ms() + 86400000 + g, false, 1, 0, 0
      from generate_series(1, ${ROWS}) g;
    insert into occurrence select 's' || g % 1000, g, now_ms(), 'fired', null, null, 'w' from generate_series(1, ${ROWS}) g;
    insert into imported select 'x', g::text, 1, g, now_ms() from generate_series(1, ${ROWS}) g;
    insert into rollup select g * 60000, 1, 0, 0, 0 from generate_series(1, ${ROWS}) g`);
  await raw.query("vacuum analyze");
});

after(async () => {
  await raw.query(`drop schema ${schema} cascade`);
  await raw.end();
});

const page = { limit: 50 };

/** Every call, on one job or one page. What it is allowed to read whole is named: tables without history. */
const CALLS: readonly (readonly [name: string, call: (store: Store) => Promise<unknown>, whole?: readonly string[]])[] =
  [
    ["enqueue one", (store) => store.enqueue([newJob()])],
    ["enqueue many", (store) => store.enqueue([newJob(), newJob({ due: { in: DAY } }), newJob({ queue: "other" })])],
    [
      "enqueue and claim, straight into a lease",
      async (store) => {
        const me = await store.register(newInstance("w"), 60_000);
        const { leases } = await store.enqueueAndClaim([newJob({ queue: "fresh" })], me, {
          wants: [{ queue: "fresh", limit: 5 }],
          names,
        });
        assert.equal(leases.length, 1);
        await store.deregister(me);
      },
    ],
    [
      "enqueue and claim behind others",
      async (store) => {
        const me = await store.register(newInstance("w"), 60_000);
        await store.enqueueAndClaim([newJob({ queue: "full" })], me, { wants: [{ queue: "full", limit: 5 }], names });
        await store.deregister(me);
      },
    ],
    [
      "claim, heartbeat, settle and claim, settle",
      async (store) => {
        const me = await store.register(newInstance("w"), 60_000);
        const request = { wants: [{ queue: "full", limit: 20 }], names };
        let [lease] = await store.claim(me, request);
        assert.equal(lease?.jobs.length, 20);
        await store.heartbeat(me, 60_000);
        const settlement = () => [
          { lease: lease?.id ?? "", outcomes: (lease?.jobs ?? []).map(({ id }) => succeeded(id)) },
        ];
        const next = await store.settleAndClaim(me, settlement(), request);
        [lease] = next.leases;
        assert.equal(lease?.jobs.length, 20);
        assert.deepEqual(await store.settle(me, settlement()), { refused: [] });
        await store.deregister(me);
      },
    ],
    [
      "claim one, and several of more than one day",
      async (store) => {
        const me = await store.register(newInstance("w"), 60_000);
        for (const limit of [1, 5]) {
          const [lease] = await store.claim(me, { wants: [{ queue: "full", limit }], names });
          assert.equal(lease?.jobs.length, limit);
        }
        await store.deregister(me);
      },
    ],
    [
      "settle again what is settled",
      async (store) => {
        const me = await store.register(newInstance("w"), 60_000);
        const [lease] = await store.claim(me, { wants: [{ queue: "full", limit: 1 }], names });
        const settlements = [{ lease: lease?.id ?? "", outcomes: (lease?.jobs ?? []).map(({ id }) => succeeded(id)) }];
        await store.settle(me, settlements);
        assert.deepEqual(await store.settle(me, settlements), { refused: [] });
        await store.deregister(me);
      },
    ],
    [
      "hand back",
      async (store) => {
        const me = await store.register(newInstance("w"), 60_000);
        await store.claim(me, { wants: [{ queue: "full", limit: 10 }], names });
        await store.reconcile(me, []);
        await store.deregister(me);
      },
    ],
    [
      "rescue",
      async (store) => {
        const me = await store.register(newInstance("w"), 60_000);
        await store.claim(me, { wants: [{ queue: "full", limit: 10 }], names });
        await raw.query("update instance set expires_at = 0");
        assert.equal((await store.rescue(100)).length, 10);
      },
    ],
    [
      "promote what is due, and nothing parked for it",
      async (store) => {
        await store.enqueue([newJob({ due: { in: 0 } }), newJob({ due: { at: Date.now() - 1_000 } })]);
        await store.promote(serving(["a"]), 100);
      },
    ],
    [
      "promote what was parked",
      async (store) => {
        const [name = ""] = (await raw.query<{ name: string }>("select name from kind where id = 3")).rows.map(
          (row) => row.name,
        );
        assert.equal((await store.promote(serving([name], ["full"]), 100)).moved, 100);
      },
    ],
    [
      "cancel, retry, run now",
      async (store) => {
        const ids = await store.enqueue([newJob(), newJob({ due: { in: DAY } })]);
        const [later = ""] = await store.enqueue([newJob({ due: { in: DAY } })]);
        assert.deepEqual(await store.cancel(ids, "enough"), ["cancelled", "cancelled"]);
        assert.deepEqual(await store.retry(ids), ids);
        assert.deepEqual(await store.runNow([later]), [later]);
      },
    ],
    ["counts", (store) => store.counts(), ["ready", "parked", "scheduled"]],
    ["throughput", async (store) => store.throughput(Date.now() - 3_600_000, Date.now(), 60_000)],
    ["instances", (store) => store.listInstances()],
    [
      "a job and its history",
      async (store) => {
        for (const state of ["ready", "scheduled", "succeeded", "dead", "cancelled"] as const) {
          const { items } = await store.listJobs({ state, limit: 5 });
          for (const { id } of items) assert.equal((await store.getJob(id))?.state, state);
          assert.equal((await store.statesOf(items.map(({ id }) => id))).size, 5);
        }
      },
    ],
    ...(["ready", "scheduled", "running", "succeeded", "dead", "cancelled"] as const).map(
      (state) =>
        [
          `two pages of ${state} jobs`,
          async (store: Store) => {
            const { next } = await store.listJobs({ state, ...page });
            if (next !== null) await store.listJobs({ state, ...page, cursor: next });
          },
        ] as const,
    ),
    ["a page of one queue's ready jobs", (store) => store.listJobs({ state: "ready", queue: "full", ...page })],
    ["a page of one name's dead jobs", (store) => store.listJobs({ state: "dead", name: "a", ...page })],
    [
      "counts up to 500 of each state, of a queue, of a name",
      async (store) => {
        for (const state of ["ready", "scheduled", "running", "dead", "cancelled"] as const) {
          await store.countJobs({ state, upTo: 500 });
        }
        for (const filter of [{ queue: "full" }, { name: "a" }, { queue: "full", name: "a" }]) {
          assert.equal((await store.countJobs({ state: "ready", upTo: 500, ...filter })).exact, false);
          assert.equal((await store.countJobs({ state: "dead", upTo: 500, ...filter })).exact, false);
        }
        assert.equal((await store.countJobs({ state: "ready", upTo: 500, queue: "old-a" })).exact, true);
      },
    ],
    ["an exact count of successes", (store) => store.countJobs({ state: "succeeded", upTo: 99_000 }), ["finished"]],
    [
      "schedules",
      async (store) => {
        await store.dueSchedules(100);
        await store.getSchedules(["s5"]);
        const { next } = await store.listSchedules(page);
        await store.listSchedules({ ...page, cursor: next ?? "" });
        await store.listSchedules({ ...page, cursor: encodeCursor(["s98"]) });
        await store.listSchedules({ ...page, group: "few", paused: true });
        await store.listSchedules({ ...page, group: "many", cursor: encodeCursor(["s98"]) });
        await store.listOccurrences("s5", page);
        const [kept] = await store.getSchedules(["s6"]);
        const occurrences = [{ at: 1e12, what: "fired", job: newJob() } as const];
        const [fired] = await store.fire(
          [{ schedule: "s6", revision: kept?.revision ?? 0, occurrences, nextAt: 9e12 }],
          "w",
        );
        assert.equal(fired?.stale, false);
        await store.removeSchedules(["s7"]);
        await store.pruneOccurrences(100, 50);
      },
    ],
    [
      "leadership",
      async (store) => {
        const term = await store.campaign("r", "me", 60_000);
        await store.renew("r", term?.token ?? "", 60_000);
        await store.leaders();
        await store.resign("r", term?.token ?? "");
      },
    ],
    [
      "export a page, import it, find it",
      async (store) => {
        const { items, next } = await store.readJobs({ limit: 50, finished: true });
        await store.readJobs({ limit: 50, finished: true, cursor: next ?? "" });
        const source = `there-${Math.random()}`;
        assert.equal((await store.importJobs(source, items as WholeJob[])).length, 50);
        assert.ok((await store.importJobs(source, items)).every(({ existed }) => existed));
        assert.equal((await store.findImported(source, items)).length, 50);
      },
    ],
    [
      "prune by age",
      async (store) => {
        assert.equal(await store.prune({ succeeded: 3_500_000, dead: 3_500_000, cancelled: 3_500_000 }, 100), 100);
      },
    ],
    ["sweep", (store) => store.sweep(DAY, 100)],
  ];

/** What each call read too much of, on connections with these settings. */
async function walks(
  settings: readonly string[],
): Promise<{ readonly bad: readonly string[]; readonly looked: number }> {
  await using watched = await watchedStore(schema, settings);
  const bad: string[] = [];
  let looked = 0;
  for (const [name, call, whole = []] of CALLS) {
    const { reads, statements } = await watched.during(() => call(watched.store));
    looked += statements;
    for (const { table, rows, how, statement } of reads) {
      const mayBeWhole = whole.includes(table.replace(/_p\d+$/, ""));
      if (rows > MOST && !mayBeWhole) bad.push(`${name}: ${rows} rows of ${table} (${how})\n${statement}`);
    }
  }
  return { bad, looked };
}

for (const mode of ["auto", "force_generic_plan"]) {
  test(`no call reads a large table to the end (plan_cache_mode ${mode})`, async (t) => {
    const { bad, looked } = await walks([`plan_cache_mode=${mode}`]);
    t.diagnostic(`${looked} statements`);
    assert.equal(bad.join("\n\n"), "");
    assert.ok(looked > 300, `${looked} statements were told`);
  });
}

test("an index that is lost shows", async () => {
  const indexes = ["scheduled_due", "parked_kind", "finished_job", "finished_bad", "finished_at", "schedule_due"];
  for (const index of [...indexes, "occurrence_at", "imported_at"]) {
    const { rows } = await raw.query<{ made: string }>(`select pg_get_indexdef('${index}'::regclass) as made`);
    await raw.query(`drop index ${index}`);
    assert.notDeepEqual((await walks([])).bad, [], `nothing reads more without ${index}`);
    await raw.query(`${rows[0]?.made.replace(/ ON ONLY /, " ON ")}`);
  }
  for (const table of ["ready", "parked"]) {
    await raw.query(`alter table ${table} drop constraint ${table}_pkey`);
    assert.notDeepEqual((await walks([])).bad, [], `nothing reads more without the key of ${table}`);
    await raw.query(`alter table ${table} add primary key (lane_id, job_id)`);
  }
});
