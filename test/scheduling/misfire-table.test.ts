import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { ScheduleSettings } from "../../src/scheduling/options.ts";
import type { Trigger } from "../../src/time/index.ts";
import { cron, interval, once } from "../../src/time/index.ts";
import { START, tick, world } from "./harness.ts";

const guide = readFileSync(new URL("../../docs/guides/reliable-scheduling.md", import.meta.url), "utf8");
const [, table = ""] = guide.split("## Coming from Quartz.NET or Hangfire");
const inGuide = [...(table.split("\n## ")[0] ?? "").matchAll(/^\| ((?:Hangfire|Quartz) .+?) \| (.+?) \|$/gm)].map(
  (row) => row[1],
);

/**
 * Ten fires, a minute apart, the first at once. Nobody is there from 1:30 to 5:30, so that those of 2:00 to 5:00 are
 * missed (the one of 5:00 is 30 s late). `made`: the times, in minutes, that made jobs in the end.
 */
interface Row {
  readonly there: string;
  readonly trigger?: Trigger;
  readonly settings: Partial<ScheduleSettings>;
  readonly made: readonly number[];
}

const minutely = cron("* * * * *");
const counted = interval("1m", { start: START, count: 10 });
const until = (last: number, from = 6) => Array.from({ length: last - from + 1 }, (_, index) => from + index);
const all = [0, 1, ...until(12, 2)];
const onceNow = [0, 1, 5, ...until(12)];
const next = [0, 1, ...until(12)];

const rows: readonly Row[] = [
  { there: "Hangfire `MisfireHandlingMode.Relaxed`", settings: { misfire: "run-once" }, made: onceNow },
  { there: "Hangfire `MisfireHandlingMode.Strict`", settings: { misfire: "run-all" }, made: all },
  { there: "Hangfire `MisfireHandlingMode.Ignorable`", settings: { misfire: "skip" }, made: next },
  { there: "Quartz `IgnoreMisfirePolicy`", settings: { misfire: "run-all" }, made: all },
  {
    there: "Quartz `SmartPolicy`, cron, calendar, daily and recurrence triggers",
    settings: { misfire: "run-once" },
    made: onceNow,
  },
  {
    there: "Quartz `SmartPolicy`, simple trigger without repeats",
    trigger: once("2026-01-01T00:03:00Z"),
    settings: { misfire: "run-once" },
    made: [3],
  },
  { there: "Quartz `SmartPolicy`, simple trigger that repeats for ever", settings: { misfire: "skip" }, made: next },
  {
    there: "Quartz `SmartPolicy`, simple trigger with a count",
    settings: { misfire: "run-once", maxCount: 6 },
    made: [0, 1, 5, 6, 7, 8],
  },
  { there: "Quartz `FireOnceNow`", settings: { misfire: "run-once" }, made: onceNow },
  { there: "Quartz `DoNothing`", settings: { misfire: "skip" }, made: next },
  {
    there: "Quartz simple `FireNow`",
    trigger: once("2026-01-01T00:03:00Z"),
    settings: { misfire: "run-once" },
    made: [3],
  },
  {
    there: "Quartz simple `RescheduleNowWithExistingRepeatCount`",
    settings: { misfire: "run-once", maxCount: 6 },
    made: [0, 1, 5, 6, 7, 8],
  },
  {
    there: "Quartz simple `RescheduleNowWithRemainingRepeatCount`",
    trigger: counted,
    settings: { misfire: "run-once" },
    made: [0, 1, 5, ...until(9)],
  },
  {
    there: "Quartz simple `RescheduleNextWithExistingCount`",
    settings: { misfire: "skip", maxCount: 6 },
    made: [0, 1, 6, 7, 8, 9],
  },
  {
    there: "Quartz simple `RescheduleNextWithRemainingCount`",
    trigger: counted,
    settings: { misfire: "skip" },
    made: [0, 1, ...until(9)],
  },
];

describe("what Quartz.NET and Hangfire call it", () => {
  it("has a test for each row of the guide's table", () => {
    assert.deepEqual(
      rows.map(({ there }) => there),
      inGuide,
    );
  });

  for (const { there, trigger = minutely, settings, made } of rows) {
    it(`${there} is what its row says`, async () => {
      await using w = await world();
      await w.schedules.create({ id: "s", trigger, job: tick, ...settings });
      const stop = await w.scheduler();
      await w.clock.advance("90s");
      await stop();
      await w.clock.advance("4m");
      await w.scheduler();
      await w.clock.advance("7m");
      const fired = (await w.history("s")).filter(({ what }) => what === "fired");
      assert.deepEqual(
        fired.map(({ at }) => (at - Date.parse(START)) / 60_000),
        made,
      );
    });
  }
});
