/** Intervals, calendar intervals, daily windows, single fires, combinators, and what every trigger promises. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  annualCalendar,
  anyOf,
  calendarInterval,
  chainedCalendar,
  cron,
  cronCalendar,
  dailyCalendar,
  dailyInterval,
  except,
  holidayCalendar,
  interval,
  jitter,
  monthlyCalendar,
  once,
  recurrence,
  type Trigger,
  triggerFromJSON,
  weeklyCalendar,
  withHashKey,
} from "../../src/time/index.ts";
import { backwards, forwards, iso } from "./support/compare.ts";
import { seeded } from "./support/random.ts";

const OSLO = { timeZone: "Europe/Oslo" };
const texts = (trigger: Trigger, n: number, from: string) =>
  trigger.upcoming(n, new Date(from)).map((date) => date.toISOString().slice(0, 19));

const EVERY_KIND: readonly Trigger[] = [
  cron("*/7 2-4 * * *", OSLO),
  cron("0 30 2 ? * 1", { ...OSLO, dialect: "quartz" }),
  cron("30 2 * * *", { ...OSLO, gap: "skip" }),
  cron("H H(1-4) * * *", { ...OSLO, hashKey: "a" }),
  cron("0 0 13 * 5", { dialect: "cronos" }),
  interval("90m"),
  interval("7h", { start: "2026-03-20T00:00:00Z", end: "2026-11-01T00:00:00Z" }),
  interval(1_500, { start: "2026-03-29T00:00:00Z", count: 400 }),
  calendarInterval(1, "day", { ...OSLO, start: "2025-12-31T02:30:00" }),
  calendarInterval(1, "month", { ...OSLO, start: "2025-12-31T02:30:00", gap: "skip", count: 40 }),
  calendarInterval(5, "hour", { ...OSLO, start: "2025-12-31T02:30:00" }),
  dailyInterval("25m", { ...OSLO, from: "22:00", to: "04:00", weekdays: ["SAT", "SUN"] }),
  dailyInterval("1h", { ...OSLO, countPerDay: 3, start: "2026-03-01T00:00:00Z", end: "2026-12-01T00:00:00Z" }),
  once("2026-03-29T01:00:00Z"),
  recurrence("FREQ=DAILY;BYHOUR=2;BYMINUTE=15,45", { ...OSLO, start: "2026-01-01T00:00:00", exclude: ["2026-03-28"] }),
  recurrence("FREQ=HOURLY;INTERVAL=3", { ...OSLO, start: "2026-01-01T00:00:00", include: ["2026-03-29T00:11:00Z"] }),
  recurrence("FREQ=MONTHLY;BYDAY=-1SU;COUNT=30", { ...OSLO, start: "2026-01-01T02:30:00" }),
  anyOf(cron("0 2 * * *", OSLO), cron("30 2 * * *", OSLO), once("2026-03-29T01:30:00Z")),
  except(
    cron("*/20 * * * *", OSLO),
    chainedCalendar(weeklyCalendar(["MON"], OSLO), dailyCalendar({ ...OSLO, from: "02:00", to: "05:00" })),
  ),
  except(cron("0 * * * *"), cronCalendar("* 9-17 * * MON-FRI", OSLO)),
  except(interval("6h"), anyHoliday()),
  jitter(cron("*/10 * * * *", OSLO), "20m", { key: "report" }),
  withHashKey(jitter(cron("H * * * *", OSLO), "5m"), "report"),
];

function anyHoliday() {
  return chainedCalendar(
    annualCalendar(["03-29", "12-25"]),
    holidayCalendar(["2026-10-25"]),
    monthlyCalendar([1, "last"]),
  );
}

test("every trigger answers the same forwards, backwards and after a life as JSON", () => {
  const windows = [
    ["2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z"],
    ["2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"],
  ] as const;
  for (const trigger of EVERY_KIND) {
    const revived = triggerFromJSON(JSON.parse(JSON.stringify(trigger)));
    assert.equal(String(revived), String(trigger));
    assert.deepEqual(revived.toJSON(), trigger.toJSON());
    assert.equal(revived.describe(), trigger.describe());
    for (const [from, to] of windows) {
      const found = forwards(trigger, Date.parse(from), Date.parse(to));
      assert.deepEqual(iso(backwards(trigger, Date.parse(from), Date.parse(to))), iso(found), `${trigger} backwards`);
      assert.deepEqual(iso(forwards(revived, Date.parse(from), Date.parse(to))), iso(found), `${trigger} revived`);
    }
  }
});

test("from any instant, next is the first fire time after it and previous undoes it", () => {
  const random = seeded(7);
  for (const trigger of EVERY_KIND) {
    for (let n = 0; n < 300; n++) {
      const at = new Date(Date.UTC(2026, 2, 20) + random.below(300 * 86_400_000));
      const next = trigger.next(at);
      if (next === null) continue;
      assert.ok(next > at, String(trigger));
      assert.deepEqual(
        trigger.next(at, { inclusive: true })?.getTime(),
        trigger.next(new Date(at.getTime() - 1))?.getTime(),
      );
      assert.deepEqual(trigger.next(next, { inclusive: true }), next, `${trigger} includes ${next.toISOString()}`);
      const before = trigger.previous(next);
      assert.ok(
        before === null || before <= at,
        `${trigger}: nothing between ${at.toISOString()} and ${next.toISOString()}`,
      );
      assert.deepEqual(trigger.previous(next, { inclusive: true }), next);
    }
  }
});

test("an interval counts elapsed time from its start, or from 1970 when it has none", () => {
  assert.deepEqual(texts(interval("6h"), 2, "2026-03-29T01:00:00Z"), ["2026-03-29T06:00:00", "2026-03-29T12:00:00"]);
  const three = interval("1d", { start: "2026-03-01T10:00:00Z", count: 3 });
  assert.deepEqual(texts(three, 9, "2026-01-01T00:00:00Z"), [
    "2026-03-01T10:00:00",
    "2026-03-02T10:00:00",
    "2026-03-03T10:00:00",
  ]);
  assert.throws(() => interval("1d", { count: 3 }), { code: "NS_TRIGGER_INVALID" });
  assert.throws(() => interval(0), { code: "NS_TRIGGER_INVALID" });
});

test("a calendar interval keeps the hour on the wall, and the 31st where there is one", () => {
  const daily = calendarInterval(1, "day", { ...OSLO, start: "2026-03-27T09:00:00" });
  assert.deepEqual(texts(daily, 3, "2026-03-27T12:00:00Z"), [
    "2026-03-28T08:00:00",
    "2026-03-29T07:00:00",
    "2026-03-30T07:00:00",
  ]);
  const monthly = calendarInterval(1, "month", { start: "2026-01-31T09:00:00" });
  assert.deepEqual(texts(monthly, 3, "2026-02-01T00:00:00Z"), [
    "2026-02-28T09:00:00",
    "2026-03-31T09:00:00",
    "2026-04-30T09:00:00",
  ]);
  const leap = calendarInterval(1, "year", { start: "2024-02-29T00:00:00" });
  assert.deepEqual(
    texts(leap, 4, "2024-03-01T00:00:00Z").map((text) => text.slice(0, 10)),
    ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
  );
});

test("a calendar interval at an hour that a day lacks fires when the gap ends, or skips the day", () => {
  const at = (gap: "end" | "shift" | "skip") =>
    calendarInterval(1, "day", { ...OSLO, start: "2026-03-28T02:30:00", gap });
  assert.deepEqual(texts(at("end"), 2, "2026-03-28T12:00:00Z"), ["2026-03-29T01:00:00", "2026-03-30T00:30:00"]);
  assert.deepEqual(texts(at("shift"), 1, "2026-03-28T12:00:00Z"), ["2026-03-29T01:30:00"]);
  assert.deepEqual(texts(at("skip"), 1, "2026-03-28T12:00:00Z"), ["2026-03-30T00:30:00"]);
});

test("a daily interval opens and closes by the clock on the wall, its closing time included", () => {
  const office = dailyInterval("4h", { ...OSLO, from: "09:00", to: "17:00", weekdays: ["FRI", "MON"] });
  assert.deepEqual(texts(office, 4, "2026-03-27T12:30:00Z"), [
    "2026-03-27T16:00:00",
    "2026-03-30T07:00:00",
    "2026-03-30T11:00:00",
    "2026-03-30T15:00:00",
  ]);
  assert.throws(() => dailyInterval("1h", { weekdays: [] }), { code: "NS_TRIGGER_INVALID" });
  assert.throws(() => dailyInterval("1h", { from: "9 o'clock" as "09:00" }), { code: "NS_TRIGGER_INVALID" });
});

test("a calendar that leaves everything out makes a trigger that never fires, at once", () => {
  const never = except(
    cron("* * * * * *"),
    chainedCalendar(weeklyCalendar(["MON", "TUE", "WED", "THU"]), weeklyCalendar(["FRI", "SAT", "SUN"])),
  );
  assert.equal(never.next(new Date("2026-01-01T00:00:00Z")), null);
  assert.equal(except(cron("* * * * *"), cronCalendar("* * * * *")).next(new Date("2026-01-01T00:00:00Z")), null);
});

test("jitter delays by at most its maximum, keeps the order, and is the same every time", () => {
  const base = cron("*/10 * * * *");
  const late = jitter(base, "5m", { key: "a" });
  const [from, to] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 2)];
  const delays = forwards(late, from, to).map((at) => at % 600_000);
  assert.ok(delays.every((delay) => delay <= 300_000));
  assert.ok(new Set(delays).size > 100);
  assert.notDeepEqual(
    delays,
    forwards(jitter(base, "5m", { key: "b" }), from, to).map((at) => at % 600_000),
  );
});

test("an open H waits for its key", () => {
  const open = cron("H H * * *");
  assert.throws(() => open.next(new Date()), { code: "NS_CRON_SYNTAX", message: /hashKey/ });
  assert.equal(String(withHashKey(open, "a")), String(cron("H H * * *", { hashKey: "a" })));
  assert.notEqual(String(withHashKey(open, "a")), String(withHashKey(open, "b")));
  const minutes = Array.from({ length: 600 }, (_, n) =>
    Number(String(cron("H * * * *", { hashKey: `job-${n}` })).split(" ")[0]),
  );
  assert.equal(new Set(minutes).size, 60, "600 keys use every minute");
});

test("what is not a stored trigger is refused", () => {
  assert.throws(() => triggerFromJSON({ type: "corn" }), {
    code: "NS_TRIGGER_INVALID",
    message: /Did you mean "cron"/,
  });
  assert.throws(() => triggerFromJSON({ type: "constructor" }), { code: "NS_TRIGGER_INVALID" });
  assert.throws(() => triggerFromJSON({ ...cron("0 3 * * *").toJSON(), tz: "UTC" }), { code: "NS_OPTION_UNKNOWN" });
  assert.throws(() => triggerFromJSON({ type: "any-of" }), { code: "NS_TRIGGER_INVALID", message: /got undefined/ });
  assert.throws(() => triggerFromJSON({ type: "cron" }), { code: "NS_CRON_SYNTAX", message: /got undefined/ });
  assert.throws(() => triggerFromJSON({ type: "recurrence" }), {
    code: "NS_RECURRENCE_SYNTAX",
    message: /got undefined/,
  });
  assert.throws(() => jitter(cron("0 3 * * *"), "5m", { kee: "" } as never), { code: "NS_OPTION_UNKNOWN" });
});

test("moments of Temporal come back as what they were", () => {
  class Instant {
    readonly epochMilliseconds: number;
    constructor(at: number) {
      this.epochMilliseconds = at;
    }
    static fromEpochMilliseconds(at: number) {
      return new Instant(at);
    }
  }
  const found = cron("0 3 * * *").next(new Instant(Date.UTC(2026, 0, 1)));
  assert.ok(found instanceof Instant);
  assert.equal(found.epochMilliseconds, Date.UTC(2026, 0, 1, 3));
  class ZonedDateTime {
    readonly epochMilliseconds: number;
    readonly timeZoneId: string;
    readonly calendarId: string;
    constructor(nanoseconds: bigint, timeZoneId: string, calendarId: string) {
      this.epochMilliseconds = Number(nanoseconds / 1_000_000n);
      this.timeZoneId = timeZoneId;
      this.calendarId = calendarId;
    }
  }
  const zoned = cron("0 3 * * *").previous(
    new ZonedDateTime(BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n, "Europe/Oslo", "iso8601"),
  );
  assert.equal(zoned?.timeZoneId, "Europe/Oslo");
  assert.equal(zoned?.epochMilliseconds, Date.UTC(2025, 11, 31, 3));
  assert.throws(() => cron("0 3 * * *").next(new Date("tomorrow")), { code: "NS_TIME_INVALID" });
});
