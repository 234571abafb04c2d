/** What daylight saving does to cron expressions, case by case. Fire times are written with the offset people saw. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CronOptions, cron } from "../../src/time/index.ts";

const NEW_YORK = { timeZone: "America/New_York" };

/** The fire times after `from`, forwards, and the same ones backwards. */
function fires(expression: string, options: CronOptions, from: string, to: string): string[] {
  const trigger = cron(expression, options);
  const found: Date[] = [];
  for (let at = trigger.next(new Date(from), { inclusive: true }); at && at <= new Date(to); at = trigger.next(at))
    found.push(at);
  const back: Date[] = [];
  for (
    let at = trigger.previous(new Date(to), { inclusive: true });
    at && at >= new Date(from);
    at = trigger.previous(at)
  )
    back.push(at);
  assert.deepEqual(back.reverse(), found, `${expression} is the same backwards`);
  return found.map((date) => date.toISOString().slice(5, 16));
}

const SPRING = ["2026-03-08T00:00Z", "2026-03-09T05:00Z"] as const;

test("a fixed time in the spring gap fires when the gap ends, moves by its length, or is left out", () => {
  assert.deepEqual(fires("30 2 * * *", NEW_YORK, ...SPRING), ["03-08T07:00"]);
  assert.deepEqual(fires("30 2 * * *", { ...NEW_YORK, gap: "shift" }, ...SPRING), ["03-08T07:30"]);
  assert.deepEqual(fires("30 2 * * *", { ...NEW_YORK, gap: "skip" }, ...SPRING), []);
  assert.deepEqual(fires("0 30 2 * * ?", { ...NEW_YORK, dialect: "quartz" }, ...SPRING), ["03-08T07:30"]);
});

test("several readings in one gap make one fire at its end, and none that is due there anyway is doubled", () => {
  assert.deepEqual(fires("*/15 2 * * *", NEW_YORK, ...SPRING), ["03-08T07:00"]);
  assert.deepEqual(fires("15,45 2,3 * * *", NEW_YORK, ...SPRING), ["03-08T07:00", "03-08T07:15", "03-08T07:45"]);
  assert.deepEqual(fires("0 2,3 * * *", NEW_YORK, ...SPRING), ["03-08T07:00"]);
});

test("shifted readings keep their distance and merge with what is due then", () => {
  const shift = { ...NEW_YORK, gap: "shift" } as const;
  assert.deepEqual(fires("20,40 2,3 * * *", shift, ...SPRING), ["03-08T07:20", "03-08T07:40"]);
  assert.deepEqual(fires("20,40 2 * * *", shift, ...SPRING), ["03-08T07:20", "03-08T07:40"]);
});

const AUTUMN = ["2026-11-01T04:00Z", "2026-11-01T12:00Z"] as const;

test("a fixed time in the autumn overlap fires once, in the first pass", () => {
  assert.deepEqual(fires("30 1 * * *", NEW_YORK, ...AUTUMN), ["11-01T05:30"]);
  assert.deepEqual(fires("0,30 1,2 * * *", NEW_YORK, ...AUTUMN), [
    "11-01T05:00",
    "11-01T05:30",
    "11-01T07:00",
    "11-01T07:30",
  ]);
});

test("an expression with a star, a range or a step fires in both passes of the overlap", () => {
  const both = ["11-01T05:00", "11-01T05:30", "11-01T06:00", "11-01T06:30"];
  assert.deepEqual(fires("*/30 1 * * *", NEW_YORK, ...AUTUMN), both);
  assert.deepEqual(fires("0,30 1-1 * * *", NEW_YORK, ...AUTUMN), both);
});

test("a gap at midnight, a half-hour gap and a day that does not exist follow the same rule", () => {
  assert.deepEqual(fires("30 0 L * *", { timeZone: "Asia/Amman" }, "2017-03-30T00:00Z", "2017-04-01T00:00Z"), [
    "03-30T22:00",
  ]);
  const howe = { timeZone: "Australia/Lord_Howe" };
  assert.deepEqual(fires("15 2 * * *", howe, "2026-10-03T00:00Z", "2026-10-04T00:00Z"), ["10-03T15:30"]);
  const apia = { timeZone: "Pacific/Apia" };
  const across = ["2011-12-29T00:00Z", "2012-01-01T00:00Z"] as const;
  assert.deepEqual(fires("0 12 * * *", apia, ...across), ["12-29T22:00", "12-30T10:00", "12-30T22:00", "12-31T22:00"]);
  assert.deepEqual(fires("0 12 * * *", { ...apia, gap: "shift" }, ...across), [
    "12-29T22:00",
    "12-30T22:00",
    "12-31T22:00",
  ]);
});
