/** A failover behind the real PgBouncer, with callers in the middle of transactions of their own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type pg from "pg";
import type { JobId, Store } from "../../../src/store/contract.ts";
import { freshSchema, rawClient } from "../../support/postgres.ts";
import { startPgBouncer } from "../pgbouncer.ts";
import { assertAllOnce, Load, names, newJob, openStore, worker } from "../postgres-support.ts";
import { caughtUp, primaryAndReplica, promote } from "../replicas.ts";

type Fate = "committed" | "given up" | "unknown";

/** Callers that each write an order and its job in one transaction of their own, again and again. */
class Callers {
  readonly fates = new Map<number, Fate>();
  readonly #url: string;
  readonly #store: Store;
  readonly #loops: readonly Promise<void>[];
  #calling = true;
  #orders = 0;

  constructor(url: string, store: Store, count: number) {
    this.#url = url;
    this.#store = store;
    this.#loops = Array.from({ length: count }, () => this.#call());
  }

  [Symbol.dispose](): void {
    this.#calling = false;
  }

  async stop(): Promise<void> {
    this.#calling = false;
    await Promise.all(this.#loops);
  }

  async committed(count: number): Promise<void> {
    const all = () => [...this.fates.values()].filter((fate) => fate === "committed").length;
    const target = all() + count;
    const deadline = performance.now() + 60_000;
    while (all() < target) {
      assert.ok(performance.now() < deadline, `${all()} of ${target} orders were committed`);
      await wait(5);
    }
  }

  async #call(): Promise<void> {
    let client: pg.Client | null = null;
    while (this.#calling) {
      const order = this.#orders++;
      let fate: Fate = "given up";
      try {
        client ??= await rawClient(this.#url);
        await client.query("begin");
        await client.query("insert into orders values ($1)", [order]);
        await this.#store.enqueue([newJob({ input: String(order) })], { tx: client });
        fate = "unknown";
        await client.query("commit");
        fate = "committed";
      } catch {
        // Whatever it was: only the fate counts. The connection may be gone, or its transaction failed.
        await client?.end().catch(() => undefined);
        client = null;
        await wait(10);
      }
      this.fates.set(order, fate);
    }
    await client?.end();
  }
}

test("a failover behind PgBouncer: an order and its job, written in one transaction of the caller's, are both there or neither is", async (t) => {
  await using pair = await primaryAndReplica("sync");
  const { primary, replica, proxy } = pair;
  // Enough for all, so that some caller always stands in the middle of its transaction.
  const bouncer = await startPgBouncer(proxy.port, 16);
  try {
    const schema = freshSchema();
    const store = await openStore({ connectionString: bouncer.url, schema, pooler: true });
    const raw = await rawClient(primary.url);
    await raw.query("create table orders (id int primary key)");
    await raw.end();
    using load = new Load(store).start(1, 2);
    load.forgetful = true;
    using callers = new Callers(bouncer.url, store, 6);
    await Promise.all([load.more(100), callers.committed(50)]);
    // One stands between its enqueue and its commit in the very moment.
    const between = await rawClient(bouncer.url);
    await between.query("begin");
    await between.query("insert into orders values (-1)");
    const [never] = await store.enqueue([newJob({ input: "-1" })], { tx: between });
    await primary.halt("kill");
    await assert.rejects(between.query("commit"));
    await promote(replica);
    proxy.retarget(replica.port);
    const asked = performance.now();
    await callers.committed(1);
    t.diagnostic(`callers commit again after ${Math.round(performance.now() - asked)} ms`);
    await Promise.all([load.more(100), callers.committed(50)]);
    await callers.stop();
    await load.finish();

    const after = await rawClient(replica.url);
    const orders = new Set((await after.query("select id from orders")).rows.map(({ id }) => Number(id)));
    const text = `select j.input, j.bucket || '-' || j.id as id from ${schema}.job j where j.input <> '{}'`;
    const written = (await after.query<{ input: string; id: string }>(text)).rows;
    await after.end();
    const jobs = written.map(({ input }) => Number(input));
    assert.deepEqual(
      jobs.toSorted((a, b) => a - b),
      [...orders].sort((a, b) => a - b),
      "an order without its job, a job without its order, or a job twice",
    );
    const are = (wanted: Fate) => [...callers.fates].flatMap(([order, fate]) => (fate === wanted ? [order] : []));
    assert.deepEqual(
      are("committed").filter((order) => !orders.has(order)),
      [],
      "committed and lost",
    );
    assert.deepEqual(
      are("given up").filter((order) => orders.has(order)),
      [],
      "given up before the commit, and there",
    );
    assert.ok(are("given up").length + are("unknown").length > 0, "nobody was in the middle of a transaction");
    assert.equal(await store.getJob(never as JobId), null);
    await assertAllOnce(replica.url, schema, [...load.accepted, ...written.map(({ id }) => id)]);
    t.diagnostic(`${jobs.length} orders; ${are("given up").length} given up, ${are("unknown").length} unknown`);
    await store.close();
  } finally {
    await bouncer.dispose();
  }
});

test("a failover behind PgBouncer to a replica that was behind: what a caller enqueues next in its own transaction gets new numbers", async () => {
  await using pair = await primaryAndReplica("async");
  const { primary, stream, replica, proxy } = pair;
  const bouncer = await startPgBouncer(proxy.port);
  try {
    const schema = freshSchema();
    const store = await openStore({ connectionString: bouncer.url, schema, pooler: true });
    await store.enqueue([newJob()]);
    await caughtUp(primary, replica);
    stream.swallow("down");
    // Queue, name and job that the replica never hears of; the store remembers the first two.
    const lost = await store.enqueue(Array.from({ length: 50 }, () => newJob({ queue: "lost", name: "b" })));
    await primary.halt("kill");
    await promote(replica);
    proxy.retarget(replica.port);
    // Others take the next numbers first.
    const newcomer = await openStore({ connectionString: replica.url, schema });
    await newcomer.enqueue([newJob({ queue: "other", name: "c" })]);

    let caller = await rawClient(bouncer.url);
    for (let tries = 0; ; tries++) {
      // PgBouncer finds out about its dead connections by using them.
      const error = await caller.query("select").catch((err: Error) => err);
      if (!(error instanceof Error)) break;
      assert.ok(tries < 50, error.message);
      await wait(100);
      caller = await rawClient(bouncer.url);
    }
    await caller.query("begin");
    const ids = await store.enqueue(
      Array.from({ length: 3 }, () => newJob({ queue: "lost", name: "b" })),
      {
        tx: caller,
      },
    );
    assert.equal(await newcomer.getJob(ids[0] as JobId), null, "not before the caller commits");
    await caller.query("commit");
    await caller.end();
    assert.deepEqual(
      ids.filter((id) => lost.includes(id)),
      [],
      "ids of lost jobs",
    );
    const job = await newcomer.getJob(ids[0] as JobId);
    assert.deepEqual({ queue: job?.queue, name: job?.name }, { queue: "lost", name: "b" });
    const me = await store.register(worker, 60_000);
    const want = { wants: [{ queue: "lost", limit: 10 }], names: new Set([...names, "b"]) };
    const [lease] = await store.claim(me, want);
    assert.deepEqual(
      lease?.jobs.map(({ id }) => id),
      ids,
    );
    await Promise.all([store.close(), newcomer.close()]);
  } finally {
    await bouncer.dispose();
  }
});
