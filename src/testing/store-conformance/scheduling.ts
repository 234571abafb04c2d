/** Conformance: schedules as they are kept, listed, found due and removed; calendars. */
import assert from "node:assert/strict";
import type { NewSchedule } from "../../store/contract.ts";
import { type StoreHarness, storeTest } from "./harness.ts";
import { fireOne, newSchedule, save } from "./planning.ts";
import * as W from "./worker.ts";

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
