/** Triggers of every kind without what calendars of every kind leave out, around changes of clocks, each in a zone of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  annualCalendar,
  type Calendar,
  calendarInterval,
  cron,
  cronCalendar,
  dailyCalendar,
  dailyInterval,
  except,
  interval,
  monthlyCalendar,
  type TimeOfDay,
  type Trigger,
  triggerFromJSON,
  weeklyCalendar,
} from "../../src/time/index.ts";

const zone = fc.constantFrom(
  ...["UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Amman"],
  ...["Pacific/Apia", "America/St_Johns", "Asia/Kathmandu", "Atlantic/Azores", "Africa/Cairo", "America/Santiago"],
);
const minutes = fc.integer({ min: 0, max: 1_439 });
const clock = (minute: number) => {
  const [hour, rest] = [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0"));
  return `${hour}:${rest}` as TimeOfDay;
};
const window = fc.tuple(minutes, minutes).filter(([from, to]) => from < to);
const between = window.map(([from, to]) => ({ from: clock(from), to: clock(to) }));

const expression = fc.constantFrom(
  ...["*/7 * * * *", "30 2 * * *", "0 * * * *", "15,45 1-3 * * *", "0 0 * * *", "0 0 L * *", "0 12 * * MON#2"],
) as fc.Arbitrary<string>;

const trigger: fc.Arbitrary<Trigger> = fc.oneof(
  fc
    .tuple(expression, zone, fc.constantFrom("end", "shift", "skip"))
    .map(([text, timeZone, gap]) => cron(text, { timeZone, gap })),
  fc
    .integer({ min: 1, max: 400 })
    .map((every) => interval(every * 60_000, { start: new Date("2025-12-31T23:30:00Z") })),
  fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom("hour", "day", "week", "month"), zone)
    .map(([every, unit, timeZone]) => calendarInterval(every, unit, { start: "2025-01-31T02:30:00", timeZone })),
  fc
    .tuple(fc.integer({ min: 5, max: 200 }), between, zone)
    .map(([every, when, timeZone]) => dailyInterval(every * 60_000, { ...when, timeZone })),
);

const calendar: fc.Arbitrary<Calendar> = fc.oneof(
  zone.map((timeZone) => weeklyCalendar(["SAT", "SUN"], { timeZone })),
  fc.tuple(between, zone, fc.boolean()).map(([when, timeZone, invert]) => dailyCalendar({ ...when, timeZone, invert })),
  zone.map((timeZone) => monthlyCalendar([1, 15, 31], { timeZone })),
  zone.map((timeZone) => annualCalendar(["03-29", "10-25", "11-01"], { timeZone })),
  fc
    .tuple(fc.constantFrom("* 0-3 * * *", "*/2 * * * *", "* * * * SUN") as fc.Arbitrary<string>, zone)
    .map(([text, timeZone]) => cronCalendar(text, { timeZone })),
);

/** Days of 2026 near which some of the zones change their clocks. */
const DAYS = ["02-15", "03-08", "03-22", "03-29", "04-05", "04-24", "09-06", "10-25", "10-29", "11-01"];

test("what calendars leave to a trigger is what is left when each of its times is asked, forwards, backwards and from JSON", () => {
  fc.assert(
    fc.property(
      trigger,
      fc.array(calendar, { minLength: 1, maxLength: 2 }),
      fc.constantFrom(...DAYS),
      fc.integer({ min: -40, max: 40 }),
      (raw, calendars, day, hours) => {
        const from = new Date(Date.parse(`2026-${day}T00:00:00Z`) + hours * 3_600_000);
        const left = calendars.reduce(except, raw);
        const wanted: Date[] = [];
        let steps = 0;
        for (
          let at = raw.next(from, { inclusive: true });
          at && wanted.length < 15 && steps++ < 3_000;
          at = raw.next(at)
        ) {
          if (!calendars.some((each) => each.excludes(at as Date))) wanted.push(at);
        }
        assert.deepEqual(left.upcoming(wanted.length, from, { inclusive: true }), wanted);
        for (const [index, at] of wanted.entries()) {
          assert.deepEqual(left.previous(at, { inclusive: true }), at);
          if (index > 0) assert.deepEqual(left.previous(at), wanted[index - 1]);
        }
        const again = triggerFromJSON(JSON.parse(JSON.stringify(left)));
        assert.deepEqual(again.upcoming(wanted.length, from, { inclusive: true }), wanted);
      },
    ),
    { numRuns: 300 },
  );
});
