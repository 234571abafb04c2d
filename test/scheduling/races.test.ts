/** Schedulers, people and deployments at once, on real stores: nothing is made twice, nothing is lost, nobody is overruled. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { NightshiftError } from "../../src/errors/index.ts";
import type { Misfire, Overlap } from "../../src/scheduling/policies.ts";
import { Reader } from "../../src/scheduling/readable.ts";
import type { StoredOccurrence } from "../../src/store/contract.ts";
import { annualCalendar, dailyCalendar, interval } from "../../src/time/index.ts";
import { declare, START, tick } from "./harness.ts";
import { KINDS, type Kind, onEachStore, type SteppedWorld, worldOn } from "./on-stores.ts";

const EVERY = 1_000;
const RUNS: Record<Kind, number> = { memory: 100, sqlite: 25, postgres: 12 };

/** What happens at one moment, all at once. */
type Act = "round a" | "round b" | "pause" | "resume" | "resume policy" | "trigger" | "update" | "calendar" | "work";

const act = fc.constantFrom<Act>(
  ...(["round a", "round a", "round b", "round b", "round b", "pause", "resume"] as const),
  ...(["resume", "resume policy", "trigger", "update", "calendar", "work"] as const),
);
const moment = fc.record({ after: fc.integer({ min: 0, max: 4_000 }), acts: fc.array(act, { maxLength: 5 }) });

async function perform(w: SteppedWorld, what: Act, turn: number): Promise<unknown> {
  const { schedules } = w;
  switch (what) {
    case "round a":
      return w.round("a");
    case "round b":
      return w.round("b", w.other);
    case "pause":
      return schedules.pause("s");
    case "resume":
      return schedules.resume("s");
    case "resume policy":
      return schedules.resume("s", { missed: "policy" });
    case "trigger":
      return schedules.trigger("s");
    case "update":
      // The same times by another rule, so that they can be counted.
      return schedules.update("s", { end: new Date(Date.UTC(2100 + turn, 0)) });
    case "calendar":
      return schedules.saveCalendar("none", annualCalendar([turn % 2 ? "12-30" : "12-31"]));
    case "work":
      return w.claim().then(() => w.finish());
  }
}

/** What a line tells of: one time, or so many of them up to another. */
function rangeOf({ at, reason }: StoredOccurrence) {
  const [, count, until] = /(\d+) occurrences until (\S+)/.exec(reason ?? "") ?? [];
  return { at, count: Number(count ?? 1), until: until === undefined ? at : Date.parse(until) };
}

/** Every time from the first to the last has its line, or waits. */
async function assertAccounted(w: SteppedWorld, lines: readonly StoredOccurrence[]): Promise<void> {
  const [stored] = await w.store.getSchedules(["s"]);
  assert.ok(stored !== undefined);
  const { state, timeline } = await new Reader().find(w.store, "s");
  const waiting = new Set<number>();
  for (let at: number | null = state.held?.from ?? null; at !== null && at <= (state.held?.until ?? 0); ) {
    waiting.add(at);
    at = timeline.after(at);
  }
  const told = new Set<number>();
  // A line for many may span a hole that another line tells of: the short ones first.
  const ranges = lines.map(rangeOf).sort((a, b) => a.until - a.at - (b.until - b.at));
  for (const { at: first, until, count } of ranges) {
    let counted = 0;
    for (let at = first; at <= until; at += EVERY) {
      if (first !== until && (waiting.has(at) || told.has(at))) continue;
      assert.ok(!told.has(at), `${at} is told once`);
      told.add(at);
      counted++;
    }
    assert.equal(counted, count, `as many as the line says, from ${first}`);
  }
  const last = Math.max(...told, ...waiting);
  for (let at = Date.parse(START); at <= last; at += EVERY) assert.ok(told.has(at) || waiting.has(at), `${at} is told`);
}

async function historyOf(w: SteppedWorld): Promise<StoredOccurrence[]> {
  const lines: StoredOccurrence[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await w.store.listOccurrences("s", { limit: 500, ...(cursor === undefined ? {} : { cursor }) });
    lines.push(...page.items);
    cursor = page.next;
  }
  return lines.reverse();
}

describe("whatever schedulers and people do at one moment", () => {
  for (const kind of KINDS) {
    it(`${kind}: each occurrence is dealt with once, no job is made twice, and maxCount is kept`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom<Misfire>("run-once", "skip", "run-all", { policy: "catch-up", max: 2 }),
          fc.constantFrom<Overlap>("allow", "skip", "queue", "replace"),
          fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
          fc.array(moment, { minLength: 5, maxLength: 25 }),
          async (misfire, overlap, maxCount, moments) => {
            await using w = await worldOn(kind);
            const trigger = interval(EVERY);
            await w.schedules.saveCalendar("none", annualCalendar(["12-31"]));
            await w.schedules.create({
              ...{ id: "s", trigger, job: tick, misfire, overlap, calendar: "none" },
              ...(maxCount === undefined ? {} : { maxCount }),
            });
            for (const [turn, { after, acts }] of moments.entries()) {
              await w.pass(after);
              await Promise.all(acts.map((each) => perform(w, each, turn)));
            }
            const all = await historyOf(w);
            const lines = all.filter(({ what }) => what !== "manual");
            await assertAccounted(w, lines);
            const jobs = all.flatMap(({ job }) => job ?? []);
            assert.equal(new Set(jobs).size, jobs.length);
            assert.ok(lines.every(({ what, job }) => (what === "fired") === (job !== null)));
            const { finished, queues } = await w.store.counts();
            const live = queues.reduce((sum, queue) => sum + queue.ready + queue.scheduled + queue.running, 0);
            assert.equal(live + finished.succeeded + finished.cancelled, jobs.length);
            const made = lines.filter(({ what }) => what === "fired").length;
            if (maxCount !== undefined) {
              assert.ok(made <= maxCount, `${made} of ${maxCount}`);
              const { nextAt } = (await w.store.getSchedules(["s"]))[0] ?? assert.fail();
              assert.equal(nextAt === null, made === maxCount);
            }
          },
        ),
        { numRuns: RUNS[kind] },
      );
    });
  }

  onEachStore(
    "a pause that has resolved is kept: nothing fires after it, and nothing was replaced for nothing",
    async (w) => {
      for (let turn = 0; turn < 10; turn++) {
        const id = `s${turn}`;
        await w.schedules.create({ id, trigger: interval(EVERY), job: tick, overlap: "replace" });
        await w.round();
        await w.pass(EVERY);
        await Promise.all([w.round("a"), w.schedules.pause(id), w.round("b", w.other)]);
        const before = await w.history(id);
        await w.pass(EVERY);
        await w.round();
        assert.deepEqual(await w.history(id), before);
        const states = await w.store.statesOf(before.flatMap(({ job }) => job ?? []));
        assert.deepEqual(
          before.map(({ job }) => states.get(job ?? "")),
          before.map((_, index) => (index === before.length - 1 ? "ready" : "cancelled")),
        );
        await w.schedules.remove(id);
      }
    },
  );

  onEachStore("a calendar that was saved is kept: what it takes away never fires after it", async (w) => {
    const closed = dailyCalendar({ from: "00:00", to: "00:30" });
    for (let turn = 0; turn < 8; turn++) {
      await w.schedules.saveCalendar("c", annualCalendar(["12-31"]));
      const ids = ["a", "b", "c"].map((letter) => `${letter}${turn}`);
      for (const id of ids) await w.schedules.create({ id, trigger: interval(EVERY), job: tick, calendar: "c" });
      await w.pass(EVERY);
      const rounds = [w.round("a"), w.schedules.saveCalendar("c", closed), w.round("b", w.other)];
      await Promise.all(rounds);
      const before = await Promise.all(ids.map((id) => w.history(id)));
      await w.pass(EVERY);
      await Promise.all([w.round("a"), w.round("b", w.other)]);
      assert.deepEqual(await Promise.all(ids.map((id) => w.history(id))), before);
      for (const id of ids) await w.schedules.remove(id);
    }
  });
});

describe("two versions that begin at one moment", () => {
  const version = (minutes: number, extra: string) => [
    ...Array.from({ length: 20 }, (_, n) => declare({ id: `s${n}`, trigger: interval(`${minutes}m`), job: tick })),
    declare({ id: extra, trigger: interval("1h"), job: tick }),
  ];

  onEachStore(
    "leave one truth: every schedule as one of them says, and none lost that a living one declares",
    async (w) => {
      for (let turn = 0; turn < 5; turn++) {
        const [one, two] = [version(1 + turn, `one${turn}`), version(11 + turn, `two${turn}`)];
        const leave = await Promise.all([w.declares(one), w.declares([...two].reverse(), w.other)]);
        const all = (await w.store.listSchedules({ limit: 100 })).items;
        assert.equal(all.length, 22, "20 that both declare, and one of each: the turns before are gone");
        // Started again, as supervisors do: it settles, and stays as it is.
        const again = await Promise.all([w.declares(one), w.declares(two, w.other)]);
        const settled = (await w.store.listSchedules({ limit: 100 })).items;
        const third = await Promise.all([w.declares(one), w.declares(two, w.other)]);
        assert.deepEqual(
          (await w.store.listSchedules({ limit: 100 })).items.map(({ id, revision }) => [id, revision]),
          settled.map(({ id, revision }) => [id, revision]),
        );
        for (const gone of [...leave, ...again, ...third]) await gone();
      }
    },
  );

  onEachStore("and schedules that are removed while they fire, are changed and triggered stay removed", async (w) => {
    for (let turn = 0; turn < 10; turn++) {
      await w.schedules.create({ id: "s", trigger: interval(EVERY), job: tick });
      const late = (call: Promise<unknown>) =>
        call.catch((error: unknown) => {
          const codes = ["NS_SCHEDULE_NOT_FOUND", "NS_SCHEDULE_STALE"];
          assert.ok(error instanceof NightshiftError && codes.includes(error.code), String(error));
        });
      await Promise.all([
        ...[w.round("a"), w.round("b", w.other), w.schedules.remove("s")],
        ...[late(w.schedules.update("s", { priority: turn })), late(w.schedules.trigger("s"))],
        ...[late(w.schedules.pause("s")), late(w.schedules.resume("s"))],
      ]);
      assert.equal(await w.schedules.get("s"), null);
      assert.deepEqual(await w.history("s"), []);
    }
  });
});
