/** Conformance: jobs taken out whole and put in again. */
import assert from "node:assert/strict";
import type { Store, WholeEntry, WholeJob } from "../../store/contract.ts";
import { memory } from "../../store/memory/index.ts";
import { silentLogger } from "../../telemetry/index.ts";
import { systemClock } from "../../time/index.ts";
import { type StoreHarness, storeTest } from "./harness.ts";
import * as W from "./worker.ts";

/** All pages of jobs. */
async function readAll(store: Store, finished: boolean, limit = 3): Promise<WholeJob[]> {
  const jobs: WholeJob[] = [];
  let cursor: string | null = null;
  do {
    const page = await store.readJobs({ limit, finished, ...(cursor === null ? {} : { cursor }) });
    assert.ok(page.items.length <= limit);
    jobs.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return jobs;
}

/** Jobs in every place and with every kind of history. Returns their ids, in the order of enqueueing. */
async function fill(store: Store, passTime: (milliseconds: number) => Promise<void>): Promise<readonly string[]> {
  const worker = await W.TestWorker.register(store, "shop@web-1");
  const ids = [...(await store.enqueue(Array.from({ length: 9 }, (_, n) => W.newJob({ input: `{"n":${n}}` }))))];
  const [done = "", dead = "", no = "", again = "", later = "", cancelled = "", running = ""] = ids;
  const lease = await worker.claim(7);
  await worker.settle(
    lease,
    W.succeeded(done, '"yes"'),
    W.died(dead),
    W.cancelled(no),
    W.retried(later, 1_000_000),
    W.died(again),
  );
  await passTime(5);
  await store.retry([again]);
  await store.cancel([cancelled], "stop");
  ids.push(await W.enqueueOne(store, { name: "unknown", priority: 7, meta: '{"m":1}' }));
  ids.push(await W.enqueueOne(store, { queue: "other", due: { in: 5_000_000 }, maxAttempts: 2, maxCrashes: 1 }));
  assert.deepEqual(await store.statesOf([running]), new Map([[running, "running"]]));
  return ids;
}

/** Read jobs by the ids given. Those of one queue must have come in their order; of several, a store may keep them apart. */
function inOrder(read: readonly WholeJob[], ids: readonly string[]): WholeJob[] {
  const inQueue = new Set(read.filter(({ queue }) => queue === "q").map(({ id }) => id));
  assert.deepEqual(
    W.idsOf(read).filter((id) => inQueue.has(id)),
    ids.filter((id) => inQueue.has(id)),
  );
  assert.deepEqual(W.idsOf(read).toSorted(), ids.toSorted());
  return ids.flatMap((id) => read.find((job) => job.id === id) ?? []);
}

/** The same jobs at another time: the clocks of two stores in a test may be years apart. */
function shifted(jobs: readonly WholeJob[], by: number): WholeJob[] {
  return jobs.map((job) => ({
    ...job,
    createdAt: job.createdAt + by,
    dueAt: job.dueAt === null ? null : job.dueAt + by,
    history: job.history.map((line) => ({ ...line, at: line.at + by })),
  }));
}

/** What a job is apart from its ids. */
function essence(job: WholeJob): unknown {
  return { ...job, id: null, history: job.history.map((line) => ({ ...line, at: line.at > 0 })) };
}

export function transferring(harness: StoreHarness): void {
  storeTest(harness, "every job is read once, in the order of enqueueing, with all that it has", async (given) => {
    const { store, passTime } = given;
    const ids = await fill(store, passTime);
    const jobs = inOrder(await readAll(store, true), ids);
    const [done, dead] = jobs;
    assert.deepEqual([done?.state, done?.attempt, done?.maxAttempts, done?.input], ["succeeded", 1, 5, '{"n":0}']);
    const { at, ...line } = done?.history[0] ?? {};
    const expected = { attempt: 1, what: "succeeded", ms: 5, error: null, instance: "shop@web-1", result: '"yes"' };
    assert.deepEqual([typeof at, line], ["number", expected]);
    assert.equal(dead?.history[0]?.error, '{"message":"fatal"}');
    const states = jobs.map(({ state }) => state);
    const live = ["ready", "scheduled", "running", "running", "ready", "ready", "ready", "scheduled"];
    assert.deepEqual(states, ["succeeded", "dead", "cancelled", ...live]);
    assert.deepEqual(jobs[5]?.cancelRequested, "stop");
    assert.deepEqual([jobs[6]?.instance, jobs[9]?.meta, jobs[9]?.priority], ["shop@web-1", '{"m":1}', 7]);
    assert.ok((jobs[10]?.dueAt ?? 0) > (jobs[10]?.createdAt ?? 0));
    inOrder(await readAll(store, false), ids.slice(3));
  });

  storeTest(
    harness,
    "what was read from one store and imported into another is the same, and goes on there",
    async (given) => {
      const { store, passTime } = given;
      const source = memory();
      await source.open({ clock: systemClock, logger: silentLogger });
      await fill(source, async () => undefined);
      const jobs = shifted(await readAll(source, true), (await store.now()) - (await source.now()) - 60_000);
      const imported = await store.importJobs(await source.identity(), jobs);
      assert.equal(
        imported.some(({ existed }) => existed),
        false,
      );
      const back = inOrder(await readAll(store, true), W.idsOf(imported));
      for (const [n, job] of jobs.entries()) {
        if (job.state === "running") continue;
        assert.deepEqual(essence(back[n] as WholeJob), essence(job), `job ${n}`);
      }
      const [cancelled, lost] = [back[5], back[6]];
      assert.deepEqual(
        [cancelled?.state, cancelled?.history.map(({ what }) => what)],
        ["cancelled", ["lost", "cancelled"]],
      );
      assert.deepEqual([lost?.state, lost?.attempt, lost?.history.map(({ what }) => what)], ["ready", 1, ["lost"]]);
      const { finished, retried, queues } = await store.counts();
      assert.deepEqual([finished, retried], [{ succeeded: 1, dead: 2, cancelled: 2 }, 2]);
      assert.equal(queues.find(({ queue }) => queue === "other")?.scheduled, 1);
      assert.equal(W.idsOf((await store.listJobs({ state: "succeeded", limit: 5 })).items)[0], imported[0]?.id);
      const worker = await W.TestWorker.register(store);
      const lease = await worker.claim(100, "q", ["a", "unknown"]);
      assert.equal(lease.jobs[0]?.id, imported[9]?.id, "priority");
      const rerun = lease.jobs.find(({ id }) => id === imported[3]?.id);
      assert.equal(rerun?.attempt, 2);
      await worker.settle(lease, ...W.idsOf(lease.jobs).map((id) => W.succeeded(id)));
      assert.deepEqual(await W.historyOf(store, imported[3]?.id ?? ""), ["dead", "requeued", "succeeded"]);
      await passTime(5);
      assert.equal(await store.prune({ succeeded: 1, dead: 1, cancelled: 1 }, 100), lease.jobs.length + 4);
      await source.close();
    },
  );

  storeTest(
    harness,
    "an import that is run again makes no second job, also while another one runs",
    async ({ store }) => {
      const source = memory();
      await source.open({ clock: systemClock, logger: silentLogger });
      await source.enqueue(Array.from({ length: 20 }, () => W.newJob()));
      const jobs = await readAll(source, false, 50);
      const name = await source.identity();
      const first = await store.importJobs(name, jobs.slice(0, 12));
      const [second, third] = await Promise.all([store.importJobs(name, jobs), store.importJobs(name, jobs)]);
      assert.deepEqual(
        second.slice(0, 12),
        first.map(({ id }) => ({ id, existed: true })),
      );
      assert.deepEqual(W.idsOf(third), W.idsOf(second));
      assert.equal(second.filter(({ existed }) => !existed).length + third.filter(({ existed }) => !existed).length, 8);
      assert.equal((await W.countsOf(store)).ready, 20);
      assert.deepEqual(await store.findImported(name, jobs), W.idsOf(second));
      assert.deepEqual(await store.findImported("another", jobs.slice(0, 1)), [null]);
      const elder = { ...(jobs[0] as WholeJob), createdAt: 5 };
      assert.equal(
        (await store.importJobs(name, [elder]))[0]?.existed,
        false,
        "the same id of another time is another job",
      );
      await source.close();
    },
  );

  storeTest(
    harness,
    "attempts that were lost are counted by an import as they were when it happened",
    async ({ store }) => {
      const at = (await store.now()) - 60_000;
      const line = (what: WholeEntry["what"], attempt: number, instance: string | null): WholeEntry => {
        return { at, attempt, what, ms: null, error: null, instance, result: null };
      };
      const job = (id: string, state: WholeJob["state"], history: readonly WholeEntry[]): WholeJob => {
        const body = {
          id,
          name: "a",
          queue: "q",
          priority: 0,
          maxAttempts: 5,
          maxCrashes: 3,
          createdAt: at,
          input: "1",
        };
        const none = { dueAt: null, meta: null, instance: null, cancelRequested: null };
        return { ...body, ...none, state, attempt: history.at(-1)?.attempt ?? 0, history };
      };
      const lost = line("lost", 1, "web-1");
      await store.importJobs("elsewhere", [
        job("1", "ready", [lost]),
        job("2", "succeeded", [lost, line("lost", 2, "web-1"), line("succeeded", 3, "web-1")]),
        job("3", "cancelled", [lost, line("cancelled", 1, null)]),
        job("4", "dead", [lost, line("dead", 1, "web-1")]),
        job("5", "cancelled", [lost, line("cancelled", 1, "web-1")]),
      ]);
      const { finished, retried } = await store.counts();
      assert.deepEqual([finished, retried], [{ succeeded: 1, dead: 1, cancelled: 2 }, 4]);
      const points = await store.throughput(at, at + 60_000, 60_000);
      assert.equal(points[0]?.retried, 4);
    },
  );

  storeTest(harness, "a store keeps its identity, and no two have the same", async ({ store, second }) => {
    const identity = await store.identity();
    assert.ok(identity.length > 8);
    assert.equal(await store.identity(), identity);
    if (second !== null) assert.equal(await (await second()).identity(), identity);
    const other = memory();
    await other.open({ clock: systemClock, logger: silentLogger });
    assert.notEqual(await other.identity(), identity);
    await other.close();
  });

  storeTest(
    harness,
    "a lost worker's last crash comes in as dead, and what contradicts itself is refused whole",
    async (given) => {
      const { store } = given;
      const base: WholeJob = {
        ...{ id: "1", name: "a", queue: "q", priority: 0, state: "running", attempt: 1, maxAttempts: 5, maxCrashes: 1 },
        ...{
          createdAt: 1_000,
          dueAt: null,
          input: "{}",
          meta: null,
          instance: "w",
          cancelRequested: null,
          history: [],
        },
      };
      const [dead] = await store.importJobs("s", [base]);
      assert.equal(await W.stateOf(store, dead?.id ?? ""), "dead");
      const bad: Partial<WholeJob>[] = [
        { state: "succeeded" },
        { state: "scheduled" },
        { state: "blocked" as "ready" },
        { priority: 101 },
        { input: "\0" },
        { createdAt: -1 },
      ];
      for (const flaw of bad) {
        const jobs = [
          { ...base, id: "2" },
          { ...base, id: "3", ...flaw },
        ];
        await assert.rejects(store.importJobs("s", jobs), W.hasCode("NS_OPTION_INVALID"));
      }
      assert.equal((await readAll(store, true)).length, 1);
    },
  );
}
