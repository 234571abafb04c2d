/**
 * The quartz dialect against what the tests and the manual of Quartz expect of it. A selection, written anew: the facts,
 * not the code. What is read otherwise on purpose is at the end, and in the decision record on disagreements.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CronOptions, cron, type Trigger } from "../../src/time/index.ts";

const NEW_YORK = "America/New_York";

const make = (expression: string, options: CronOptions = {}): Trigger =>
  cron(expression as string, { dialect: "quartz", ...options });

const short = (at: Date | null | undefined) => at?.toISOString().replace(/:00\.000Z$/, "") ?? null;

/** The days of a month on which an expression fires at least once. */
function daysOf(expression: string, month: string): number[] {
  const trigger = make(expression);
  const days = new Set<number>();
  const [from, before] = [new Date(`${month}-01T00:00:00Z`), new Date(`${month}-01T00:00:00Z`)];
  before.setUTCMonth(before.getUTCMonth() + 1);
  for (let at = trigger.next(from, { inclusive: true }); at !== null && at < before; at = trigger.next(at)) {
    days.add(at.getUTCDate());
  }
  return [...days];
}

const EVERY_DAY = Array.from({ length: 31 }, (_, index) => index + 1);

/** October 2010 ends on a Sunday; June 2007 begins on a Friday. */
const MONTHS: readonly (readonly [expression: string, month: string, days: readonly number[]])[] = [
  ["0 15 10 L-2 * ? 2010", "2010-10", [29]],
  ["0 15 10 L-5W * ? 2010", "2010-10", [26]],
  ["0 15 10 L-1 * ? 2010", "2010-10", [30]],
  ["0 15 10 L-1W * ? 2010", "2010-10", [29]],
  ["0 15 10 6,15,LW * ? 2010", "2010-10", [6, 15, 29]],
  ["0 15 10 6,15,L * ? 2010", "2010-10", [6, 15, 31]],
  ["0 15 10 15,L-2 * ? 2010", "2010-10", [15, 29]],
  ["0 15 10 31,L-2 * ? 2010", "2010-10", [29, 31]],
  ["0 15 10 1,3,6,15,L * ? 2010", "2010-10", [1, 3, 6, 15, 31]],
  ["0 15 10 15,LW-2 * ? 2010", "2010-10", [15, 27]],
  ["0 15 10 LW-2 * ? 2010", "2010-10", [27]],
  ["0 15 10 LW-5 * ? 2010", "2010-10", [24]],
  ["0 15 10 LW-7 * ? 2010", "2010-10", [22]],
  ["0 15 10 LW-28 * ? 2010", "2010-10", [1]],
  ["0 15 10 LW-29 * ? 2010", "2010-10", [1]],
  ["0 15 10 LW-30 * ? 2010", "2010-10", [1]],
  ["0 15 10 5/5 * MON 2010", "2010-10", [4, 5, 10, 11, 15, 18, 20, 25, 30]],
  ["0 15 10 3 * MON,THU,FRI 2010", "2010-10", [1, 3, 4, 7, 8, 11, 14, 15, 18, 21, 22, 25, 28, 29]],
  ["0 15 10 1,2,3,4,5,6 * MON,THU,FRI 2010", "2010-10", [1, 2, 3, 4, 5, 6, 7, 8, 11, 14, 15, 18, 21, 22, 25, 28, 29]],
  ["0 15 10 * * MON,THU,FRI 2010", "2010-10", EVERY_DAY],
  ["0 15 10 1 * * 2010", "2010-10", EVERY_DAY],
  ["0 15 10 ? * L 2010", "2010-10", [2, 9, 16, 23, 30]],
  ["0 0 12 ? * MON-FRI", "2007-06", [1, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 25, 26, 27, 28, 29]],
  ["0 0 12 ? * FRI", "2007-06", [1, 8, 15, 22, 29]],
  ["0 0 12 L * ?", "2007-06", [30]],
  ["0 43 9 ? * 5L", "2007-06", [28]],
  ["58 5 21 ? * FRI-TUE", "2007-06", [1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19, 22, 23, 24, 25, 26, 29, 30]],
  ["58 5 21 ? * 6-2", "2007-06", [1, 2, 3, 4, 8, 9, 10, 11, 15, 16, 17, 18, 22, 23, 24, 25, 29, 30]],
  ["58 5 21 28-5 1 ?", "2008-01", [1, 2, 3, 4, 5, 28, 29, 30, 31]],
  ["0 30 10-13 ? * FRI#3", "2008-12", [19]],
  ["0 0 0 31W * ?", "2010-11", [30]],
  ["0 0 0 31W * ?", "2010-02", [26]],
  ["0 0 0 1W,15W * ?", "2010-05", [3, 14]],
  ["0 0 0 10W,LW-4 * ?", "2010-10", [11, 25]],
  ["0 0 0 L-5,L-1W * ?", "2010-10", [26, 29]],
  // The nearest working day stays in its month, and goes back over a Saturday, on over a Sunday.
  ["0 0 12 1W * ?", "2010-08", [2]],
  ["0 0 12 1W * ?", "2013-06", [3]],
  ["0 0 12 15W * ?", "2010-08", [16]],
  ["0 0 12 15W * ?", "2011-01", [14]],
  ["0 0 12 30W * ?", "2011-04", [29]],
  ["0 0 12 31W * ?", "2010-10", [29]],
  ["0 0 12 31W * ?", "2011-01", [31]],
  ["0 0 12 LW * ?", "2010-02", [26]],
  ["0 0 12 LW * ?", "2011-04", [29]],
  ["0 0 12 LW * ?", "2012-02", [29]],
  ["0 0 12 L * ?", "2024-02", [29]],
  ["0 0 12 L-3 * ?", "2024-02", [26]],
  // The nth and the last weekday, and the fifth in months without one.
  ["0 15 10 ? * 6#3", "2010-10", [15]],
  ["0 15 10 ? * 6#5", "2010-10", [29]],
  ["0 15 10 ? * 2#5", "2010-10", []],
  ["0 15 10 ? * 2#5", "2010-11", [29]],
  ["0 15 10 ? * 1#1", "2010-08", [1]],
  ["0 15 10 ? * 6L", "2010-10", [29]],
  ["0 15 10 ? * 1L", "2015-11", [29]],
  ["0 15 10 ? * SATL", "2012-02", [25]],
  // Steps and names.
  ["0 0 12 1/5 * ?", "2010-10", [1, 6, 11, 16, 21, 26, 31]],
  ["0 11 11 11 11 ?", "2010-11", [11]],
  ["0 11 11 11 11 ?", "2010-10", []],
  ["0 0 0 ? NOV SUN,SAT", "2010-11", [6, 7, 13, 14, 20, 21, 27, 28]],
];

test("the days of a month are those that Quartz fires on: L, W, lists with them, # and either of both day fields", (t) => {
  for (const [expression, month, days] of MONTHS) assert.deepEqual(daysOf(expression, month), days, expression);
  for (let weekday = 1; weekday <= 7; weekday++) {
    // January 2010 begins on a Friday, which is 6.
    assert.deepEqual(daysOf(`0 15 10 ? * ${weekday}#1 2010`, "2010-01"), [((weekday + 1) % 7) + 1]);
  }
  t.diagnostic(`${MONTHS.length + 7} months`);
});

/** What comes next after which moment, in UTC. */
const NEXT: readonly (readonly [expression: string, after: string, next: string | null])[] = [
  ["0 15 10 * * ? 2005", "2005-05-31T10:15", "2005-06-01T10:15"],
  ["0 15 10 * * ? 2005", "2005-12-31T10:15", null],
  ["0 15 10 ? * 6L 2002-2005", "2005-11-25T10:14", "2005-11-25T10:15"],
  ["0 15 10 ? * 6L 2002-2005", "2005-12-30T10:15", null],
  ["0 15 10 ? * 6L 2002-2005/3", "2002-12-27T10:15", "2005-01-28T10:15"],
  ["0 15 23 * * ?", "2005-06-01T23:16", "2005-06-02T23:15"],
  ["0 55 15 1 * ?", "2007-12-01T23:59:59", "2008-01-01T15:55"],
  ["0/5 * * * * ?", "2005-06-01T01:59:55", "2005-06-01T02:00"],
  ["* * 1 * * ?", "2005-07-31T22:59:57", "2005-08-01T01:00"],
  ["0 12 4 ? * 3", "2007-12-28T00:00", "2008-01-01T04:12"],
  ["0 0 0 29 * ?", "2009-01-30T00:00", "2009-03-29T00:00"],
  ["0 0 0 29 * ?", "2009-12-30T00:00", "2010-01-29T00:00"],
  ["0 5 13 5W 1-12 ?", "2009-03-08T00:00", "2009-04-06T13:05"],
  ["0 5 13 5W 1-12 ?", "2009-04-06T13:05", "2009-05-05T13:05"],
  ["0 0 0 L-2 * ? *", "2026-02-26T00:00", "2026-03-29T00:00"],
  ["0 0 0 LW * ? *", "2026-10-30T00:00", "2026-11-30T00:00"],
  ["0 0/5 14,18 * * ?", "2026-05-05T14:55", "2026-05-05T18:00"],
  ["0 10,44 14 ? 3 WED", "2026-03-25T14:44", "2027-03-03T14:10"],
  ["0 11 11 11 11 ?", "2026-11-26T00:00", "2027-11-11T11:11"],
  ["0 0 12 1/5 * ?", "2026-11-26T12:00", "2026-12-01T12:00"],
  ["58-4 5 21 ? * MON-FRI", "2026-11-27T21:05:04", "2026-11-27T21:05:58.000Z"],
  ["0 58-4 21 ? * MON-FRI", "2026-11-27T21:59", "2026-11-30T21:00"],
  ["0 0/5 21-3 ? * MON-FRI", "2026-11-27T23:55", "2026-11-30T00:00"],
  ["58 5 21 ? 11-2 FRI", "2026-02-27T22:00", "2026-11-06T21:05:58.000Z"],
  ["55-3 56-2 6 ? * FRI", "2026-11-27T06:02:59", "2026-11-27T06:56"],
  ["55-3 56-2 6 ? * FRI", "2026-11-27T06:59:59", "2026-12-04T06:00"],
  ["0 0 14-6 ? * FRI-MON", "2026-11-24T00:00", "2026-11-27T00:00"],
  ["0 0 18-21/1 ? * MON,TUE,WED,THU,FRI,SAT,SUN", "2026-11-26T21:00", "2026-11-27T18:00"],
  ["0 0 0 29 2 ? 2097-2099", "2026-01-01T00:00", null],
  [" 30 *   * * * ?  ", "2026-01-01T00:00", "2026-01-01T00:00:30.000Z"],
  ["0 0 * * * ?\t", "2026-01-01T00:00", "2026-01-01T01:00"],
  ["0 0/30 * * */2 ?", "2026-01-31T23:30", "2026-03-01T00:00"],
  ["0 /5 * * * ?", "2026-01-01T00:01", "2026-01-01T00:05"],
  ["/20 * * * * ?", "2026-01-01T00:00:20", "2026-01-01T00:00:40.000Z"],
  ["0 0 0 ? * /3", "2026-11-26T12:00", "2026-11-28T00:00"],
];

test("the next fire is that of Quartz: over the ends of days, months and years, in and after the years given", (t) => {
  for (const [expression, after, next] of NEXT) {
    assert.equal(short(make(expression).next(new Date(`${after}Z`))), next, `${expression} after ${after}`);
  }
  t.diagnostic(`${NEXT.length} fires`);
});

/** As above, in New York. */
const CHANGES: readonly (readonly [expression: string, after: string, next: string])[] = [
  ["0 15 15 5 11 ?", "2012-11-04T00:00Z", "2012-11-05T15:15-05:00"],
  ["0 0 0 ? * THU", "2012-11-04T00:00Z", "2012-11-08T00:00-05:00"],
  ["0 15 * * * ?", "2012-03-11T01:55-05:00", "2012-03-11T03:15-04:00"],
  ["0 30 2 * * ?", "2012-03-10T12:00-05:00", "2012-03-11T03:30-04:00"],
  ["0 30 2 * * ?", "2012-03-11T03:30-04:00", "2012-03-12T02:30-04:00"],
  ["0 30 1 * * ?", "2012-11-04T00:00-04:00", "2012-11-04T01:30-04:00"],
  ["0 30 1 * * ?", "2012-11-04T01:30-04:00", "2012-11-05T01:30-05:00"],
  ["0 0/30 * * * ?", "2012-11-04T01:30-04:00", "2012-11-04T01:00-05:00"],
  ["0 30 0-3 * * ?", "2012-11-04T01:30-04:00", "2012-11-04T01:30-05:00"],
  ["0 30 1,3 * * ?", "2012-11-04T01:30-04:00", "2012-11-04T03:30-05:00"],
];

test("around changes of clocks, what the clock jumps over moves by as much, and fixed times fire once", () => {
  for (const [expression, after, next] of CHANGES) {
    const trigger = make(expression, { timeZone: NEW_YORK });
    assert.deepEqual(trigger.next(new Date(after)), new Date(next), `${expression} after ${after}`);
  }
});

const STEPS = ["/120", "0/120", "/", "0/"];
const REFUSED: readonly string[] = [
  ...STEPS.map((text) => `${text} 0 8-18 ? * 2-6`),
  ...STEPS.map((text) => `0 ${text} 8-18 ? * 2-6`),
  ...STEPS.map((text) => `0 0 ${text} ? * 2-6`),
  ...STEPS.map((text) => `0 0 0 ${text} * 2-6`),
  ...STEPS.map((text) => `0 0 0 ? ${text} 2-6`),
  ...STEPS.map((text) => `0 0 0 ? * ${text}`),
  ...[0, 8, 14].map((weekday) => `0 15 10 ? * ${weekday}#1 2010`),
  ...[0, 6].map((nth) => `0 15 10 ? * 1#${nth} 2010`),
  ...["h", "?", "*"].map((more) => `0 0 * * * ?${more}`),
  ...["L 15 10 15 * ? 2010", "0 L 10 15 * ? 2010", "0 15 L 15 * ? 2010", "0 15 10 15 L ? 2010", "0 15 10 15 * ? L"],
  ...["* * * ? * *A&/5:", "* * * ? *14 ", " * * ? *A&/5 *", "* * ? */5 *", "* * ? */52 *", "0 0 15 ? * FRI*"],
  ...[
    "0 15 10 15,L-31 * ? 2010",
    "0/5 * * 32W 1 ?",
    " * * * * * 2026",
    "0 0 0 ? * ?",
    "0 0 0 * *",
    "",
    "0 0 0 1 1 ? 1969",
  ],
];

test("what Quartz refuses is refused", (t) => {
  for (const expression of REFUSED) {
    assert.throws(() => make(expression), { code: "NS_CRON_SYNTAX" }, JSON.stringify(expression));
  }
  t.diagnostic(`${REFUSED.length} expressions`);
});

test("where Quartz counts weeks from the last fire or refuses what has one meaning, this dialect does as its record says", () => {
  // There a step after a weekday's name is a number of weeks, which depends on where the search began.
  assert.deepEqual(daysOf("0 0 12 ? * FRI/2", "2007-06"), [1, 8, 15, 22, 29]);
  // There L stands with no other weekday, and (before version 4) only once among days of the month.
  assert.deepEqual(daysOf("0 43 9 ? * SUN,L", "2007-06"), [2, 3, 9, 10, 16, 17, 23, 24, 30]);
  assert.deepEqual(daysOf("0 15 10 L-1,L-2 * ? 2010", "2010-10"), [29, 30]);
});
