import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import type { Store } from "../../src/store/contract.ts";
import { eventually } from "../support/eventually.ts";
import { freshSchema, postgresUrl, rawClient } from "../support/postgres.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";
import { assertAllOnce, Load, names, newJob, openStore, worker } from "./postgres-support.ts";

interface Behind {
  readonly store: Store;
  readonly proxy: TcpProxy;
  readonly url: string;
  readonly schema: string;
}

/** A store whose connections all go through a proxy. */
async function behindProxy(body: (behind: Behind) => Promise<void>, statementTimeout = 5_000): Promise<void> {
  const url = await postgresUrl();
  const proxy = await tcpProxy(Number(new URL(url).port));
  const through = new URL(url);
  through.port = String(proxy.port);
  const schema = freshSchema();
  const store = await openStore({ connectionString: through.href, schema, statementTimeout });
  try {
    await body({ store, proxy, url, schema });
  } finally {
    await store.close();
    await proxy.close();
  }
}

const request = { wants: [{ queue: "q", limit: 10 }], names };
/** Whether a chunk runs this statement: its name goes with each execution, prepared or not. */
const runs = (statement: string) => (chunk: Buffer) => chunk.includes(`_${statement}\0`);

test("an enqueue whose answer is lost says that its outcome is unknown, and is not repeated", async () => {
  await behindProxy(async ({ store, proxy }) => {
    await store.enqueue([newJob()]);
    proxy.cutAfterSending(runs("enqueue_one"));
    await assert.rejects(store.enqueue([newJob()]), (error: { code: string; details: { unknown?: boolean } }) => {
      assert.equal(error.code, "NS_STORE_UNAVAILABLE");
      assert.equal(error.details.unknown, true);
      return true;
    });
    assert.equal((await store.counts()).queues[0]?.ready, 2);
  });
});

test("a wake-up under which the connection breaks costs nothing but itself: the job before it is accepted, once", async () => {
  const pool = new pg.Pool({ connectionString: await postgresUrl(), max: 4 });
  const ended: unknown[] = [];
  pool.on("connect", (client) => {
    const query = client.query.bind(client) as (question: { name?: string; text: string }) => unknown;
    const deadly = (question: { name?: string; text: string }) => {
      if (question.name?.endsWith("_notify_first")) {
        question.text =
          "select pg_terminate_backend(pg_backend_pid()) where $1::text || $2::text || $3::text is not null";
        client.once("end", () => ended.push(client));
      }
      return query(question);
    };
    client.query = deadly as typeof client.query;
  });
  const store = await openStore({ pool, schema: freshSchema() });
  try {
    assert.equal((await store.enqueue([newJob()])).length, 1);
    assert.equal((await store.counts()).queues[0]?.ready, 1);
    await eventually(() => assert.equal(ended.length, 1));
  } finally {
    await store.close();
    await pool.end();
  }
});

test("a settlement whose answer is lost is sent again, and written once", async () => {
  await behindProxy(async ({ store, proxy, url, schema }) => {
    const ids = await store.enqueue([newJob(), newJob(), newJob()]);
    const me = await store.register(worker, 60_000);
    const [lease] = await store.claim(me, request);
    assert.ok(lease);
    const [first = "", ...rest] = ids;
    await store.settle(me, [{ lease: lease.id, outcomes: [{ job: first, type: "succeeded", ms: 1 }] }]);
    proxy.cutAfterSending(runs("work"));
    const outcomes = rest.map((job) => ({ job, type: "succeeded", ms: 1 }) as const);
    assert.deepEqual(await store.settle(me, [{ lease: lease.id, outcomes }]), { refused: [] });
    await assertAllOnce(url, schema, ids);
    assert.equal((await store.counts()).finished.succeeded, 3);
  });
});

test("a claim whose answer is lost leaves no job behind: reconciling hands them back, uncounted", async () => {
  await behindProxy(async ({ store, proxy }) => {
    const [id = ""] = await store.enqueue([newJob()]);
    const me = await store.register(worker, 60_000);
    await store.claim(me, { ...request, wants: [{ queue: "other", limit: 1 }] });
    proxy.cutAfterSending(runs("claim"));
    await assert.rejects(store.claim(me, request), { code: "NS_STORE_UNAVAILABLE" });
    await store.reconcile(me, []);
    const [lease] = await store.claim(me, request);
    assert.deepEqual(
      lease?.jobs.map(({ id, attempt }) => ({ id, attempt })),
      [{ id, attempt: 1 }],
    );
  });
});

test("connections that are cut, slow or half closed under load cost no accepted job", async () => {
  await behindProxy(async ({ store, proxy, url, schema }) => {
    using load = new Load(store).start(3, 2);
    for (let round = 0; round < 4; round++) {
      await load.more(40);
      proxy.cut();
      await load.more(40);
      proxy.halfClose();
      proxy.delay(5);
      await load.more(10);
      proxy.heal();
    }
    await load.finish();
    await assertAllOnce(url, schema, load.accepted);
  });
});

test("a network that swallows everything ends in an error within the statement's time, and heals", async () => {
  await behindProxy(async ({ store, proxy }) => {
    await store.enqueue([newJob()]);
    proxy.swallow("down");
    await assert.rejects(store.enqueue([newJob()]), { code: "NS_STORE_UNAVAILABLE" });
    proxy.heal();
    proxy.cut();
    // The first may go to a connection of whose end nobody has heard yet.
    await eventually(async () => assert.equal((await store.enqueue([newJob()])).length, 1));
  }, 300);
});

test("a job of a slow committer, below where claims begin, is found although vacuum is held back", async () => {
  const url = await postgresUrl();
  const schema = freshSchema();
  const store = await openStore({ connectionString: url, schema });
  const holder = await rawClient(url);
  const slow = await rawClient(url);
  try {
    await store.enqueue([newJob()]);
    await holder.query("begin isolation level repeatable read; select 1 from pg_class limit 1");
    await slow.query("begin");
    const [late = ""] = await store.enqueue([newJob()], { tx: slow });
    const later = await store.enqueue(Array.from({ length: 12_000 }, () => newJob()));
    const me = await store.register(worker, 60_000);
    const claimed = new Set<string>();
    const claim = async (limit: number) => {
      const leases = await store.claim(me, { ...request, wants: [{ queue: "q", limit }] });
      for (const { jobs } of leases) for (const { id } of jobs) claimed.add(id);
    };
    for (let n = 0; n < 20; n++) await claim(100);
    assert.ok(!claimed.has(late));
    await slow.query("commit");
    const deadline = performance.now() + 20_000;
    while (!claimed.has(late) && performance.now() < deadline) await claim(1);
    assert.ok(claimed.has(late));
    assert.ok(
      later.some((id) => !claimed.has(id)),
      "the straggler did not wait for the queue to run dry",
    );
  } finally {
    await store.close();
    await holder.end();
    await slow.end();
  }
});
