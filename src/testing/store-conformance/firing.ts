/** Conformance: occurrences, of which each makes one job at most, and their history. */
import assert from "node:assert/strict";
import type { Fire } from "../../store/contract.ts";
import { type StoreHarness, storeTest } from "./harness.ts";
import { fireOne, save } from "./planning.ts";
import * as W from "./worker.ts";

export function firing(harness: StoreHarness): void {
  storeTest(harness, "the last job stays when an occurrence makes none, and through a change", async ({ store }) => {
    const { revision } = await save(store, { nextAt: 1_000 });
    const first = await fireOne(store, {
      ...{ schedule: "s", revision, nextAt: 2_000 },
      occurrences: [{ at: 1_000, what: "fired", job: W.newJob() }],
    });
    assert.ok(!first.stale);
    await fireOne(store, {
      ...{ schedule: "s", revision: first.revision, nextAt: 3_000 },
      occurrences: [{ at: 2_000, what: "skipped", reason: "overlap" }],
    });
    const changed = await save(store, { nextAt: 3_000, paused: true });
    assert.deepEqual([changed.lastAt, changed.lastJob], [2_000, first.jobs[0]]);
    // a job by hand counts as well, also while the schedule is paused
    const manual = await fireOne(store, {
      ...{ schedule: "s", revision: changed.revision, nextAt: 3_000 },
      occurrences: [{ at: 1_500, what: "manual", job: W.newJob() }],
    });
    assert.ok(!manual.stale);
    const [after] = await store.getSchedules(["s"]);
    assert.deepEqual([after?.lastAt, after?.lastJob, after?.paused], [2_000, manual.jobs[0], true]);
  });

  storeTest(
    harness,
    "firing makes the job, moves the schedule and writes its history in one commit",
    async ({ store }) => {
      const { revision } = await save(store, { nextAt: 1_000 });
      const occurrences = [
        { at: 1_000, what: "skipped", reason: "misfire" },
        { at: 2_000, what: "fired", job: W.newJob({ input: '"two"' }) },
      ] as const;
      const fired = await fireOne(store, {
        schedule: "s",
        revision,
        occurrences,
        nextAt: 3_000,
        definition: '{"left":1}',
      });
      assert.ok(!fired.stale);
      const [none, job] = fired.jobs;
      assert.equal(none, null);
      const [after] = await store.getSchedules(["s"]);
      assert.deepEqual(
        [after?.nextAt, after?.definition, after?.lastAt, after?.lastJob, after?.revision],
        [3_000, '{"left":1}', 2_000, job, fired.revision],
      );
      assert.ok(fired.revision > revision);
      assert.equal((await (await W.TestWorker.register(store)).claim()).jobs[0]?.id, job);
      const history = await store.listOccurrences("s", { limit: 10 });
      assert.deepEqual(
        history.items.map(({ at, what, reason, job: made, by }) => [at, what, reason, made, by]),
        [
          [2_000, "fired", null, job, "one"],
          [1_000, "skipped", "misfire", null, "one"],
        ],
      );
      assert.equal(history.next, null);
    },
  );

  storeTest(harness, "of several that fire the same revision one does, however many try", async ({ store }) => {
    const { revision } = await save(store, { nextAt: 1_000 });
    const fire: Fire = {
      schedule: "s",
      revision,
      occurrences: [{ at: 1_000, what: "fired", job: W.newJob() }],
      nextAt: 2_000,
    };
    const fired = await Promise.all(Array.from({ length: 8 }, (_, n) => fireOne(store, fire, `p${n}`)));
    assert.equal(fired.filter(({ stale }) => !stale).length, 1);
    assert.equal((await W.countsOf(store)).ready, 1);
  });

  storeTest(
    harness,
    "an occurrence that was dealt with makes no second job, whatever the revision",
    async ({ store }) => {
      const first = await save(store, { nextAt: 1_000 });
      const occurrences = [{ at: 1_000, what: "fired", job: W.newJob() }] as const;
      await fireOne(store, { schedule: "s", revision: first.revision, occurrences, nextAt: 2_000 });
      const back = await save(store, { nextAt: 1_000 });
      const fired = await fireOne(store, { schedule: "s", revision: back.revision, occurrences, nextAt: 2_000 });
      assert.deepEqual(fired.stale === false && fired.jobs, [null]);
      assert.equal((await W.countsOf(store)).ready, 1);
      assert.equal((await store.listOccurrences("s", { limit: 10 })).items.length, 1);
    },
  );

  storeTest(harness, "a schedule that is gone or unknown is stale", async ({ store }) => {
    const { revision } = await save(store);
    assert.deepEqual(await store.removeSchedules(["s", "unknown"]), ["s"]);
    for (const schedule of ["s", "unknown"]) {
      const fire = {
        schedule,
        revision,
        occurrences: [{ at: 1, what: "fired", job: W.newJob() }],
        nextAt: null,
      } as const;
      assert.deepEqual(await fireOne(store, fire), { schedule, stale: true });
    }
    assert.equal((await W.countsOf(store)).ready, 0);
  });

  storeTest(
    harness,
    "a move cancels what it replaces in its commit, and nothing when it is stale",
    async ({ store }) => {
      const { revision } = await save(store);
      const make = (at: number, from: number, cancel: readonly string[]): Fire => ({
        ...{ schedule: "s", revision: from, nextAt: null },
        occurrences: [{ at, what: "fired", job: W.newJob() }],
        cancel: { jobs: cancel, reason: "replaced" },
      });
      const heard: string[] = [];
      using _subscription = store.subscribe((wake) => {
        if (wake.what === "finished") heard.push(...wake.jobs);
      });
      const first = await fireOne(store, make(1, revision, []));
      assert.ok(!first.stale);
      const [job = null] = first.jobs;
      assert.ok(job !== null);
      assert.equal((await fireOne(store, make(2, revision, [job]))).stale, true);
      assert.equal((await store.statesOf([job])).get(job), "ready", "a move that came too late cancels nothing");
      const second = await fireOne(store, make(2, first.revision, [job, "nothing", "9-9"]));
      assert.ok(!second.stale);
      assert.equal(second.jobs.length, 1);
      const details = await store.getJob(job);
      assert.deepEqual([details?.state, details?.history.at(-1)?.error], ["cancelled", "replaced"]);
      assert.deepEqual(heard, [job]);
      const worker = await W.TestWorker.register(store);
      await worker.claim();
      const running = second.jobs[0] ?? "";
      const third = await fireOne(store, make(3, second.revision, [running]));
      assert.ok(!third.stale);
      assert.equal((await store.getJob(running))?.cancelRequested, "replaced", "what runs is asked to stop");
      const bad = { ...make(4, third.revision, []), cancel: { jobs: [], reason: "\0" } };
      await assert.rejects(store.fire([bad], "one"), W.hasCode("NS_OPTION_INVALID"));
    },
  );

  storeTest(harness, "a bad job among those fired refuses the whole call", async ({ store }) => {
    const a = await save(store, { id: "a" });
    const b = await save(store, { id: "b" });
    const fire = (id: string, revision: number, queue: string): Fire => ({
      ...{ schedule: id, revision, nextAt: null },
      occurrences: [{ at: 1, what: "fired", job: W.newJob({ queue }) }],
    });
    const call = store.fire([fire("a", a.revision, "q"), fire("b", b.revision, "")], "one");
    await assert.rejects(call, W.hasCode("NS_OPTION_INVALID"));
    assert.equal((await W.countsOf(store)).ready, 0);
    assert.equal((await store.getSchedules(["a"]))[0]?.revision, a.revision);
  });

  storeTest(
    harness,
    "the history of a schedule is paged latest first, pruned by age, and goes with it",
    async ({ store }) => {
      let { revision } = await save(store);
      for (let n = 1; n <= 5; n++) {
        const occurrences = [{ at: n * 1_000, what: "fired" as const, job: W.newJob() }];
        const fired = await fireOne(store, { schedule: "s", revision, occurrences, nextAt: null });
        if (!fired.stale) revision = fired.revision;
      }
      const first = await store.listOccurrences("s", { limit: 2 });
      assert.deepEqual(
        first.items.map(({ at }) => at),
        [5_000, 4_000],
      );
      const second = await store.listOccurrences("s", { limit: 5, cursor: first.next ?? "" });
      assert.deepEqual([second.items.map(({ at }) => at), second.next], [[3_000, 2_000, 1_000], null]);
      assert.equal(await store.pruneOccurrences(4_000, 2), 2);
      assert.equal(await store.pruneOccurrences(4_000, 2), 1);
      assert.equal(await store.pruneOccurrences(4_000, 2), 0);
      await store.removeSchedules(["s"]);
      assert.deepEqual((await store.listOccurrences("s", { limit: 5 })).items, []);
      assert.equal((await W.countsOf(store)).ready, 5);
    },
  );
}
