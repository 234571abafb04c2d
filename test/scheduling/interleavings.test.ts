import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { NightshiftError } from "../../src/errors/index.ts";
import type { Misfire, Overlap } from "../../src/scheduling/policies.ts";
import { Reader } from "../../src/scheduling/readable.ts";
import type { Store, StoredOccurrence } from "../../src/store/contract.ts";
import { interval } from "../../src/time/index.ts";
import { declare, tick, type World, world } from "./harness.ts";

const EVERY = 1_000;

type Step =
  | { readonly do: "advance"; readonly by: number }
  | { readonly do: "jump"; readonly by: number }
  | { readonly do: "toggle"; readonly who: number }
  | { readonly do: "pause" | "resume" | "trigger" | "work" | "claim" | "finish" | "break" | "repair" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("advance" as const), by: fc.integer({ min: 1, max: 20_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("jump" as const), by: fc.integer({ min: -5_000, max: 60_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("toggle" as const), who: fc.integer({ min: 0, max: 2 }) }) },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom("pause", "resume", "trigger", "work", "work", "claim", "finish", "break", "repair", "repair")
      .map((what) => ({ do: what }) as Step),
  },
);

/** A store whose writes sometimes fail: half of the time before anything is written, half of the time after. */
function unreliable(store: Store, broken: () => boolean): Store {
  let count = 0;
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      if (key !== "fire") return value.bind(target);
      return async (...given: unknown[]) => {
        const before = ++count % 2 === 0;
        const lost = new NightshiftError("NS_STORE_UNAVAILABLE", "the connection broke");
        if (broken() && before) throw lost;
        const result: unknown = await Reflect.apply(value, target, given);
        if (broken()) throw lost;
        return result;
      };
    },
  });
}

/** @param waiting the times that wait for the previous job: only those may have no line yet, although later ones have */
function assertAccounted(lines: readonly StoredOccurrence[], waiting: ReadonlySet<number>): void {
  let expected = lines[0]?.at ?? 0;
  for (const { at, reason } of lines) {
    while (expected < at && waiting.has(expected)) expected += EVERY;
    assert.equal(at, expected, "no time is passed over, none comes twice");
    expected = at + EVERY * Number(/(\d+) occurrences until/.exec(reason ?? "")?.[1] ?? 1);
  }
}

async function waitingOf(w: World, id: string): Promise<ReadonlySet<number>> {
  const { state, timeline } = await new Reader().find(w.store, id);
  const times = new Set<number>();
  if (state.held === undefined) return times;
  for (let at: number | null = state.held.from; at !== null && at <= state.held.until; at = timeline.after(at)) {
    times.add(at);
  }
  return times;
}

async function allHistory(w: World, id: string): Promise<StoredOccurrence[]> {
  const lines: StoredOccurrence[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await w.store.listOccurrences(id, { limit: 500, ...(cursor === undefined ? {} : { cursor }) });
    lines.push(...page.items);
    cursor = page.next;
  }
  return lines.reverse();
}

it("whatever happens to instances, store, clock and people, each occurrence is dealt with once and makes one job at most", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Misfire>("run-once", "skip", "run-all", { policy: "catch-up", max: 2 }),
      fc.constantFrom<Overlap>("allow", "skip", "queue", "replace"),
      fc.array(step, { minLength: 20, maxLength: 60 }),
      async (misfire, overlap, steps) => {
        await using w = await world();
        let broken = false;
        const store = unreliable(w.store, () => broken);
        // Each instance brings another version, with the same times by another rule.
        const declaredBy = (who: number) => {
          const end = new Date(Date.UTC(2100 + who, 0));
          return [declare({ id: "s", trigger: interval(EVERY), job: tick, misfire, overlap, end })];
        };
        const running = new Map<number, () => Promise<void>>();
        const toggle = async (who: number) => {
          const stop = running.get(who);
          if (stop) await stop();
          if (stop) running.delete(who);
          else running.set(who, await w.scheduler({ by: `${who}`, declared: declaredBy(who), store }));
        };
        await toggle(0);
        for (const each of steps) {
          if (each.do === "advance") await w.clock.advance(each.by);
          else if (each.do === "jump") w.clock.jump(w.clock.now() + each.by);
          else if (each.do === "toggle") await toggle(each.who);
          else if (each.do === "claim" || each.do === "work") await w.claim();
          if (each.do === "finish" || each.do === "work") await w.finish();
          if (each.do === "break" || each.do === "repair") broken = each.do === "break";
          if (each.do === "pause" || each.do === "resume" || each.do === "trigger") await w.schedules[each.do]("s");
        }
        const lines = await allHistory(w, "s");
        assertAccounted(
          lines.filter(({ what }) => what !== "manual"),
          await waitingOf(w, "s"),
        );
        const jobs = lines.flatMap(({ job }) => job ?? []);
        assert.equal(new Set(jobs).size, jobs.length);
        const { finished, queues } = await w.store.counts();
        const live = queues.reduce((sum, queue) => sum + queue.ready + queue.scheduled + queue.running, 0);
        assert.equal(live + finished.succeeded + finished.cancelled, jobs.length);
      },
    ),
    { numRuns: 200 },
  );
});
