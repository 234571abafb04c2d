import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NightshiftError } from "../../src/errors/index.ts";
import { cron, cronCalendar, holidayCalendar, weeklyCalendar } from "../../src/time/index.ts";
import { declare, tick, world } from "./harness.ts";

const daily = declare({ id: "daily", trigger: cron("0 12 * * *"), job: tick });
const day = (at: number | null | undefined) => new Date(at ?? 0).toISOString().slice(0, 10);

describe("a schedule's calendars", () => {
  it("leave out its occurrences without a trace in the history: they are none", async () => {
    await using w = await world();
    const weekend = weeklyCalendar(["SAT", "SUN"]);
    await w.scheduler({ declared: [declare({ ...daily, calendar: [weekend, holidayCalendar(["2026-01-01"])] })] });
    await w.clock.advance("6d");
    assert.deepEqual(
      (await w.history("daily")).map(({ at }) => day(at)),
      ["2026-01-02", "2026-01-05", "2026-01-06"],
    );
  });

  it("by name follow the calendar in the store at once when it is replaced", async () => {
    await using w = await world();
    await w.scheduler();
    await w.schedules.saveCalendar("holidays", holidayCalendar(["2026-01-01"]));
    await w.schedules.create({ ...daily, calendar: "holidays" });
    assert.equal(day((await w.schedules.get("daily"))?.nextAt), "2026-01-02");
    assert.equal(await w.schedules.saveCalendar("holidays", holidayCalendar(["2026-01-01", "2026-01-02"])), 1);
    assert.equal(day((await w.schedules.get("daily"))?.nextAt), "2026-01-03");
    await w.schedules.saveCalendar("holidays", holidayCalendar(["2026-12-25"]));
    assert.equal(day((await w.schedules.get("daily"))?.nextAt), "2026-01-01");
    await w.clock.advance("1d");
    assert.equal((await w.history("daily")).length, 1);
  });

  it("by name wake a schedule that they had left without times, though it counts its jobs; one that has made them all stays over", async () => {
    await using w = await world();
    await w.scheduler();
    const none = cronCalendar("* * * * *");
    await w.schedules.saveCalendar("closed", holidayCalendar(["2026-12-25"]));
    await w.schedules.create({ ...daily, calendar: "closed", maxCount: 2 });
    await w.clock.advance("1d");
    await w.schedules.saveCalendar("closed", none);
    assert.equal((await w.schedules.get("daily"))?.nextAt, null);
    await w.schedules.saveCalendar("closed", holidayCalendar(["2026-01-02"]));
    assert.equal(day((await w.schedules.get("daily"))?.nextAt), "2026-01-03");
    await w.clock.advance("3d");
    await w.schedules.saveCalendar("closed", holidayCalendar(["2026-12-25"]));
    assert.equal((await w.schedules.get("daily"))?.nextAt, null);
    assert.deepEqual((await w.history("daily")).map(({ at }) => day(at)).sort(), ["2026-01-01", "2026-01-03"]);
  });

  it("by name cannot be removed while they are used, and must exist for a new schedule", async () => {
    await using w = await world();
    await assert.rejects(
      w.schedules.create({ ...daily, calendar: "holidays" }),
      /No calendar "holidays" is in the store/,
    );
    await w.schedules.saveCalendar("holidays", holidayCalendar(["2026-01-01"]));
    await w.schedules.create({ ...daily, calendar: "holidays" });
    await assert.rejects(w.schedules.removeCalendar("holidays"), (error: unknown) => {
      return error instanceof NightshiftError && /is used by schedule "daily"/.test(error.message);
    });
    await w.schedules.update("daily", { calendar: null });
    assert.equal(await w.schedules.removeCalendar("holidays"), true);
    assert.deepEqual(await w.schedules.calendars(), []);
  });

  it("declared in code before anybody saved them: the schedule waits for the calendar, with a warning", async () => {
    await using w = await world();
    await w.scheduler({ declared: [declare({ ...daily, calendar: "holidays" })] });
    assert.ok(w.logger.entries.some(({ level, message }) => level === "warn" && /nobody has saved/.test(message)));
    assert.equal((await w.schedules.get("daily"))?.nextAt, null);
    await w.schedules.saveCalendar("holidays", holidayCalendar(["2026-01-01"]));
    await w.clock.advance("2d");
    assert.deepEqual(
      (await w.history("daily")).map(({ at }) => day(at)),
      ["2026-01-02"],
    );
  });
});
