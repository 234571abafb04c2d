/** Days of the month, of the week and of years: random expressions of every dialect against a walk over every day. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CronDialect, cron } from "../../src/time/index.ts";
import { backwards, forwards, iso } from "./support/compare.ts";
import { type Random, seeded } from "./support/random.ts";

interface Part {
  readonly text: string;
  /** Whether it begins with a star or is a question mark. */
  readonly open: boolean;
  has(date: Date): boolean;
}

const DAY = 86_400_000;
const OPEN: Part = { text: "*", open: true, has: () => true };
const lastOf = (date: Date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
const weekdayOn = (date: Date, day: number) =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day)).getUTCDay();

/** The working day nearest to a day, by trying the days around it in order. */
function nearest(date: Date, day: number): number {
  for (const candidate of [day, day - 1, day + 1, day - 2, day + 2]) {
    const weekday = weekdayOn(date, candidate);
    if (candidate >= 1 && candidate <= lastOf(date) && weekday !== 0 && weekday !== 6) return candidate;
  }
  throw new RangeError("A month without working days.");
}

function dayPart(random: Random, dialect: CronDialect): Part {
  const n = 1 + random.below(31);
  switch (random.below(9)) {
    case 0:
      return { text: "L", open: false, has: (date) => date.getUTCDate() === lastOf(date) };
    case 1:
      return { text: `L-${n - 1}`, open: false, has: (date) => date.getUTCDate() === lastOf(date) - (n - 1) };
    case 2:
      return { text: "LW", open: false, has: (date) => date.getUTCDate() === nearest(date, lastOf(date)) };
    case 3: {
      const back = random.below(5);
      const has = (date: Date) => date.getUTCDate() === nearest(date, lastOf(date)) - back;
      return back === 0 ? OPEN : { text: `LW-${back}`, open: false, has };
    }
    case 4: {
      const has = (date: Date) => {
        if (n > lastOf(date)) return dialect === "quartz" && date.getUTCDate() === nearest(date, lastOf(date));
        return date.getUTCDate() === nearest(date, n);
      };
      return { text: `${n}W`, open: false, has };
    }
    case 5: {
      const step = 1 + random.below(15);
      return { text: `*/${step}`, open: true, has: (date) => (date.getUTCDate() - 1) % step === 0 };
    }
    case 6: {
      const to = 1 + random.below(31);
      const has = (date: Date) => {
        const day = date.getUTCDate();
        return n <= to ? day >= n && day <= to : day >= n || day <= to;
      };
      return { text: `${n}-${to}`, open: false, has };
    }
    default:
      return { text: `${n},13`, open: false, has: (date) => [n, 13].includes(date.getUTCDate()) };
  }
}

function weekdayPart(random: Random, dialect: CronDialect): Part {
  const day = random.below(7);
  const written = dialect === "quartz" ? day + 1 : day === 0 ? random.pick([0, 7]) : day;
  const name = ["SUN", "MON", "tue", "WED", "Thu", "FRI", "SAT"][day];
  switch (random.below(5)) {
    case 0: {
      const nth = 1 + random.below(5);
      const has = (date: Date) => date.getUTCDay() === day && Math.ceil(date.getUTCDate() / 7) === nth;
      return { text: `${written}#${nth}`, open: false, has };
    }
    case 1:
      return {
        text: `${written}L`,
        open: false,
        has: (date) => date.getUTCDay() === day && date.getUTCDate() > lastOf(date) - 7,
      };
    case 2: {
      const to = random.below(7);
      const has = (date: Date) => {
        const weekday = date.getUTCDay();
        return day <= to ? weekday >= day && weekday <= to : weekday >= day || weekday <= to;
      };
      return { text: `${name}-${["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"][to]}`, open: false, has };
    }
    default:
      return { text: String(random.pick([written, name])), open: false, has: (date) => date.getUTCDay() === day };
  }
}

function monthPart(random: Random): Part {
  if (random.below(2) === 0) return OPEN;
  const [from, to] = [1 + random.below(12), 1 + random.below(12)];
  const has = (date: Date) => {
    const month = date.getUTCMonth() + 1;
    return from <= to ? month >= from && month <= to : month >= from || month <= to;
  };
  return { text: `${from}-${to}`, open: false, has };
}

for (const dialect of ["unix", "cronos", "quartz"] as const) {
  test(`in the ${dialect} dialect, days are those that a walk over every day finds`, (t) => {
    const random = seeded(1_977);
    const [from, to] = [Date.UTC(2023, 0, 1), Date.UTC(2031, 0, 1)];
    let fires = 0;
    const expressions = 150;
    for (let n = 0; n < expressions; n++) {
      const silent = { ...OPEN, text: dialect === "unix" ? "*" : "?" };
      const which = random.below(3);
      const day = which === 0 ? silent : dayPart(random, dialect);
      const weekday = which === 1 || (dialect === "quartz" && day.text === "?") ? silent : weekdayPart(random, dialect);
      const [days, weekdays] =
        dialect === "quartz" && which === 0 ? [silent, weekdayPart(random, dialect)] : [day, weekday];
      const month = monthPart(random);
      const text = `${dialect === "quartz" ? "0 " : ""}0 0 ${days.text} ${month.text} ${weekdays.text}`;
      const says = (part: Part) => (dialect === "quartz" ? part.text !== "?" : !part.open);
      const either = dialect !== "cronos" && says(days) && says(weekdays);
      const expected: number[] = [];
      for (let at = from; at <= to; at += DAY) {
        const date = new Date(at);
        const matches = either ? days.has(date) || weekdays.has(date) : days.has(date) && weekdays.has(date);
        if (matches && month.has(date)) expected.push(at);
      }
      const trigger = cron(text, { dialect });
      assert.deepEqual(iso(forwards(trigger, from, to)), iso(expected), text);
      assert.deepEqual(iso(backwards(trigger, from, to)), iso(expected), `${text}, backwards`);
      assert.deepEqual(
        iso(forwards(cron(String(trigger).replace(/ \(.*/, ""), { dialect }), from, to)),
        iso(expected),
        `${trigger}`,
      );
      fires += expected.length;
    }
    t.diagnostic(`${expressions} expressions, ${fires} fire times`);
  });
}

test("years, leap days and the ends of time", () => {
  const next = (expression: string, from: string, dialect: CronDialect = "unix") =>
    cron(expression, { dialect }).next(new Date(from))?.toISOString().slice(0, 19) ?? null;
  assert.equal(next("0 0 29 2 *", "2096-03-01T00:00:00Z"), "2104-02-29T00:00:00", "2100 is no leap year");
  assert.equal(next("5 5 5 5 5", "2028-05-06T00:00:00Z", "cronos"), "2034-05-05T05:05:00");
  assert.equal(next("0 0 0 1 1 ? 2030,2040-2042", "2030-01-01T00:00:00Z", "quartz"), "2040-01-01T00:00:00");
  assert.equal(next("0 0 0 1 1 ? 2030", "2030-01-01T00:00:00Z", "quartz"), null);
  assert.equal(next("59 59 23 31 12 *", "9999-12-31T23:59:58Z"), "9999-12-31T23:59:59");
  assert.equal(next("* * * * * *", "9999-12-31T23:59:59Z"), null);
  assert.equal(next("59 23 31 12 *", "2026-12-31T23:59:00Z"), "2027-12-31T23:59:00", "the year's end");
  assert.equal(cron("0 0 1 1 *").previous(new Date("0001-01-01T00:00:00Z")), null);
});

test("an instant with a fraction of a second stands between two seconds", () => {
  const trigger = cron("* * * * * *");
  const at = new Date("2026-01-01T00:00:00.400Z");
  assert.equal(trigger.next(at)?.toISOString(), "2026-01-01T00:00:01.000Z");
  assert.equal(trigger.next(at, { inclusive: true })?.toISOString(), "2026-01-01T00:00:01.000Z");
  assert.equal(trigger.previous(at)?.toISOString(), "2026-01-01T00:00:00.000Z");
});

test("expressions that can never fire say so", () => {
  const never = [
    "0 0 30 2 *",
    "0 0 31 4,6,9,11 *",
    "* * 31 2 *",
    "* * L-30 11 *",
    "* * L-29 2 *",
    "* * 1 * SUN#2",
    "* * 1-28 * SUN#5",
    "* * 21 * 7L",
    "* * L * SUN#1",
    "* * L-3 * SUN#5",
    "* * 1W * SUN",
    "* * 5W * SAT",
    "* * 28W * SAT#5",
    "* * LW * 6L",
    "* * LW 3-12 4#4",
    "* * 29 2 MON#1",
  ];
  for (const expression of never) {
    const trigger = cron(expression, { dialect: "cronos", timeZone: "America/New_York" });
    assert.equal(trigger.next(new Date("2026-01-01T00:00:00Z")), null, expression);
    assert.equal(trigger.previous(new Date("2026-01-01T00:00:00Z")), null, expression);
  }
});
