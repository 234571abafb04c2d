/** Calendars: what they leave out, in their own zone, and their stored forms. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  annualCalendar,
  type Calendar,
  calendarFromJSON,
  chainedCalendar,
  cron,
  cronCalendar,
  dailyCalendar,
  except,
  holidayCalendar,
  monthlyCalendar,
  nationalHolidays,
  weeklyCalendar,
} from "../../src/time/index.ts";
import { seeded } from "./support/random.ts";

const OSLO = { timeZone: "Europe/Oslo" };
const excludes = (calendar: Calendar, at: string) => calendar.excludes(new Date(at));

test("a weekly calendar leaves out days of its own zone; Saturday and Sunday when nothing is said", () => {
  const weekend = weeklyCalendar(undefined, OSLO);
  assert.equal(excludes(weekend, "2026-02-27T22:59:59.999Z"), false);
  assert.equal(excludes(weekend, "2026-02-27T23:00:00Z"), true);
  assert.equal(excludes(weekend, "2026-03-01T22:59:59.999Z"), true);
  assert.equal(excludes(weekend, "2026-03-01T23:00:00Z"), false);
});

test("monthly, annual and holiday calendars leave out their dates", () => {
  assert.equal(excludes(monthlyCalendar(["last"]), "2028-02-29T12:00:00Z"), true);
  assert.equal(excludes(monthlyCalendar(["last"]), "2028-02-28T12:00:00Z"), false);
  assert.equal(excludes(annualCalendar(["12-25"], OSLO), "2031-12-24T23:30:00Z"), true);
  assert.equal(excludes(annualCalendar(["02-29"]), "2027-03-01T00:00:00Z"), false);
  assert.equal(excludes(holidayCalendar(["2026-05-17"]), "2026-05-17T23:59:59Z"), true);
  assert.equal(excludes(holidayCalendar(["2026-05-17"]), "2027-05-17T12:00:00Z"), false);
});

test("a daily calendar leaves out a range that may pass midnight, or everything else", () => {
  const night = dailyCalendar({ from: "22:00", to: "06:00", ...OSLO });
  assert.equal(excludes(night, "2026-01-01T21:00:00Z"), true);
  assert.equal(excludes(night, "2026-01-01T04:59:59Z"), true);
  assert.equal(excludes(night, "2026-01-01T05:00:00Z"), false);
  const day = dailyCalendar({ from: "22:00", to: "06:00", invert: true, ...OSLO });
  assert.equal(excludes(day, "2026-01-01T21:00:00Z"), false);
  assert.equal(excludes(day, "2026-01-01T05:00:00Z"), true);
});

test("a cron calendar with five fields leaves out whole minutes", () => {
  const office = cronCalendar("* 9-16 * * MON-FRI");
  assert.equal(excludes(office, "2026-03-02T16:59:59.500Z"), true);
  assert.equal(excludes(office, "2026-03-02T17:00:00Z"), false);
  assert.equal(excludes(cronCalendar("0 0 12 * * *"), "2026-03-02T12:00:01Z"), false);
});

test("where an exclusion ends is the first instant that is not excluded, in every kind and around changes of clocks", () => {
  const calendars = [
    weeklyCalendar(undefined, OSLO),
    monthlyCalendar([28, 29, "last"], OSLO),
    annualCalendar(["03-29", "10-25"], OSLO),
    holidayCalendar(["2026-03-29", "2026-03-30"], OSLO),
    dailyCalendar({ from: "02:15", to: "02:45", ...OSLO }),
    dailyCalendar({ from: "01:30", to: "23:15", invert: true, ...OSLO }),
    cronCalendar("*/5 1-3 * * *", OSLO),
    chainedCalendar(dailyCalendar({ from: "00:00", to: "02:30", ...OSLO }), cronCalendar("* 2 * * SUN", OSLO)),
  ];
  const random = seeded(11);
  for (const calendar of calendars) {
    const every = except(cron("* * * * * *"), calendar);
    for (let n = 0; n < 200; n++) {
      const noon = random.pick([Date.UTC(2026, 2, 28, 12), Date.UTC(2026, 9, 24, 12)]);
      const at = new Date(noon + random.below(36 * 3_600) * 1_000);
      const next = every.next(at, { inclusive: true });
      const before = every.previous(at, { inclusive: true });
      assert.ok(next && before);
      assert.equal(calendar.excludes(next), false, `${calendar} at ${next.toISOString()}`);
      assert.equal(calendar.excludes(before), false, `${calendar} at ${before.toISOString()}`);
      for (let inside = before.getTime() + 1_000; inside < next.getTime(); inside += 61_000) {
        assert.equal(calendar.excludes(new Date(inside)), true, `${calendar} at ${new Date(inside).toISOString()}`);
      }
    }
  }
});

test("a stored calendar is the same calendar", () => {
  const all = chainedCalendar(
    weeklyCalendar(["FRI"], OSLO),
    monthlyCalendar([1, "last"]),
    annualCalendar(["01-01"]),
    holidayCalendar(["2026-05-17"]),
    dailyCalendar({ from: "22:00", to: "06:00", invert: true }),
    cronCalendar("* 9 * * *"),
    cronCalendar("0 0 12 ? * 1", { dialect: "quartz" }),
  );
  const revived = calendarFromJSON(JSON.parse(JSON.stringify(all)));
  assert.deepEqual(revived.toJSON(), all.toJSON());
  assert.equal(String(revived), String(all));
  assert.equal(revived.describe(), all.describe());
  assert.throws(() => calendarFromJSON({ type: "weakly" }), {
    code: "NS_CALENDAR_INVALID",
    message: /Did you mean "weekly"/,
  });
});

test("what a calendar gives away as JSON is no way back into it", () => {
  const calendar = monthlyCalendar([1]);
  (calendar.toJSON() as unknown as { days: number[] }).days.push(2);
  assert.equal(String(calendar), "monthly 1");
});

test("what a calendar cannot mean is refused", () => {
  assert.throws(() => weeklyCalendar(["MOM" as "MON"]), { code: "NS_CALENDAR_INVALID", message: /Did you mean "MON"/ });
  assert.throws(() => monthlyCalendar([32]), { code: "NS_CALENDAR_INVALID" });
  assert.throws(() => annualCalendar(["02-30"]), { code: "NS_CALENDAR_INVALID" });
  assert.throws(() => holidayCalendar(["2026-02-29"]), { code: "NS_CALENDAR_INVALID" });
  assert.throws(() => dailyCalendar({ from: "06:00", to: "06:00" }), { code: "NS_CALENDAR_INVALID" });
  assert.throws(() => cronCalendar("H * * * *"), { code: "NS_CALENDAR_INVALID" });
  assert.throws(() => weeklyCalendar(["MON"], { timeZone: "Europe/Olso" }), {
    code: "NS_TIME_ZONE_UNKNOWN",
    message: /Europe\/Oslo/,
  });
});

test("national holidays become a calendar of dates that needs no library", async () => {
  const norway = await nationalHolidays("NO", { from: 2026, to: 2027, ...OSLO });
  assert.equal(excludes(norway, "2026-05-17T10:00:00Z"), true, "Constitution Day");
  assert.equal(excludes(norway, "2026-04-03T10:00:00Z"), true, "Good Friday");
  assert.equal(excludes(norway, "2026-04-07T10:00:00Z"), false);
  assert.equal(norway.toJSON().type, "holiday");
  await assert.rejects(nationalHolidays("XX", { from: 2026, to: 2026 }), { code: "NS_CALENDAR_INVALID" });
});
