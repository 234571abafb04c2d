import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NightshiftError } from "../../src/errors/index.ts";
import { type Clock, cron, interval } from "../../src/time/index.ts";
import { eventually } from "../support/eventually.ts";
import { declare, greet, START, tick, world } from "./harness.ts";

const seconds = (at: number) => (at - Date.parse(START)) / 1_000;

describe("the scheduler", () => {
  it("makes one job per occurrence, at its time, with the input, queue and origin", async () => {
    await using w = await world();
    const hello = declare({ id: "hello", trigger: cron("* * * * *"), job: greet, input: { name: "Ada" } });
    await w.scheduler({ declared: [hello] });
    await w.clock.advance("3m");
    const history = await w.history("hello");
    assert.deepEqual(
      history.map(({ at, firedAt, what }) => [seconds(at), seconds(firedAt), what]),
      [0, 60, 120, 180].map((at) => [at, at, "fired"]),
    );
    const details = await w.jobs.get(history[1]?.job ?? "");
    assert.equal(details?.queue, "mail");
    assert.deepEqual(details?.input, { name: "Ada" });
    assert.deepEqual(details?.meta, { schedule: "hello", occurrence: "2026-01-01T00:01:00.000Z" });
  });

  it("makes one job per occurrence however many of it run, and one of them does the work", async () => {
    await using w = await world();
    const declared = [declare({ id: "beat", trigger: interval("1s"), job: tick })];
    for (const by of ["a", "b", "c", "d"]) await w.scheduler({ declared, by });
    await w.clock.advance("60s");
    const history = await w.history("beat");
    assert.deepEqual(
      history.map(({ at }) => seconds(at)),
      Array.from({ length: 61 }, (_, index) => index),
    );
    assert.equal(new Set(history.map(({ job }) => job)).size, 61);
    const workers = new Map<string, number>();
    for (const { by } of history.slice(5)) workers.set(by, (workers.get(by) ?? 0) + 1);
    assert.ok(Math.max(...workers.values()) > 50, JSON.stringify([...workers]));
  });
});

describe("occurrences at one time", () => {
  it("make their jobs in the order of their priorities, in one commit, and those due earlier first", async () => {
    await using w = await world();
    const at = cron("0 * * * *");
    const plain = { trigger: at, job: tick };
    const ids = ["a", "b", "c", "d"];
    const priorities = [-5, 10, undefined, 3];
    const declared = ids.map((id, n) =>
      declare({ ...plain, id, ...(priorities[n] ? { priority: priorities[n] } : {}) }),
    );
    const early = declare({ ...plain, id: "early", trigger: cron("59 * * * *"), priority: -100, misfire: "run-all" });
    const stop = await w.scheduler({ declared: [...declared, early] });
    await w.clock.advance("58m");
    await stop();
    await w.clock.advance("121s");
    const order: string[][] = [];
    const fire = w.store.fire.bind(w.store);
    w.store.fire = (fires, by) => {
      order.push(fires.map(({ schedule }) => schedule));
      return fire(fires, by);
    };
    await w.scheduler({ declared: [...declared, early] });
    await w.clock.advance("1s");
    assert.deepEqual(order, [["early", "b", "d", "c", "a"]]);
    const [first, last] = [(await w.history("b")).at(-1), (await w.history("a")).at(-1)];
    assert.equal(first?.firedAt, last?.firedAt);
    assert.equal((await w.jobs.get(first?.job ?? ""))?.priority, 10);
  });
});

describe("after a downtime of ten minutes", () => {
  const every = interval("1m");
  const cases = [
    { misfire: "skip", jobs: 0 },
    { misfire: "run-once", jobs: 1 },
    { misfire: "run-all", jobs: 10 },
    { misfire: { policy: "catch-up", max: 3 }, jobs: 3 },
    { misfire: { policy: "catch-up", maxAge: "5m" }, jobs: 5 },
    { misfire: "run-all", startingDeadline: "90s", jobs: 2 },
  ] as const;
  for (const { jobs, ...policy } of cases) {
    it(`${JSON.stringify(policy)} makes ${jobs} of the ten missed jobs, and the history accounts for all`, async () => {
      await using w = await world();
      const declared = [declare({ id: "s", trigger: every, job: tick, ...policy })];
      const stop = await w.scheduler({ declared });
      await w.clock.advance("90s");
      await stop();
      const before = (await w.history("s")).length;
      assert.equal(before, 2);
      await w.clock.advance("10m");
      await w.scheduler({ declared });
      const after = (await w.history("s")).slice(before);
      assert.equal(after.filter(({ what }) => what === "fired").length, jobs);
      assert.ok(after.every(({ reason }) => reason !== null));
      const counted = after.map(({ reason }) => Number(/(\d+) occurrences until/.exec(reason ?? "")?.[1] ?? 1));
      assert.equal(
        counted.reduce((a, b) => a + b, 0),
        10,
      );
      await w.clock.advance("1m");
      const next = (await w.history("s")).at(-1);
      assert.deepEqual([next?.at, next?.reason], [Date.parse("2026-01-01T00:12:00Z"), null]);
    });
  }
});

describe("overlap, with jobs that run", () => {
  it("`skip` leaves occurrences out while the job runs, and says so", async () => {
    await using w = await world();
    await w.scheduler({ declared: [declare({ id: "s", trigger: interval("1m"), job: tick, overlap: "skip" })] });
    await w.claim();
    await w.clock.advance("2m");
    await w.finish();
    await w.clock.advance("1m");
    const history = await w.history("s");
    assert.deepEqual(
      history.map(({ what }) => what),
      ["fired", "skipped", "skipped", "fired"],
    );
    assert.match(history[1]?.reason ?? "", /^overlap: the job \S+ was not over$/);
  });

  it("`queue` lets occurrences wait, and the next one goes as soon as the job is over", async () => {
    await using w = await world();
    await w.scheduler({ declared: [declare({ id: "s", trigger: interval("1m"), job: tick, overlap: "queue" })] });
    await w.claim();
    await w.clock.advance("150s");
    assert.equal((await w.history("s")).length, 1);
    assert.equal((await w.schedules.get("s"))?.heldSince, Date.parse(START) + 60_000);
    await w.finish();
    await w.clock.advance("100ms");
    assert.equal((await w.history("s")).length, 2);
    await w.claim();
    await w.finish();
    await w.clock.advance("100ms");
    assert.deepEqual(
      (await w.history("s")).map(({ at, what, reason }) => [seconds(at), what, reason]),
      [0, 60, 120].map((at) => [at, "fired", null]),
    );
    assert.equal((await w.schedules.get("s"))?.heldSince, null);
  });

  it("`replace` cancels the job that waits, or asks the one that runs to stop", async () => {
    await using w = await world();
    await w.scheduler({ declared: [declare({ id: "s", trigger: interval("1m"), job: tick, overlap: "replace" })] });
    await w.clock.advance("1m");
    const [first, second] = await w.history("s");
    assert.equal((await w.jobs.get(first?.job ?? ""))?.state, "cancelled");
    await w.claim();
    await w.clock.advance("1m");
    assert.match((await w.jobs.get(second?.job ?? ""))?.cancelRequested ?? "", /replaced/);
  });
});

it("overlap `replace` cancels nothing when a pause is first", async () => {
  await using w = await world();
  let pausing = false;
  const store = new Proxy(w.store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      if (key !== "fire") return value.bind(target);
      return async (...given: unknown[]) => {
        if (pausing) await w.schedules.pause("s");
        return Reflect.apply(value, target, given);
      };
    },
  });
  await w.scheduler({
    declared: [declare({ id: "s", trigger: interval("1m"), job: tick, overlap: "replace" })],
    store,
  });
  pausing = true;
  await w.clock.advance("1m");
  const [first, ...others] = await w.history("s");
  assert.deepEqual(others, []);
  assert.equal(await w.jobs.state(first?.job ?? ""), "ready");
});

describe("a scheduler in trouble", () => {
  it("goes on when the store comes back, without losing an occurrence", async () => {
    await using w = await world();
    let broken = false;
    const flaky = new Proxy(w.store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          if (broken && (key === "dueSchedules" || key === "fire")) {
            return Promise.reject(new NightshiftError("NS_STORE_UNAVAILABLE", "gone"));
          }
          return Reflect.apply(value, target, given);
        };
      },
    });
    const declared = [declare({ id: "s", trigger: interval("10s"), job: tick, misfire: "run-all" })];
    await w.scheduler({ declared, store: flaky });
    broken = true;
    await w.clock.advance("1m");
    assert.equal((await w.history("s")).length, 1);
    assert.ok(w.logger.entries.some(({ message }) => /The scheduler failed, and tries again/.test(message)));
    broken = false;
    await w.clock.advance("15s");
    assert.equal((await w.history("s")).length, 8);
  });

  it("sets a schedule that it cannot read aside, says so, and fires the others", async () => {
    await using w = await world();
    const base = { group: "", source: "dynamic", job: "tick", nextAt: Date.parse(START), paused: false } as const;
    const future = { ...base, id: "from-the-future", definition: JSON.stringify({ v: 9 }) };
    await w.store.saveSchedules([future, { ...base, id: "garbage", definition: "{" }]);
    await w.scheduler({ declared: [declare({ id: "s", trigger: interval("10s"), job: tick })] });
    await w.clock.advance("1m");
    assert.equal((await w.history("s")).length, 7);
    const told = w.logger.entries.filter(({ message }) => /set aside/.test(message));
    assert.deepEqual(told.map(({ facts }) => facts["schedule"]).sort(), ["from-the-future", "garbage"]);
    assert.match((await w.schedules.get("from-the-future"))?.problem ?? "", /NS_SCHEDULE_INVALID.*newer version/);
  });

  it("follows the store's clock, not its own", async () => {
    await using w = await world();
    // the machine of this scheduler believes that it is next year
    const { clock } = w;
    const wrong: Clock = {
      now: () => clock.now() + 365 * 86_400_000,
      monotonic: () => clock.monotonic(),
      setTimer: (delay, callback) => clock.setTimer(delay, callback),
    };
    await w.scheduler({ clock: wrong, declared: [declare({ id: "s", trigger: interval("1m"), job: tick })] });
    await w.clock.advance("1m");
    assert.deepEqual(
      (await w.history("s")).map(({ at, firedAt }) => [seconds(at), seconds(firedAt)]),
      [
        [0, 0],
        [60, 60],
      ],
    );
  });

  it("makes no occurrence twice when the store's clock is set back, and catches up when it is set forward", async () => {
    await using w = await world();
    await w.scheduler({ declared: [declare({ id: "s", trigger: interval("1m"), job: tick, misfire: "run-all" })] });
    await w.clock.advance("5m");
    w.clock.jump("2026-01-01T00:02:00Z");
    await w.clock.advance("4m");
    assert.equal((await w.history("s")).length, 7);
    w.clock.jump("2026-01-01T00:30:00Z");
    await w.clock.advance("1m");
    const times = (await w.history("s")).map(({ at }) => seconds(at) / 60);
    assert.deepEqual(
      times,
      Array.from({ length: 32 }, (_, index) => index),
    );
  });
});

describe("jitter", () => {
  it("delays the jobs, each by its own fixed part, and leaves the planned times alone", async () => {
    await using w = await world();
    const declared = [declare({ id: "s", trigger: interval("1h"), job: tick, jitter: "10m" })];
    await w.scheduler({ declared });
    await w.clock.advance("5h");
    const history = await w.history("s");
    const due = await Promise.all(history.slice(1).map(async ({ job, at }) => (await w.jobs.get(job ?? ""))?.at ?? at));
    const delays = history.slice(1).map(({ at }, index) => (due[index] ?? 0) - at);
    assert.ok(
      delays.every((delay) => delay >= 0 && delay < 600_000),
      delays.join(),
    );
    assert.ok(new Set(delays).size > 3);
    assert.deepEqual(
      history.map(({ at }) => seconds(at) / 3_600),
      [0, 1, 2, 3, 4, 5],
    );
  });
});

describe("a year of 10,000 schedules", () => {
  it("passes in seconds of virtual time, with every occurrence made once", async () => {
    await using w = await world();
    const base = Array.from({ length: 10_000 }, (_, index) =>
      declare({ id: `s${index}`, trigger: cron("H H H(1-28) * *"), job: tick }),
    );
    const daily = Array.from({ length: 20 }, (_, index) =>
      declare({ id: `d${index}`, trigger: cron("H H * * *", { timeZone: "Europe/Oslo" }), job: tick }),
    );
    const day = 86_400_000;
    const timing = { poll: 30 * day, upkeep: 30 * day, history: 400 * day };
    await w.scheduler({ declared: [...base, ...daily], timing });
    await w.clock.advance("365d");
    for (const { id } of base) assert.equal((await w.history(id)).length, 12, id);
    for (const { id } of daily) assert.equal((await w.history(id)).length, 365, id);
  });
});

describe("a scheduler with a long backlog", () => {
  it("stops in the middle of it when it is told to, and another goes on where it was", async () => {
    await using w = await world();
    const declared = [declare({ id: "s", trigger: interval("1s"), job: tick, misfire: "run-all" })];
    await (await w.scheduler({ declared }))();
    await w.clock.advance("5h");
    let fires = 0;
    const gate = Promise.withResolvers<void>();
    const slow = new Proxy(w.store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        if (key !== "fire") return value.bind(target);
        return async (...given: unknown[]) => {
          if (++fires >= 3) await gate.promise;
          return Reflect.apply(value, target, given);
        };
      },
    });
    const stop = await w.scheduler({ declared, store: slow });
    await eventually(() => assert.equal(fires, 3));
    const stopped = stop();
    gate.resolve();
    await stopped;
    assert.equal(fires, 3);
    const [schedule] = await w.store.getSchedules(["s"]);
    assert.ok(schedule?.nextAt && schedule.nextAt < w.clock.now() - 3_600_000, "a backlog is left");
    await w.scheduler({ declared });
    await eventually(async () => {
      await w.clock.advance("1s");
      const [now] = await w.store.getSchedules(["s"]);
      assert.ok(now?.nextAt && now.nextAt >= w.clock.now());
    });
    const { queues } = await w.store.counts();
    const [schedules] = await w.store.getSchedules(["s"]);
    assert.equal(queues[0]?.ready, ((schedules?.nextAt ?? 0) - Date.parse(START)) / 1_000);
  });
});

describe("the history of occurrences", () => {
  it("is removed after its time, as fast as it grows", async () => {
    await using w = await world();
    const declared = [declare({ id: "s", trigger: interval("1s"), job: tick })];
    await w.scheduler({ declared, timing: { history: 600_000 } });
    await w.clock.advance("40m");
    const { items } = await w.schedules.occurrences("s", { limit: 500 });
    let cursor = items.length;
    for (let page = await w.schedules.occurrences("s", { limit: 500 }); page.next !== null; ) {
      page = await w.schedules.occurrences("s", { limit: 500, cursor: page.next });
      cursor += page.items.length;
    }
    assert.ok(cursor >= 600 && cursor <= 630, String(cursor));
  });
});
