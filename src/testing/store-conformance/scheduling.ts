/** Conformance: schedules, occurrences, calendars. */
import assert from "node:assert/strict";
import type { Fire, NewSchedule, Store, StoredSchedule } from "../../store/contract.ts";
import { type StoreHarness, storeTest } from "./harness.ts";
import * as W from "./worker.ts";

function newSchedule(overrides: Partial<NewSchedule> = {}): NewSchedule {
  const base = { id: "s", group: "", source: "code", job: "a", definition: "{}", nextAt: null, paused: false } as const;
  return { ...base, ...overrides };
}

async function save(store: Store, overrides: Partial<NewSchedule> = {}): Promise<StoredSchedule> {
  const [saved] = await store.saveSchedules([newSchedule(overrides)]);
  assert.ok(saved !== null && saved !== undefined);
  return saved;
}

async function fireOne(store: Store, fire: Fire, by = "one") {
  const [fired] = await store.fire([fire], by);
  assert.ok(fired !== undefined);
  return fired;
}

export function scheduling(harness: StoreHarness): void {
  storeTest(harness, "a schedule is kept as it was given", async ({ store }) => {
    const now = await store.now();
    const given = newSchedule({
      id: "nightly ø",
      group: "g",
      source: "dynamic",
      definition: '{"x":1}',
      nextAt: now + 5,
    });
    const saved = await save(store, given);
    const { revision, createdAt, updatedAt, ...rest } = saved;
    assert.deepEqual(rest, { ...given, lastAt: null, lastJob: null });
    assert.ok(revision > 0 && createdAt >= now - 1 && updatedAt === createdAt);
    assert.deepEqual(await store.getSchedules([given.id, "missing"]), [saved]);
  });

  storeTest(harness, "each change gives a greater revision, and keeps when it was created", async ({ store }) => {
    const first = await save(store);
    const second = await save(store, { definition: '{"y":2}' });
    assert.ok(second.revision > first.revision);
    assert.equal(second.createdAt, first.createdAt);
    await store.removeSchedules(["s"]);
    assert.ok((await save(store)).revision > second.revision);
  });

  storeTest(
    harness,
    "a change while the clock is set back leaves the time of the last change",
    async ({ store, jump }) => {
      if (jump === null) return;
      const first = await save(store, { nextAt: 1_000 });
      jump(-60_000);
      const second = await save(store, { paused: true });
      assert.equal(second.updatedAt, first.updatedAt);
      const { revision } = second;
      await fireOne(store, { schedule: "s", revision, occurrences: [{ at: 1_000, what: "skipped" }], nextAt: 2_000 });
      assert.equal((await store.getSchedules(["s"]))[0]?.updatedAt, first.updatedAt);
      jump(120_000);
      assert.ok((await save(store)).updatedAt > first.updatedAt);
    },
  );

  storeTest(harness, "a save that expects another revision is refused, alone", async ({ store }) => {
    const first = await save(store);
    const saved = await store.saveSchedules(
      [newSchedule({ job: "x" }), newSchedule({ id: "t" }), newSchedule({ id: "u" })],
      [first.revision + 100, 0, 5],
    );
    assert.deepEqual(
      saved.map((entry) => entry?.id ?? null),
      [null, "t", null],
    );
    assert.equal((await store.getSchedules(["s"]))[0]?.job, "a");
    const [again, created] = await store.saveSchedules(
      [newSchedule({ job: "y" }), newSchedule({ id: "t" })],
      [first.revision, 0],
    );
    assert.deepEqual([again?.job, created], ["y", null]);
    await assert.rejects(store.saveSchedules([newSchedule()], []), W.hasCode("NS_OPTION_INVALID"));
  });

  storeTest(
    harness,
    "schedules are listed in the order of their ids, page by page, through filters",
    async ({ store }) => {
      const ids = ["b", "A", "a/1", "ø", "z", "B"];
      await store.saveSchedules(ids.map((id, n) => newSchedule({ id, group: n % 2 ? "odd" : "", paused: n === 0 })));
      const seen: string[] = [];
      let cursor: string | null | undefined;
      do {
        const page = await store.listSchedules({ limit: 2, ...(cursor ? { cursor } : {}) });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.next;
      } while (cursor !== null);
      assert.deepEqual(seen, ["A", "B", "a/1", "b", "z", "ø"]);
      const list = async (query: object) =>
        (await store.listSchedules({ limit: 10, ...query })).items.map(({ id }) => id);
      assert.deepEqual(await list({ group: "odd" }), ["A", "B", "ø"]);
      assert.deepEqual(await list({ paused: true }), ["b"]);
      assert.deepEqual(await list({ source: "dynamic" }), []);
      assert.deepEqual(await list({ job: "a", paused: false, group: "" }), ["a/1", "z"]);
    },
  );

  storeTest(harness, "groups are counted, and listed page by page, with other filters", async ({ store }) => {
    const of = (n: number) => (n % 3 === 0 ? "" : n % 3 === 1 ? "g" : "ø/é");
    const all = Array.from({ length: 12 }, (_, n) =>
      newSchedule({ id: `s${String(n).padStart(2, "0")}`, group: of(n), paused: n < 4, job: n > 8 ? "b" : "a" }),
    );
    assert.deepEqual(await store.scheduleGroups(), []);
    await store.saveSchedules(all);
    const groups = [...(await store.scheduleGroups())].sort((a, b) => (a.group < b.group ? -1 : 1));
    assert.deepEqual(groups, [
      { group: "", schedules: 4, paused: 2 },
      { group: "g", schedules: 4, paused: 1 },
      { group: "ø/é", schedules: 4, paused: 1 },
    ]);
    for (const filter of [
      {},
      { paused: false },
      { job: "a" },
      { source: "code" as const },
      { paused: true, job: "b" },
    ]) {
      for (const group of ["", "g", "ø/é", "none"]) {
        const seen: string[] = [];
        for (let cursor: string | null | undefined; cursor !== null; ) {
          const page = await store.listSchedules({ group, ...filter, limit: 1, ...(cursor ? { cursor } : {}) });
          seen.push(...page.items.map(({ id }) => id));
          cursor = page.next;
        }
        const wanted = all.filter((each) => {
          const { paused = each.paused, job = each.job } = filter as Partial<NewSchedule>;
          return each.group === group && each.paused === paused && each.job === job;
        });
        assert.deepEqual(
          seen,
          wanted.map(({ id }) => id),
        );
      }
    }
  });

  storeTest(
    harness,
    "due schedules come earliest first, paused ones never, and the next time is told",
    async ({ store }) => {
      const now = await store.now();
      await store.saveSchedules([
        newSchedule({ id: "late", nextAt: now - 1_000 }),
        newSchedule({ id: "later", nextAt: now - 500 }),
        newSchedule({ id: "paused", nextAt: now - 5_000, paused: true }),
        newSchedule({ id: "future", nextAt: now + 60_000 }),
        newSchedule({ id: "far", nextAt: now + 90_000 }),
        newSchedule({ id: "over", nextAt: null }),
      ]);
      const due = await store.dueSchedules(10);
      assert.deepEqual(
        due.due.map(({ id }) => id),
        ["late", "later"],
      );
      assert.equal(due.nextAt, now + 60_000);
      assert.ok(due.now >= now);
      assert.deepEqual(
        (await store.dueSchedules(1)).due.map(({ id }) => id),
        ["late"],
      );
    },
  );

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

  storeTest(harness, "a removal that expects another revision is refused, alone", async ({ store }) => {
    const [s, t] = await store.saveSchedules(["s", "t", "u"].map((id) => newSchedule({ id })));
    const fired = await fireOne(store, {
      ...{ schedule: "s", revision: s?.revision ?? 0, nextAt: null },
      occurrences: [{ at: 1, what: "skipped" }],
    });
    const revisions = [s?.revision ?? 0, t?.revision ?? 0, 0, 1];
    assert.deepEqual(await store.removeSchedules(["s", "t", "u", "unknown"], revisions), ["t"]);
    const left = await store.getSchedules(["s", "t", "u"]);
    assert.deepEqual(
      left.map(({ id }) => id),
      ["s", "u"],
    );
    assert.equal((await store.listOccurrences("s", { limit: 5 })).items.length, 1, "its history is still there");
    const now = fired.stale ? 0 : fired.revision;
    assert.deepEqual(await store.removeSchedules(["s"], [now]), ["s"]);
    assert.equal((await store.listOccurrences("s", { limit: 5 })).items.length, 0);
    await assert.rejects(store.removeSchedules(["u"], []), W.hasCode("NS_OPTION_INVALID"));
  });

  storeTest(harness, "a removal takes along the history of a move that was under way", async ({ store }) => {
    for (let turn = 0; turn < 20; turn++) {
      const { revision } = await save(store);
      const occurrences = [{ at: 1_000, what: "fired" as const, job: W.newJob() }];
      await Promise.all([
        store.fire([{ schedule: "s", revision, occurrences, nextAt: 2_000 }], "one"),
        store.removeSchedules(["s"]),
      ]);
      assert.deepEqual((await store.listOccurrences("s", { limit: 5 })).items, []);
    }
  });

  storeTest(harness, "of a change and a removal that expect one revision, one is done", async ({ store }) => {
    for (let turn = 0; turn < 10; turn++) {
      const { revision } = await save(store, { id: `s${turn}` });
      const [saved, removed] = await Promise.all([
        store.saveSchedules([newSchedule({ id: `s${turn}`, job: "b" })], [revision]),
        store.removeSchedules([`s${turn}`], [revision]),
      ]);
      const there = (await store.getSchedules([`s${turn}`])).length;
      assert.deepEqual([removed.length, saved[0] === null ? 0 : 1], [1 - there, there]);
    }
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

  storeTest(
    harness,
    "pages of schedules and occurrences give the cursor behind each item, when asked",
    async ({ store }) => {
      await store.saveSchedules(["a", "b", "c"].map((id) => newSchedule({ id })));
      const schedules = await store.listSchedules({ limit: 2, cursors: true });
      const [first = "", second = ""] = schedules.cursors ?? [];
      const after = async (cursor: string) => (await store.listSchedules({ limit: 1, cursor })).items[0]?.id;
      assert.deepEqual([await after(first), await after(second)], ["b", "c"]);
      const [a] = await store.getSchedules(["a"]);
      const occurrences = [1_000, 2_000, 3_000].map((at) => ({ at, what: "skipped" as const }));
      await fireOne(store, { schedule: "a", revision: a?.revision ?? 0, occurrences, nextAt: null });
      const page = await store.listOccurrences("a", { limit: 2, cursors: true });
      const behind = await store.listOccurrences("a", { limit: 1, cursor: page.cursors?.[0] ?? "" });
      assert.deepEqual(
        behind.items.map(({ at }) => at),
        [2_000],
      );
    },
  );

  storeTest(harness, "calendars are kept by name", async ({ store }) => {
    await store.saveCalendar("holidays", "1");
    await store.saveCalendar("business", "2");
    await store.saveCalendar("holidays", "3");
    assert.deepEqual(await store.listCalendars(), [
      { name: "business", definition: "2" },
      { name: "holidays", definition: "3" },
    ]);
    assert.equal(await store.removeCalendar("holidays"), true);
    assert.equal(await store.removeCalendar("holidays"), false);
  });
}
