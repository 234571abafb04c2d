/**
 * The cron engine beside croner and cron-parser: equal where all agree, and different where the decision record on
 * disagreements says so.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CronExpressionParser } from "cron-parser";
import { Cron } from "croner";
import { cron } from "../../src/time/index.ts";
import { iso } from "./support/compare.ts";
import { type Random, seeded } from "./support/random.ts";

function croner(expression: string, timeZone: string, from: Date, count: number): number[] {
  const runs = new Cron(expression, { timezone: timeZone, paused: true }).nextRuns(count, from);
  return runs.map((at) => at.getTime());
}

function cronParser(expression: string, timeZone: string, from: Date, count: number): number[] {
  const parsed = CronExpressionParser.parse(expression, { tz: timeZone, currentDate: from });
  return Array.from({ length: count }, () => parsed.next().getTime());
}

function ours(expression: string, timeZone: string, from: Date, count: number): number[] {
  return cron(expression, { timeZone })
    .upcoming(count, from)
    .map((at) => at.getTime());
}

function field(random: Random, min: number, max: number): string {
  const from = min + random.below(max - min + 1);
  switch (random.below(5)) {
    case 0:
      return `*/${1 + random.below(Math.min(20, max - 1))}`;
    case 1:
      return `${from}-${from + random.below(max - from + 1)}`;
    case 2:
      return `${min}-${max}/${1 + random.below(5)}`;
    case 3:
      return [...new Set([from, min + random.below(max - min + 1)])].join(",");
    default:
      return String(from);
  }
}

/** An expression that all three read alike: only one of the two day fields says anything. */
function expression(random: Random): string {
  const star = (text: () => string) => (random.below(2) === 0 ? "*" : text());
  const days = random.below(3);
  const day = days === 1 ? random.pick([field(random, 1, 28), "L"]) : "*";
  const weekday = days === 2 ? random.pick([field(random, 0, 6), "5L", "1#2", "MON-FRI", "7"]) : "*";
  return `${star(() => field(random, 0, 59))} ${star(() => field(random, 0, 23))} ${day} ${star(() => field(random, 1, 12))} ${weekday}`;
}

test("croner and cron-parser find the same fire times where no clock changes", (t) => {
  const random = seeded(99);
  let [expressions, fires] = [0, 0];
  for (let n = 0; n < 150; n++) {
    const text = expression(random);
    for (const timeZone of ["UTC", "Asia/Tokyo"]) {
      const from = new Date(
        Date.UTC(2020 + random.below(10), random.below(12), 1 + random.below(28), random.below(24), random.below(60)),
      );
      const found = ours(text, timeZone, from, 12);
      assert.deepEqual(iso(found), iso(croner(text, timeZone, from, 12)), `${text} in ${timeZone}, croner`);
      assert.deepEqual(iso(found), iso(cronParser(text, timeZone, from, 12)), `${text} in ${timeZone}, cron-parser`);
      expressions++;
      fires += found.length;
    }
  }
  t.diagnostic(`${expressions} expressions, ${fires} fire times, two libraries`);
});

const SPRING = new Date("2026-03-08T05:59:00Z");
const AUTUMN = new Date("2026-11-01T03:59:00Z");

test("around changes of the clock the three differ in the ways that are written down, and only those", () => {
  type Find = (expression: string, timeZone: string, from: Date, count: number) => number[];
  const on = (find: Find, text: string, from: Date) =>
    iso(find(text, "America/New_York", from, 8).filter((at) => at < from.getTime() + 6 * 3_600_000)).map((at) =>
      at.slice(11, 16),
    );
  const table: readonly (readonly [string, Date, string[], string[], string[]])[] = [
    // expression, from, ours, croner, cron-parser
    ["30 2 * * *", SPRING, ["07:00"], ["07:00"], ["07:30"]],
    ["*/15 2 * * *", SPRING, ["07:00"], [], ["07:00", "07:15", "07:30", "07:45"]],
    ["20 2,3 * * *", SPRING, ["07:00", "07:20"], ["07:20"], ["07:20"]],
    ["0 2-4 * * *", SPRING, ["07:00", "08:00"], ["07:00", "08:00"], ["07:00", "08:00"]],
    ["30 1 * * *", AUTUMN, ["05:30"], ["05:30"], ["05:30"]],
    [
      "*/30 1 * * *",
      AUTUMN,
      ["05:00", "05:30", "06:00", "06:30"],
      ["05:00", "05:30", "06:00", "06:30"],
      ["05:00", "05:30"],
    ],
    [
      "30 0-2 * * *",
      AUTUMN,
      ["04:30", "05:30", "06:30", "07:30"],
      ["04:30", "05:30", "06:30", "07:30"],
      ["04:30", "05:30", "07:30"],
    ],
  ];
  for (const [text, from, mine, hers, his] of table) {
    assert.deepEqual(on(ours, text, from), mine, `${text}, ours`);
    assert.deepEqual(on(croner, text, from), hers, `${text}, croner`);
    assert.deepEqual(on(cronParser, text, from), his, `${text}, cron-parser`);
  }
});

test("a day of month with a star and a step is joined to the weekday by AND, as cron daemons do", () => {
  const from = new Date("2026-01-01T00:00:00Z");
  const days = (find: typeof ours) => iso(find("0 0 */10 * 1", "UTC", from, 2)).map((at) => at.slice(0, 10));
  assert.deepEqual(days(ours), ["2026-05-11", "2026-06-01"]);
  assert.deepEqual(days(croner), ["2026-01-05", "2026-01-11"]);
  assert.deepEqual(days(cronParser), ["2026-01-05", "2026-01-11"]);
});
