import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type Decision,
  decide,
  type Policies,
  type ScheduleState,
  type Situation,
} from "../../src/scheduling/decide.ts";
import { withPast } from "../../src/scheduling/past.ts";
import type { Overlap } from "../../src/scheduling/policies.ts";
import { every } from "./lines.ts";

const MINUTE = 60_000;
const timeline = every(MINUTE);
const policies: Policies = { misfire: { policy: "run-once" }, misfireThreshold: 5_000, overlap: "allow" };
const due = (changes: Partial<Situation> & { now: number }): Situation => ({
  policies,
  timeline,
  state: {},
  nextAt: 0,
  previous: null,
  ...changes,
});
const fired = (decision: Decision) => decision.occurrences.filter((o) => o.what === "fired").map((o) => o.at / MINUTE);
const skipped = (decision: Decision) => decision.occurrences.filter((o) => o.what === "skipped");

describe("a due schedule", () => {
  it("that is on time makes one job and moves on", () => {
    const decision = decide(due({ now: 40 }));
    assert.deepEqual(decision.occurrences, [{ at: 0, what: "fired" }]);
    assert.equal(decision.nextAt, MINUTE);
  });

  it("whose line ends is over", () => {
    assert.equal(decide(due({ now: 0, timeline: every(MINUTE, 0, 30_000) })).nextAt, null);
  });

  it("that is late within its threshold is not missed, whatever its policy", () => {
    for (const policy of ["skip", "run-once", "run-all"] as const) {
      const decision = decide(due({ now: 5_000, policies: { ...policies, misfire: { policy } } }));
      assert.deepEqual(decision.occurrences, [{ at: 0, what: "fired" }]);
    }
  });
});

describe("after an hour without any scheduler (61 occurrences, the last one 10 s late)", () => {
  const now = 60 * MINUTE + 10_000;
  const with_ = (misfire: Policies["misfire"], more: Partial<Policies> = {}) =>
    decide(due({ now, policies: { ...policies, misfire, ...more } }));

  it("`skip` makes none and says how many were missed in one line", () => {
    const decision = with_({ policy: "skip" });
    assert.deepEqual(fired(decision), []);
    assert.equal(decision.occurrences.length, 1);
    assert.match(decision.occurrences[0]?.reason ?? "", /^missed: 61 occurrences until 1970-01-01T01:00:00/);
    assert.equal(decision.nextAt, 61 * MINUTE);
  });

  it("`skip` still makes the one that is within the threshold", () => {
    const decision = decide(due({ now: 60 * MINUTE + 100, policies: { ...policies, misfire: { policy: "skip" } } }));
    assert.deepEqual(fired(decision), [60]);
    assert.match(skipped(decision)[0]?.reason ?? "", /60 occurrences/);
  });

  it("`run-once` makes one, standing at the latest time", () => {
    const decision = with_({ policy: "run-once" });
    assert.deepEqual(fired(decision), [60]);
    assert.equal(decision.occurrences.at(-1)?.reason, "missed, run once for 61 occurrences");
    assert.equal(decision.nextAt, 61 * MINUTE);
  });

  it("`run-all` makes every one", () => {
    assert.equal(fired(with_({ policy: "run-all" })).length, 61);
  });

  it("`catch-up` makes the latest `max`", () => {
    const decision = with_({ policy: "catch-up", max: 3 });
    assert.deepEqual(fired(decision), [58, 59, 60]);
    assert.match(skipped(decision)[0]?.reason ?? "", /58 occurrences/);
  });

  it("`catch-up` makes none that is older than `maxAge`", () => {
    assert.deepEqual(fired(with_({ policy: "catch-up", max: 50, maxAge: 2 * MINUTE + 10_000 })), [58, 59, 60]);
  });

  it("a starting deadline holds for every policy", () => {
    assert.deepEqual(fired(with_({ policy: "run-all" }, { startingDeadline: 70_000 })), [59, 60]);
    const none = with_({ policy: "run-once" }, { startingDeadline: 6_000 });
    assert.deepEqual(fired(none), []);
    assert.match(none.occurrences[0]?.reason ?? "", /^later than its starting deadline/);
  });

  it("few missed times have a line each", () => {
    const decision = decide(due({ now: 4 * MINUTE + 6_000, policies: { ...policies, misfire: { policy: "skip" } } }));
    assert.deepEqual(
      skipped(decision).map((o) => [o.at / MINUTE, o.reason]),
      [0, 1, 2, 3, 4].map((minute) => [minute, "missed"]),
    );
  });
});

describe("a backlog that is longer than one move", () => {
  it("is worked off in several, without a gap", () => {
    const made: number[] = [];
    let nextAt: number | null = 0;
    const now = 2_500 * MINUTE;
    for (let move = 0; nextAt !== null && nextAt <= now; move++) {
      assert.ok(move < 10);
      const decision: Decision = decide(
        due({ now, nextAt, policies: { ...policies, misfire: { policy: "run-all" } } }),
      );
      made.push(...fired(decision));
      nextAt = decision.nextAt;
    }
    assert.deepEqual(
      made,
      Array.from({ length: 2_501 }, (_, index) => index),
    );
  });

  it("of a year of seconds is decided at once", () => {
    const second = every(1_000);
    const decision = decide(due({ now: 31_536_000_000, timeline: second }));
    assert.equal(decision.occurrences.length, 2);
    assert.match(decision.occurrences[0]?.reason ?? "", /more than 1000 occurrences until 1970-12-31T23:59:59/);
    assert.equal(decision.occurrences[1]?.at, 31_536_000_000);
  });
});

describe("`maxCount`", () => {
  const counted: Policies = { ...policies, maxCount: 3, misfire: { policy: "run-all" } };

  it("ends the schedule with its last job", () => {
    const decision = decide(due({ now: 0, state: { fired: 2 }, policies: counted }));
    assert.equal(decision.nextAt, null);
    assert.deepEqual(decision.state, { fired: 3 });
  });

  it("counts jobs, not the occurrences that were left out", () => {
    const decision = decide(due({ now: 10 * MINUTE, policies: { ...counted, misfire: { policy: "run-once" } } }));
    assert.deepEqual(decision.state, { fired: 1 });
    assert.equal(decision.nextAt, 11 * MINUTE);
  });

  it("with an overlap policy counts the jobs that are made: none of the times vanishes, none is counted for another", () => {
    const backlog = (overlap: Overlap, before: number) =>
      decide(due({ now: 3 * MINUTE, state: { fired: before }, policies: { ...counted, overlap } }));
    const replaced = backlog("replace", 1);
    assert.deepEqual([fired(replaced), skipped(replaced).length], [[3], 3]);
    assert.deepEqual([replaced.state.fired, replaced.nextAt], [2, 4 * MINUTE]);
    const last = backlog("skip", 2);
    assert.deepEqual([fired(last), last.nextAt], [[0], null]);
    assert.equal(skipped(backlog("skip", 1)).length, 3);
    assert.deepEqual(backlog("replace", 3), {
      ...{ occurrences: [], nextAt: null, state: { fired: 3 }, cancelPrevious: false },
    });
  });

  it("cuts a backlog", () => {
    assert.deepEqual(fired(decide(due({ now: 10 * MINUTE, policies: counted }))), [0, 1, 2]);
  });
});

describe("overlap", () => {
  const at = (overlap: Overlap, changes: Partial<Situation> = {}) =>
    decide(due({ now: 100, ...changes, policies: { ...policies, overlap, ...changes.policies } }));

  it("`allow` does not look at the previous job", () => {
    assert.deepEqual(fired(at("allow", { previous: "j1" })), [0]);
  });

  it("`skip` leaves the occurrence out while the previous job is not over, and says which", () => {
    const decision = at("skip", { previous: "j1" });
    assert.deepEqual(decision.occurrences, [{ at: 0, what: "skipped", reason: "overlap: the job j1 was not over" }]);
    assert.equal(decision.nextAt, MINUTE);
  });

  it("`replace` asks for the previous job's cancellation and makes one job, the latest", () => {
    const decision = at("replace", {
      previous: "j1",
      now: 2 * MINUTE,
      policies: { ...policies, overlap: "replace", misfire: { policy: "run-all" } },
    });
    assert.equal(decision.cancelPrevious, true);
    assert.deepEqual(fired(decision), [2]);
    assert.equal(at("replace").cancelPrevious, false);
  });

  it("`queue` waits, and then makes one job at a time, in order, none lost", () => {
    const queueing: Policies = { ...policies, overlap: "queue" };
    let state: ScheduleState = {};
    let nextAt: number | null = 0;
    let now = 0;
    const made: number[] = [];
    // each job takes 150 s, so that occurrences pile up; then the line ends and they are worked off
    const line = every(MINUTE, 0, 9 * MINUTE);
    let busyUntil = -1;
    while (nextAt !== null) {
      now = Math.max(now, nextAt);
      const previous = now < busyUntil ? "j" : null;
      const decision: Decision = decide({ policies: queueing, timeline: line, state, nextAt, now, previous });
      for (const minute of fired(decision)) {
        made.push(minute);
        busyUntil = now + 150_000;
      }
      assert.ok(decision.occurrences.every((o) => o.what === "fired" && o.reason === undefined));
      ({ state, nextAt } = decision);
    }
    assert.deepEqual(made, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(state, {});
  });

  it("`queue` tells what waited from what was missed in a downtime", () => {
    const queueing: Policies = { ...policies, overlap: "queue" };
    let decision = at("queue", { previous: "j1", now: 100, nextAt: 0 });
    const look = (now: number, previous: string | null) => {
      const nextAt = decision.nextAt ?? assert.fail();
      const { state } = decision;
      const line = withPast(state.past, timeline, () => timeline);
      decision = decide({ policies: queueing, timeline: line, state, nextAt, now, previous });
      return decision;
    };
    while ((decision.nextAt ?? 0) < 2 * MINUTE + 1_000)
      assert.deepEqual(look(decision.nextAt ?? 0, "j1").occurrences, []);
    // nobody looks for an hour; the job is still not over then, but soon after
    const back = look(62 * MINUTE, "j1");
    assert.deepEqual(
      back.occurrences.map((o) => [o.at / MINUTE, o.reason]),
      [[3, "missed: 59 occurrences until 1970-01-01T01:01:00.000Z"]],
    );
    while ((decision.nextAt ?? 0) < 64 * MINUTE) assert.deepEqual(look(decision.nextAt ?? 0, "j1").occurrences, []);
    const made: number[] = [];
    for (let turn = 0; turn < 10 && decision.state.held; turn++) {
      const { occurrences } = look(decision.nextAt ?? 0, null);
      assert.ok(occurrences.every((o) => o.what === "fired" && o.reason === undefined));
      made.push(...occurrences.map((o) => o.at / MINUTE));
    }
    assert.deepEqual(made, [0, 1, 2, 62, 63, 64, 65]);
    assert.deepEqual(decision.state, {}, "and nothing of it is kept");
  });

  it("`queue` lets only what the misfire policy wants of a downtime wait for a job that outlived it", () => {
    const held = at("queue", { previous: "j1", now: 60 * MINUTE, nextAt: 0 });
    assert.equal(held.occurrences.length, 1);
    assert.match(held.occurrences[0]?.reason ?? "", /^missed: 60 occurrences/);
    assert.deepEqual(held.state.held, { from: 60 * MINUTE, until: 60 * MINUTE });
    const none = at("queue", {
      ...{ previous: "j1", now: 60 * MINUTE + 30_000, nextAt: 0 },
      policies: { ...policies, misfire: { policy: "skip" }, overlap: "queue" },
    });
    assert.deepEqual([none.nextAt, none.state], [61 * MINUTE, {}], "nothing waits");
  });
});

describe("whatever the policies", () => {
  const policy = fc.oneof(
    fc.constantFrom("skip", "run-once", "run-all").map((name) => ({ policy: name })),
    fc
      .record({
        max: fc.integer({ min: 1, max: 50 }),
        maxAge: fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: undefined }),
      })
      .map((more) => ({ policy: "catch-up" as const, ...more })),
  ) as fc.Arbitrary<Policies["misfire"]>;

  it("every time is decided once, none before it is due, and all of them are accounted for", () => {
    fc.assert(
      fc.property(
        policy,
        fc.constantFrom<Overlap>("allow", "skip", "queue", "replace"),
        fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: undefined }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 4_000 }), fc.boolean()), { maxLength: 30 }),
        (misfire, overlap, startingDeadline, steps) => {
          const all: Policies = {
            misfire,
            overlap,
            misfireThreshold: 500,
            ...(startingDeadline === undefined ? {} : { startingDeadline }),
          };
          let [now, state, nextAt] = [0, {} as ScheduleState, 0 as number | null];
          const decided = new Set<number>();
          let told = 0;
          for (const [step, busy] of steps) {
            now += step;
            if (nextAt === null || nextAt > now) continue;
            const decision = decide({
              policies: all,
              timeline: withPast(state.past, every(100), () => every(100)),
              state,
              nextAt,
              now,
              previous: busy ? "j" : null,
            });
            for (const { at, reason } of decision.occurrences) {
              assert.ok(!decided.has(at) && at <= now, `${at} at ${now}`);
              decided.add(at);
              told += Number(/(\d+) occurrences until/.exec(reason ?? "")?.[1] ?? 1);
            }
            ({ state, nextAt } = decision);
            assert.ok(nextAt !== null && (nextAt > now || decision.occurrences.length > 0));
            assert.ok(
              state.held !== undefined || told === nextAt / 100,
              `${told} of ${nextAt / 100} are accounted for`,
            );
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
