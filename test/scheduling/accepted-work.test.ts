/** What was due before a change is accepted work: it runs, or the history says why not. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { cron, holidayCalendar, interval } from "../../src/time/index.ts";
import { declare, START, tick } from "./harness.ts";
import { onEachStore, type SteppedWorld } from "./on-stores.ts";

const MINUTE = 60_000;
const start = Date.parse(START);
const every = declare({ id: "s", trigger: interval("1m"), job: tick, overlap: "queue" });

/** The history as [minute, what, reason]. */
async function lines(w: SteppedWorld) {
  return (await w.history("s")).map(({ at, what, reason }) => [(at - start) / MINUTE, what, reason]);
}

/** A schedule's job runs, and so many minutes of occurrences wait for it. */
async function waiting(w: SteppedWorld, minutes: number): Promise<void> {
  await w.round();
  await w.claim();
  await looking(w, minutes);
  assert.equal((await w.history("s")).length, 1);
}

/** Time passes while a scheduler looks. */
async function looking(w: SteppedWorld, minutes: number): Promise<void> {
  for (let second = 0; second < minutes * 60; second += 5) {
    await w.pass(5_000);
    await w.round();
  }
}

/** Jobs come to their end one after the other, until none is left. */
async function workOff(w: SteppedWorld): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await w.finish();
    await w.pass(15_000);
    await w.round();
    if ((await w.claim()).length === 0) return;
  }
}

const fired = (minutes: readonly number[]) => minutes.map((minute) => [minute, "fired", null]);

describe("occurrences that wait for the previous job", () => {
  onEachStore("run after an update of the trigger, and then the new rule counts", async (w) => {
    await w.schedules.create(every);
    await waiting(w, 3);
    const { heldSince } = await w.schedules.update("s", { trigger: cron("30 * * * *") });
    assert.equal(heldSince, start + MINUTE);
    await looking(w, 1);
    await workOff(w);
    assert.deepEqual(await lines(w), fired([0, 1, 2, 3]));
    const schedule = await w.schedules.get("s");
    assert.deepEqual([schedule?.nextAt, schedule?.heldSince], [start + 30 * MINUTE, null]);
    const [stored] = await w.store.getSchedules(["s"]);
    assert.deepEqual(JSON.parse(stored?.definition ?? "").state, {}, "nothing of the old rule is kept");
    await w.pass(start + 30 * MINUTE - w.clock.now());
    await w.round();
    assert.deepEqual((await lines(w)).at(-1), [30, "fired", null]);
  });

  onEachStore("run after several updates of trigger, end and calendar, each by the rule of its time", async (w) => {
    await w.schedules.create(every);
    await waiting(w, 2);
    await w.schedules.update("s", { trigger: interval("90s"), end: new Date(start + 60 * MINUTE) });
    await looking(w, 2.5);
    await w.schedules.update("s", { trigger: interval("2m"), calendar: holidayCalendar(["2026-12-25"]) });
    await looking(w, 2);
    await workOff(w);
    // 0, 1, 2 of the first; 3 and 4.5 of the second, 6 of the third
    assert.deepEqual((await lines(w)).slice(0, 6), fired([0, 1, 2, 3, 4.5, 6]));
  });

  onEachStore("that a lower `maxCount` leaves no job for have a line each", async (w) => {
    await w.schedules.create({ ...every, maxCount: 10 });
    await waiting(w, 3);
    await w.schedules.update("s", { maxCount: 2 });
    await workOff(w);
    const left = (minute: number) => [minute, "skipped", "left out: maxCount allows 2 jobs"];
    assert.deepEqual(await lines(w), [...fired([0, 1]), left(2), left(3)]);
    assert.equal((await w.store.getSchedules(["s"]))[0]?.nextAt, null);
  });

  onEachStore("run after a deployment that changes the trigger", async (w) => {
    const leave = await w.declares([every]);
    await waiting(w, 2);
    await w.declares([declare({ ...every, trigger: cron("30 * * * *") })]);
    await leave();
    await workOff(w);
    assert.deepEqual(await lines(w), fired([0, 1, 2]));
    assert.equal((await w.schedules.get("s"))?.nextAt, start + 30 * MINUTE);
  });

  onEachStore("wait through a pause: only what came due in it is left out", async (w) => {
    await w.schedules.create(every);
    await waiting(w, 2.75);
    await w.schedules.pause("s");
    await w.pass(3 * MINUTE);
    await w.schedules.resume("s");
    await looking(w, 1);
    await w.schedules.pause("s");
    await w.pass(2 * MINUTE);
    await w.schedules.resume("s");
    await workOff(w);
    const paused = (minute: number) => [minute, "skipped", "paused"];
    const expected = [...fired([0, 1, 2]), ...[3, 4, 5].map(paused), ...fired([6]), ...[7, 8].map(paused)];
    assert.deepEqual((await lines(w)).slice(0, expected.length), expected);
    assert.ok((await lines(w)).slice(expected.length).every(([, what]) => what === "fired"));
    const [stored] = await w.store.getSchedules(["s"]);
    assert.deepEqual(JSON.parse(stored?.definition ?? "").state, {});
  });

  onEachStore("wait through a pause of their group, and a change during it", async (w) => {
    await w.schedules.create({ ...every, group: "g" });
    await waiting(w, 2);
    assert.equal(await w.schedules.pauseGroup("g"), 1);
    await w.pass(2 * MINUTE + 30_000);
    await w.schedules.update("s", { trigger: cron("30 * * * *") });
    await w.pass(MINUTE);
    assert.equal(await w.schedules.resumeGroup("g"), 1);
    await workOff(w);
    assert.deepEqual(await lines(w), [...fired([0, 1, 2]), [3, "skipped", "paused"], [4, "skipped", "paused"]]);
  });
});

describe("occurrences that were missed", () => {
  const missing = { ...every, overlap: "allow", misfire: "run-all" } as const;

  onEachStore("before an update are made up for after it", async (w) => {
    await w.schedules.create(missing);
    await w.pass(2 * MINUTE);
    await w.schedules.update("s", { trigger: interval("7m") });
    await w.pass(6 * MINUTE);
    await w.round();
    assert.deepEqual(
      (await lines(w)).map(([minute, what]) => [minute, what]),
      [0, 1, 2, 7].map((minute) => [minute, "fired"]),
    );
  });

  onEachStore("before a deployment with other times are made up for after it", async (w) => {
    const leave = await w.declares([missing]);
    await leave();
    await w.pass(2 * MINUTE);
    await w.declares([declare({ ...missing, trigger: cron("30 * * * *") })]);
    await w.round();
    assert.deepEqual(
      (await lines(w)).map(([minute]) => minute),
      [0, 1, 2],
    );
    assert.equal((await w.schedules.get("s"))?.nextAt, start + 30 * MINUTE);
  });
});

describe("a calendar that is replaced", () => {
  const daily = { id: "s", trigger: cron("5 0 * * *"), job: tick, calendar: "closed" } as const;
  const first = start + 5 * MINUTE;
  const DAY = 24 * 60 * MINUTE;

  onEachStore("takes away an occurrence that is due already, also before the schedule was moved", async (w) => {
    await w.schedules.saveCalendar("closed", holidayCalendar(["2026-12-25"]));
    for (const id of ["r", "s", "t"]) await w.schedules.create({ ...daily, id });
    await w.pass(first - start);
    // as far as a save comes that has not moved the schedules yet
    const closed = JSON.stringify(holidayCalendar(["2026-01-01", "2026-01-02"]).toJSON());
    await w.store.saveCalendar("closed", closed);
    await w.round();
    for (const id of ["r", "s", "t"]) {
      assert.deepEqual(await w.history(id), []);
      assert.equal((await w.schedules.get(id))?.nextAt, first + 2 * DAY);
    }
  });

  onEachStore("loses no occurrence that it no longer takes away and that comes due while it is saved", async (w) => {
    await w.schedules.saveCalendar("closed", holidayCalendar(["2026-01-01"]));
    await w.schedules.create(daily);
    await w.pass(first - start - 1_000);
    const { store } = w;
    const save = store.saveCalendar.bind(store);
    store.saveCalendar = async (...given) => {
      await save(...given);
      await w.pass(2_000);
    };
    await w.schedules.saveCalendar("closed", holidayCalendar(["2026-12-25"]));
    store.saveCalendar = save;
    await w.round();
    assert.deepEqual(
      (await w.history("s")).map(({ at }) => at),
      [first],
    );
  });
});
