/** Conformance: what people and dashboards ask. */
import assert from "node:assert/strict";
import { FINAL_STATES, type JobQuery, type JobSummary, LIVE_STATES, type Store } from "../../store/contract.ts";
import { type StoreHarness, storeTest } from "./harness.ts";
import * as W from "./worker.ts";

const STATES = [...LIVE_STATES, ...FINAL_STATES];

/** All pages of a list. */
async function listAll(store: Store, query: JobQuery): Promise<JobSummary[]> {
  const items: JobSummary[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await store.listJobs({ ...query, ...(cursor ? { cursor } : {}) });
    assert.ok(page.items.length <= query.limit);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return items;
}

export function inspecting(harness: StoreHarness): void {
  storeTest(harness, "an empty store has nothing to tell", async ({ store }) => {
    const { queues, finished, retried } = await store.counts();
    assert.deepEqual([queues, finished, retried], [[], { succeeded: 0, dead: 0, cancelled: 0 }, 0]);
    assert.deepEqual(await store.listJobs({ state: "ready", limit: 10 }), { items: [], next: null });
    assert.equal((await store.statesOf(["1", "x"])).size, 0);
    assert.equal(await store.getJob("1"), null);
    assert.deepEqual(await store.listInstances(), []);
  });

  storeTest(
    harness,
    "queues are counted by state, with the age of the oldest ready job",
    async ({ store, passTime }) => {
      await W.enqueueOne(store, { priority: -5 });
      await passTime(20);
      const first = await store.now();
      await store.enqueue([W.newJob({ priority: 5 }), W.newJob(), W.newJob({ due: { in: 60_000 } })]);
      const worker = await W.TestWorker.register(store);
      await worker.claim(1);
      const queue = (await store.counts()).queues.find((counts) => counts.queue === "q");
      assert.deepEqual([queue?.ready, queue?.parked, queue?.scheduled, queue?.running], [2, 0, 1, 1]);
      assert.ok(queue?.oldestReadyAt !== null && queue !== undefined && queue.oldestReadyAt < first);
    },
  );

  storeTest(harness, "finished work is counted in all, and per span of time", async ({ store }) => {
    const ids = (await store.enqueue(Array.from({ length: 6 }, () => W.newJob()))) as [
      string,
      string,
      string,
      string,
      ...string[],
    ];
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim(6);
    const [a, b, c, d, e = ""] = ids;
    await worker.settle(lease, W.succeeded(a), W.succeeded(b), W.died(c), W.cancelled(d), W.retried(e, 60_000));
    const counts = await store.counts();
    assert.deepEqual([counts.finished, counts.retried], [{ succeeded: 2, dead: 1, cancelled: 1 }, 1]);
    const minute = Math.floor((await store.now()) / 60_000) * 60_000;
    const points = await store.throughput(minute - 120_000, minute + 60_000, 60_000);
    assert.deepEqual(
      points.map(({ at }) => at),
      [minute - 120_000, minute - 60_000, minute],
    );
    const sums = { succeeded: 0, retried: 0, dead: 0, cancelled: 0 };
    for (const point of points) for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += point[key];
    assert.deepEqual(sums, { succeeded: 2, retried: 1, dead: 1, cancelled: 1 });
    const wide = await store.throughput(minute - 240_000, minute + 60_000, 300_000);
    assert.deepEqual(
      wide.map(({ succeeded }) => succeeded),
      [2],
    );
    await assert.rejects(store.throughput(0, 60_000, 1_000), W.hasCode("NS_OPTION_INVALID"));
    await assert.rejects(store.throughput(0, Number.POSITIVE_INFINITY, 60_000), W.hasCode("NS_OPTION_INVALID"));
  });

  storeTest(harness, "jobs of each state are listed newest first, page by page", async ({ store, passTime }) => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) ids.push(await W.enqueueOne(store, { priority: n % 3 }));
    const newest = ids.toReversed();
    assert.deepEqual(W.idsOf(await listAll(store, { state: "ready", limit: 3 })), newest);
    const scheduled: string[] = [];
    for (let n = 0; n < 4; n++) scheduled.push(await W.enqueueOne(store, { due: { in: 100_000 - n * 1_000 } }));
    assert.deepEqual(W.idsOf(await listAll(store, { state: "scheduled", limit: 2 })), scheduled.toReversed());
    const worker = await W.TestWorker.register(store);
    const lease = await worker.claim(100);
    assert.deepEqual(W.idsOf(await listAll(store, { state: "running", limit: 3 })), newest);
    for (const [n, id] of ids.entries()) {
      await worker.settle(lease, [W.succeeded(id), W.died(id), W.cancelled(id)][n % 3] ?? W.died(id));
      await passTime(1);
    }
    const every = (rest: number) => ids.filter((_, n) => n % 3 === rest).toReversed();
    assert.deepEqual(W.idsOf(await listAll(store, { state: "succeeded", limit: 1 })), every(0));
    assert.deepEqual(W.idsOf(await listAll(store, { state: "dead", limit: 1 })), every(1));
    assert.deepEqual(W.idsOf(await listAll(store, { state: "cancelled", limit: 2 })), every(2));
    assert.deepEqual(await listAll(store, { state: "running", limit: 10 }), []);
    assert.deepEqual(await listAll(store, { state: "awaiting", limit: 10 }), []);
    assert.deepEqual(await listAll(store, { state: "blocked", limit: 10 }), []);
  });

  storeTest(harness, "a page gives the cursor behind each of its items, when asked", async ({ store }) => {
    const ids = (await store.enqueue(Array.from({ length: 7 }, () => W.newJob()))).toReversed();
    const worker = await W.TestWorker.register(store);
    const behindEach = async (state: JobQuery["state"]) => {
      const all = await listAll(store, { state, limit: 50 });
      const page = await store.listJobs({ state, limit: 5, cursors: true });
      assert.deepEqual([page.items.length, page.cursors?.length], [5, 5]);
      for (const [index, cursor] of (page.cursors ?? []).entries()) {
        const [next] = (await store.listJobs({ state, limit: 1, cursor })).items;
        assert.equal(next?.id, all[index + 1]?.id);
      }
      return W.idsOf(all);
    };
    assert.deepEqual(await behindEach("ready"), ids);
    const lease = await worker.claim(7);
    assert.deepEqual(await behindEach("running"), ids);
    await worker.settle(lease, ...ids.map((id) => W.succeeded(id)));
    assert.equal((await behindEach("succeeded")).length, 7);
    assert.equal("cursors" in (await store.listJobs({ state: "succeeded", limit: 5 })), false);
  });

  storeTest(harness, "a list is filtered by queue and by name", async (given) => {
    const { store } = given;
    const jobs = Array.from({ length: 60 }, (_, n) => W.newJob({ queue: n % 2 ? "x" : "q", name: n % 3 ? "a" : "b" }));
    const ids = await W.enqueueAll(given, jobs);
    const where = (test: (n: number) => boolean) => ids.filter((_, n) => test(n)).toReversed();
    const list = async (query: Omit<JobQuery, "state" | "limit">) =>
      W.idsOf(await listAll(store, { state: "ready", limit: 7, ...query }));
    assert.deepEqual(
      await list({ queue: "x" }),
      where((n) => n % 2 === 1),
    );
    assert.deepEqual(
      await list({ name: "b" }),
      where((n) => n % 3 === 0),
    );
    assert.deepEqual(
      await list({ name: "b", queue: "x" }),
      where((n) => n % 6 === 3),
    );
    assert.deepEqual(await list({ name: "never used" }), []);
    assert.deepEqual(await list({ queue: "never used" }), []);
  });

  storeTest(harness, "what is counted is what the lists show, in every state and under every filter", async (given) => {
    const { store } = given;
    const jobs = Array.from({ length: 48 }, (_, n) =>
      W.newJob({
        queue: n % 2 ? "x" : "q",
        name: n % 3 ? "a" : "unknown",
        priority: n % 5,
        ...(n % 8 ? {} : { due: { in: 60_000 } }),
      }),
    );
    await W.enqueueAll(given, jobs);
    const worker = await W.TestWorker.register(store);
    for (const queue of ["q", "x"]) {
      const [lease] = await worker.claimLeases(12, queue);
      assert.ok(lease);
      const [a, b, c, d, e, f] = lease.jobs.map(({ id }) => id) as [string, string, string, string, string, string];
      await worker.settle(
        lease,
        W.succeeded(a),
        W.succeeded(b),
        W.died(c),
        W.died(d),
        W.cancelled(e),
        W.retried(f, 9_999),
      );
      await store.retry([b, d]);
      await worker.claimLeases(1, queue);
    }
    const filters = ["q", "x", "never used", undefined].flatMap((queue) =>
      ["a", "unknown", "never used", undefined].map((name) => ({
        ...(queue === undefined ? {} : { queue }),
        ...(name === undefined ? {} : { name }),
      })),
    );
    const all: number[] = [];
    for (const state of STATES) {
      for (const filter of filters) {
        const { length } = await listAll(store, { state, limit: 50, ...filter });
        const counted = await store.countJobs({ state, upTo: 1_000, ...filter });
        assert.deepEqual(counted, { count: length, exact: true }, `${state} ${JSON.stringify(filter)}`);
      }
      all.push((await store.countJobs({ state, upTo: 1_000 })).count);
    }
    assert.ok(all.every((count, index) => count > 0 || ["awaiting", "blocked"].includes(STATES[index] ?? "")));
    assert.equal(
      all.reduce((sum, count) => sum + count, 0),
      jobs.length,
    );
  });

  storeTest(harness, "a count ends where it was told to, and says that there are more", async ({ store }) => {
    await store.enqueue(Array.from({ length: 7 }, (_, n) => W.newJob({ name: n % 2 ? "a" : "b" })));
    const count = (upTo: number, name?: string) =>
      store.countJobs({ state: "ready", upTo, ...(name === undefined ? {} : { name }) });
    assert.deepEqual(await count(6), { count: 6, exact: false });
    assert.deepEqual(await count(7), { count: 7, exact: true });
    assert.deepEqual(await count(2, "b"), { count: 2, exact: false });
    assert.deepEqual(await count(4, "b"), { count: 4, exact: true });
    for (const upTo of [0, -1, 1.5, Number.NaN, 1_000_001]) {
      await assert.rejects(count(upTo), W.hasCode("NS_OPTION_INVALID"));
    }
    for (const filter of [{ state: "done" as JobQuery["state"] }, { state: "ready", queue: "\0" } as const]) {
      await assert.rejects(store.countJobs({ ...filter, upTo: 5 }), W.hasCode("NS_OPTION_INVALID"));
      await assert.rejects(store.listJobs({ ...filter, limit: 5 }), W.hasCode("NS_OPTION_INVALID"));
    }
  });

  storeTest(harness, "a job that was made ready again is listed as what it is now", async ({ store }) => {
    const id = await W.enqueueOne(store);
    const worker = await W.TestWorker.register(store);
    await worker.settle(await worker.claim(), W.died(id, '{"message":"first"}'));
    await store.retry([id]);
    assert.deepEqual(await listAll(store, { state: "dead", limit: 10 }), []);
    const [job] = await listAll(store, { state: "ready", limit: 10 });
    assert.deepEqual([job?.id, job?.attempt, job?.error, job?.at], [id, 1, '{"message":"first"}', null]);
    await worker.settle(await worker.claim(), W.died(id));
    assert.equal((await listAll(store, { state: "dead", limit: 10 })).length, 1);
  });

  storeTest(harness, "a list shows parked jobs as ready and set aside", async ({ store }) => {
    const id = await W.enqueueOne(store, { name: "unknown" });
    await (await W.TestWorker.register(store)).claimLeases();
    const [job] = await listAll(store, { state: "ready", limit: 10 });
    assert.deepEqual([job?.id, job?.parked], [id, true]);
  });

  storeTest(harness, "pages that are too large, empty or made up are refused", async ({ store }) => {
    for (const limit of [0, -1, 501, 1.5]) {
      await assert.rejects(store.listJobs({ state: "ready", limit }), W.hasCode("NS_OPTION_INVALID"));
    }
    for (const cursor of ["made up", "", "W10", "eyJ9"]) {
      await assert.rejects(store.listJobs({ state: "ready", limit: 1, cursor }), W.hasCode("NS_OPTION_INVALID"));
    }
  });

  storeTest(harness, "a running job shows since when, by whom, and all of its body", async ({ store }) => {
    const id = await W.enqueueOne(store, { input: '{"x":1}', meta: '{"y":2}', maxCrashes: 9, priority: 7 });
    const lease = await (await W.TestWorker.register(store, "one")).claim();
    const job = await store.getJob(id);
    const expected = {
      id,
      name: "a",
      queue: "q",
      priority: 7,
      state: "running",
      parked: false,
      attempt: 1,
      maxAttempts: 5,
    };
    const rest = {
      input: '{"x":1}',
      meta: '{"y":2}',
      maxCrashes: 9,
      result: null,
      instance: { name: "one", host: "host", pid: 1, expiresAt: job?.instance?.expiresAt },
      cancelRequested: null,
    };
    assert.deepEqual(job, {
      ...{ ...expected, ...rest, at: lease.claimedAt, error: null, history: [] },
      createdAt: lease.jobs[0]?.createdAt,
    });
    const [listed] = (await store.listJobs({ state: "running", limit: 1 })).items;
    assert.deepEqual([listed?.at, listed?.instance], [job?.at, job?.instance]);
  });

  storeTest(
    harness,
    "a running job tells until when its process is taken for alive, as the process itself does",
    async ({ store, passTime }) => {
      const id = await W.enqueueOne(store);
      const worker = await W.TestWorker.register(store);
      await worker.claim();
      const shown = async () => {
        const [listed] = (await store.listJobs({ state: "running", limit: 1 })).items;
        const times = [(await store.getJob(id))?.instance?.expiresAt, listed?.instance?.expiresAt];
        const told = (await store.listInstances())[0]?.expiresAt ?? 0;
        for (const time of times) assert.ok(Math.abs((time ?? 0) - told) < 1_000, `${time}, and not ${told}`);
        return Math.max(...times.map((time) => time ?? 0));
      };
      assert.ok((await shown()) > (await store.now()));
      await worker.expire(passTime);
      assert.ok((await shown()) <= (await store.now()));
    },
  );

  storeTest(
    harness,
    "a store in order has no findings, whatever its jobs went through",
    async ({ store, passTime }) => {
      const ids = await store.enqueue(Array.from({ length: 8 }, () => W.newJob()));
      await store.enqueue([W.newJob({ due: { in: 60_000 } }), W.newJob({ name: "unknown", priority: 1 })]);
      const worker = await W.TestWorker.register(store);
      const lease = await worker.claim(6);
      const [a = "", b = "", c = ""] = ids;
      await worker.settle(lease, W.succeeded(a), W.died(b), W.retried(c, 60_000));
      await store.retry([b]);
      await passTime(5);
      const { jobs, findings } = await store.verify();
      assert.deepEqual([jobs, findings.filter(({ severity }) => severity === "damage")], [10, []]);
      assert.deepEqual(await store.findings(), []);
    },
  );
}
