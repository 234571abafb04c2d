/**
 * The cronos dialect against what the tests of Hangfire's engine expect of it: which expressions it takes, when they
 * fire, which never do, and what happens around changes of clocks. A selection, written anew: the facts, not the code.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CronOptions, cron, type Trigger } from "../../src/time/index.ts";

const NEW_YORK = "America/New_York";

const make = (expression: string, options: CronOptions = {}): Trigger =>
  cron(expression as string, { dialect: "cronos", ...options });

/** From which reading of the clock (itself included) the next fire is which. Today is 2016-12-09 where no date is given. */
type Vectors = readonly (readonly [expression: string, fires: string])[];

const TIMES: Vectors = [
  ["* * * * * *", "17:35:00>17:35:00"],
  ["20 * * * * *", "17:35:00>17:35:20, 17:35:20>17:35:20, 17:35:40>17:36:20"],
  ["10-30 * * * * *", "17:35:09>17:35:10, 17:35:20>17:35:20, 17:35:30>17:35:30, 17:35:31>17:36:10"],
  ["*/20 * * * * *", "17:35:00>17:35:00, 17:35:11>17:35:20, 17:35:25>17:35:40, 17:35:59>17:36:00"],
  ["10/5 * * * * *", "17:35:00>17:35:10, 17:35:12>17:35:15, 17:35:59>17:36:10"],
  ["0 * * * * *", "17:35:59>17:36:00, 17:59:59>18:00:00"],
  ["5-8,19,20,35-41 * * * * *", "17:35:06>17:35:06, 17:35:18>17:35:19, 17:35:21>17:35:35, 17:35:42>17:36:05"],
  ["55-5 * * * * ?", "17:35:42>17:35:55, 17:35:57>17:35:57, 17:36:00>17:36:00, 17:36:05>17:36:05, 17:36:06>17:36:55"],
  ["57-5/3 * * * * ?", "17:36:06>17:36:57, 17:36:58>17:37:00, 17:37:01>17:37:03, 17:37:04>17:37:57"],
  ["59-58 * * * * ?", "17:37:04>17:37:04, 17:37:58>17:37:58, 17:37:59>17:37:59, 17:38:00>17:38:00"],
  ["12 * * * *", "15:05>15:12, 15:12>15:12, 15:59>16:12"],
  ["31-39 * * * *", "15:00>15:31, 15:31>15:31, 15:39>15:39, 15:59>16:31"],
  ["* * * * *", "17:35:01>17:36:00, 17:35:59>17:36:00, 17:36:00>17:36:00"],
  ["44 * * * *", "19:44:01>20:44:00, 19:44:59>20:44:00, 19:45:00>20:44:00"],
  ["51-4 * * * *", "17:35>17:51, 17:59>17:59, 18:00>18:00, 18:04>18:04, 18:05>18:51"],
  ["56-4/4 * * * *", "17:55>17:56, 17:57>18:00, 18:01>18:04, 18:05>18:56"],
  ["45-44 * * * *", "18:45>18:45, 18:59>18:59, 19:00>19:00, 19:44>19:44"],
  ["57,20/20,30/20,32-34/2,58 * * * *", "17:00>17:20, 17:21>17:30, 17:31>17:32, 17:33>17:34, 17:35>17:40"],
  ["57,20/20,30/20,32-34/2,58 * * * *", "17:41>17:50, 17:51>17:57, 17:58>17:58, 17:59>18:20"],
  ["* 11 * * *", "10:59>11:00, 11:30>11:30"],
  ["* 3-22 * * *", "01:40>03:00, 11:40>11:40"],
  ["* 4/5 * * *", "00:45>04:00, 04:14>04:14, 05:00>09:00"],
  ["* 3-5,10,11,13-17 * * *", "01:55>03:00, 06:10>10:00, 11:25>11:25, 12:30>13:00, 17:30>17:30"],
  ["* 23-3/2 * * *", "17:30>23:00, 00:30>01:00, 02:00>03:00, 04:00>23:00"],
  ["* 23-22 * * *", "22:10>22:10, 23:10>23:10, 00:10>00:10, 07:10>07:10"],
  ["? ? ? ? ? ?", "16:46>16:46"],
];

const DAYS: Vectors = [
  ["* * 9 * *", "2016-11-01>2016-11-09, 2016-11-09>2016-11-09, 2016-11-10>2016-12-09"],
  ["* * */4 * *", "2016-12-01>2016-12-01, 2016-12-02>2016-12-05, 2016-12-06>2016-12-09"],
  ["* * 16-23 * *", "2016-12-01>2016-12-16, 2016-12-23>2016-12-23, 2016-12-24>2017-01-16"],
  ["* * 5-8,19,20,28-29 * *", "2016-12-06>2016-12-06, 2016-12-09>2016-12-19, 2016-12-30>2017-01-05"],
  ["* * 5-8,19,20,29-30 * *", "2017-02-27>2017-03-05"],
  ["* * 30-31 * *", "2016-02-27>2016-03-30, 2017-02-27>2017-03-30"],
  ["0 0 31 * *", "2017-02-25>2017-03-31, 2017-04-01>2017-05-31"],
  ["* * 20-5/5 * *", "2017-05-21>2017-05-25, 2017-05-26>2017-05-30, 2017-06-01>2017-06-04, 2017-06-05>2017-06-20"],
  ["* * 20-5/5 * *", "2017-07-01>2017-07-04, 2018-02-26>2018-03-04"],
  ["0 0 29 2 *", "2016-03-10>2020-02-29"],
  ["* * * 11 *", "2016-10-09>2016-11-01, 2016-11-02>2016-11-02, 2016-12-02>2017-11-01"],
  ["* * * mar-dec *", "2016-02-09>2016-03-01, 2016-12-09>2016-12-09"],
  ["* * * */5 *", "2016-12-09>2017-01-01"],
  ["* * * 2-4,JUN,7,SEP-nov *", "2016-01-01>2016-02-01, 2016-05-20>2016-06-01, 2016-08-15>2016-09-01"],
  ["* * * 2-4,JUN,7,SEP-nov *", "2016-07-05>2016-07-05, 2016-12-01>2017-02-01"],
  ["* * * 12-2 *", "2016-05-19>2016-12-01, 2017-01-19>2017-01-19, 2017-02-19>2017-02-19, 2017-03-19>2017-12-01"],
  ["* * * 9-8/3 *", "2016-07-19>2016-09-01, 2016-10-19>2016-12-01, 2017-01-19>2017-03-01, 2017-04-19>2017-06-01"],
  ["* * * * 05", "2016-12-07>2016-12-09, 2016-12-09>2016-12-09, 2016-12-10>2016-12-16"],
  ["* * * * 3,5,7", "2016-12-10>2016-12-11, 2016-12-12>2016-12-14"],
  ["* * * * 4-07", "2016-12-08>2016-12-08, 2016-12-11>2016-12-11, 2016-12-12>2016-12-15"],
  ["* * * * tue/2", "2016-12-09>2016-12-10, 2016-12-11>2016-12-13"],
  ["* * * * FRI/3", "2016-12-03>2016-12-09"],
  ["* * * * */5", "2016-12-08>2016-12-09, 2016-12-10>2016-12-11, 2016-12-12>2016-12-16"],
  ["* * ? * thu-sun", "2016-12-09>2016-12-09, 2016-12-12>2016-12-15"],
  ["* * ? * sat-tue", "2016-12-10>2016-12-10, 2016-12-11>2016-12-11, 2016-12-13>2016-12-13, 2016-12-14>2016-12-17"],
  ["* * ? * sat-tue/2", "2016-12-10>2016-12-10, 2016-12-11>2016-12-12, 2016-12-13>2016-12-17"],
  ["0 0 11 12 0", "2016-12-07>2016-12-11"],
  ["0 0 11 12 7", "2016-12-09>2016-12-11"],
  ["0 0 11 12 sun", "2016-12-10>2016-12-11"],
  ["50-56 40-50 15-20 5-10 11,12 5,6,7", "2016-12-01>2016-12-09T15:40:50, 2016-12-09T15:40:57>2016-12-09T15:41:50"],
  ["50-56 40-50 15-20 5-10 11,12 5,6,7", "2016-12-09T15:51:56>2016-12-09T16:40:50"],
  [
    "50-56 40-50 15-20 5-10 11,12 5,6,7",
    "2016-12-09T21:50:56>2016-12-10T15:40:50, 2016-12-11T21:50:56>2017-11-05T15:40:50",
  ],
  ["5 18 13 * 5", "2016-01-01>2016-05-13T18:05, 2016-09-01>2017-01-13T18:05, 2017-02-01>2017-10-13T18:05"],
  ["0 0 * * *", "2017-12-31T23:59>2018-01-01, 2017-01-14T23:00>2017-01-15"],
  ["0 0 1 * *", "2016-02-10>2016-03-01, 2017-01-30>2017-02-01, 2017-04-10>2017-05-01"],
];

const SPECIAL_DAYS: Vectors = [
  ["* * L * *", "2016-02-05>2016-02-29, 2017-02-28>2017-02-28, 2016-04-05>2016-04-30, 2099-12-05>2099-12-31"],
  ["* * L-1 * *", "2016-01-29>2016-01-30, 2016-01-31>2016-02-28, 2017-02-01>2017-02-27, 2016-04-01>2016-04-29"],
  ["* * L-2 * *", "2016-01-30>2016-02-27, 2017-02-01>2017-02-26, 2016-12-30>2017-01-29"],
  ["* * L-28 * *", "2016-01-01>2016-01-03, 2016-04-01>2016-04-02, 2016-02-01>2016-02-01, 2017-02-01>2017-03-03"],
  ["* * L-29 * *", "2016-01-01>2016-01-02, 2016-04-01>2016-04-01, 2016-02-01>2016-03-02, 2017-02-01>2017-03-02"],
  ["* * L-30 * *", "2016-01-01>2016-01-01, 2016-04-01>2016-05-01, 2016-02-01>2016-03-01, 2017-02-01>2017-03-01"],
  ["* * * * 0L", "2017-01-01>2017-01-29, 2017-01-29>2017-01-29"],
  ["* * * * 7L", "2016-12-31>2017-01-29"],
  ["* * * * 1L", "2017-01-01>2017-01-30"],
  ["* * * * TUEL", "2017-01-01>2017-01-31"],
  ["* * * * wedl", "2017-01-01>2017-01-25"],
  ["* * * * 6L", "2017-01-01>2017-01-28"],
  ["* * * * SUN#1", "2016-12-10>2017-01-01, 2017-01-01>2017-01-01, 2017-02-01>2017-02-05"],
  ["* * * * 0#2", "2017-01-01>2017-01-08"],
  ["* * * * 5#3", "2017-01-01>2017-01-20, 2017-01-21>2017-02-17"],
  ["* * * * 2#5", "2017-02-01>2017-05-30"],
  ["* * 1W * *", "2017-01-01>2017-01-02, 2017-04-01>2017-04-03"],
  ["* * 7W * *", "2017-01-02>2017-01-06, 2017-01-07>2017-02-07"],
  ["* * 8W * *", "2017-01-02>2017-01-09"],
  ["* * 30W * *", "2017-04-27>2017-04-28, 2017-04-29>2017-05-30"],
  ["30 10 2W * *", "2017-04-01T12:00>2017-04-03T10:30, 2017-04-03T12:00>2017-05-02T10:30"],
  ["30,45 17 7W * *", "2017-01-06T17:45>2017-01-06T17:45"],
  ["30 17 30W * *", "2017-02-06>2017-03-30T17:30, 2017-04-28T17:45>2017-05-30T17:30"],
  ["30 17 31W * *", "2018-03-30T17:45>2018-05-31T17:30"],
  ["30 17 15W * *", "2016-12-30T17:45>2017-01-16T17:30"],
  ["30 17 27W * 1L", "2017-03-10T17:45>2017-03-27T17:30"],
  ["30 17 27w * 1#4", "2017-03-10T17:45>2017-03-27T17:30"],
  ["* * LW * *", "2017-01-01>2017-01-31, 2017-09-01>2017-09-29, 2017-09-30>2017-10-31, 2017-04-29>2017-05-31"],
  ["* * L-0W * *", "2016-02-01>2016-02-29, 2017-02-01>2017-02-28"],
  ["* * L-1W * *", "2017-01-01>2017-01-30, 2016-02-01>2016-02-29, 2017-02-01>2017-02-27"],
  ["* * L-2W * *", "2017-01-01>2017-01-30, 2016-02-01>2016-02-26, 2017-02-01>2017-02-27"],
  ["* * L-3W * *", "2017-01-01>2017-01-27, 2016-02-01>2016-02-26, 2017-02-01>2017-02-24"],
];

/** `text` on New York's clock, away from its changes: whichever of its offsets shows it. */
function onTheClock(text: string): Date {
  const [date, time = "00:00:00"] = text.includes("-") ? text.split("T") : ["2016-12-09", text];
  const wanted = `${date} ${time.length === 5 ? `${time}:00` : time}`;
  for (const offset of ["-05:00", "-04:00"]) {
    const at = new Date(`${wanted.replace(" ", "T")}${offset}`);
    if (at.toLocaleString("sv-SE", { timeZone: NEW_YORK }) === wanted) return at;
  }
  throw new RangeError(`${text} is not on the clock`);
}

function checkOnTheClock(vectors: Vectors): number {
  let count = 0;
  for (const [expression, fires] of vectors) {
    for (const fire of fires.split(", ")) {
      const [from = "", to = ""] = fire.split(">");
      const trigger = make(expression, { timeZone: NEW_YORK });
      assert.deepEqual(trigger.next(onTheClock(from), { inclusive: true }), onTheClock(to), `${expression}: ${fire}`);
      assert.deepEqual(
        trigger.previous(onTheClock(to), { inclusive: true }),
        onTheClock(to),
        `${expression} before ${to}`,
      );
      count++;
    }
  }
  return count;
}

test("seconds, minutes and hours fire when Hangfire's engine says so: lists, steps, ranges that wrap", (t) => {
  t.diagnostic(`${checkOnTheClock(TIMES)} fires`);
});

test("days, months and weekdays fire when Hangfire's engine says so, and both day fields must match", (t) => {
  t.diagnostic(`${checkOnTheClock(DAYS)} fires`);
});

test("L, L-n, LW, L-nW, nW, nL and n#k are the days that Hangfire's engine finds", (t) => {
  t.diagnostic(`${checkOnTheClock(SPECIAL_DAYS)} fires`);
});

/** Around a change of a clock: zone, expression, what comes next after (or with `=`: at or after) which moment. */
const CHANGES: readonly (readonly [timeZone: string, expression: string, fires: string])[] = [
  [NEW_YORK, "*/30 * * * *", "=2016-03-13T01:45-05>2016-03-13T03:00-04, 2016-03-13T01:30-05>2016-03-13T03:00-04"],
  [NEW_YORK, "1-58 */2 * * *", "=2016-03-13T01:59-05>2016-03-13T03:00-04, 2016-03-13T01:58-05>2016-03-13T03:00-04"],
  [NEW_YORK, "0,30 0-23/2 * * *", "2016-03-13T00:30-05>2016-03-13T03:00-04"],
  [NEW_YORK, "*/30 2 13 3 *", "2016-03-13T01:59-05>2016-03-13T03:00-04"],
  [NEW_YORK, "0,30 2 * * *", "2016-03-12T02:30-05>2016-03-13T03:00-04"],
  [NEW_YORK, "30 2 * * *", "2016-03-12T02:30-05>2016-03-13T03:00-04, 2016-03-13T03:00-04>2016-03-14T02:30-04"],
  [NEW_YORK, "0,59 * * * *", "=2016-03-13T01:59-05>2016-03-13T01:59-05, 2016-03-13T01:59-05>2016-03-13T03:00-04"],
  [NEW_YORK, "30 * * 3 SUN#2", "2016-03-13T01:59-05>2016-03-13T03:00-04"],
  [NEW_YORK, "*/30 */2 * * *", "=2016-11-06T01:30-04>2016-11-06T02:00-05"],
  [NEW_YORK, "0 2-3 * * *", "=2016-11-06T00:30-04>2016-11-06T02:00-05"],
  [NEW_YORK, "*/30 * * * *", "2016-11-06T01:30-04>2016-11-06T01:00-05, 2016-11-06T01:30-05>2016-11-06T02:00-05"],
  [NEW_YORK, "30 * * * *", "2016-11-06T01:30-04>2016-11-06T01:30-05, 2016-11-06T01:30-05>2016-11-06T02:30-05"],
  [NEW_YORK, "30 */1 * * *", "=2016-11-06T01:59-04>2016-11-06T01:30-05"],
  [NEW_YORK, "30 0/1 * * *", "2016-11-06T01:30-04>2016-11-06T01:30-05"],
  [NEW_YORK, "30 1-9 * * *", "2016-11-06T01:30-04>2016-11-06T01:30-05"],
  [NEW_YORK, "*/30 1 * * *", "2016-11-06T01:30-04>2016-11-06T01:00-05, =2016-11-06T01:20-05>2016-11-06T01:30-05"],
  [NEW_YORK, "0-30 1 * * *", "2016-11-06T01:59-04>2016-11-06T01:00-05, 2016-11-06T01:20-05>2016-11-06T01:21-05"],
  [
    NEW_YORK,
    "*/30 0 1 * * *",
    "2016-11-06T01:00:30-04>2016-11-06T01:00-05, 2016-11-06T01:00:30-05>2016-11-07T01:00-05",
  ],
  [
    NEW_YORK,
    "0-30 0 1 * * *",
    "=2016-11-06T01:00:31-04>2016-11-06T01:00-05, 2016-11-06T01:00-05>2016-11-06T01:00:01-05",
  ],
  [NEW_YORK, "0,30 1 * * *", "=2016-11-06T01:20-04>2016-11-06T01:30-04, 2016-11-06T01:30-04>2016-11-07T01:00-05"],
  [NEW_YORK, "0,30 1 * 1/2 *", "=2016-11-06T01:00-05>2016-11-07T01:00-05"],
  [NEW_YORK, "0,30 1 6/1 1-12 0/1", "2016-11-06T01:30-04>2016-11-07T01:00-05"],
  [NEW_YORK, "0 1 6 11 *", "2015-11-07T01:00-05>2016-11-06T01:00-04"],
  [NEW_YORK, "0 1 * 11 SUN#1", "2015-11-01T01:00-05>2016-11-06T01:00-04"],
  [NEW_YORK, "0 2 * * *", "2016-11-06T01:45-04>2016-11-06T02:00-05, 2016-11-06T01:45-05>2016-11-06T02:00-05"],
  [NEW_YORK, "59 59 1 * * *", "=2016-11-06T01:59:59.999-05>2016-11-07T01:59:59-05"],
  [
    NEW_YORK,
    "0 7 * * *",
    "=2020-05-20T07:00:00.001-04>2020-05-21T07:00-04, 2023-08-12T07:00:00.999-04>2023-08-13T07:00-04",
  ],
  [
    "Asia/Amman",
    "30 0 L * *",
    "2017-03-30T23:59:59.999+02>2017-03-31T01:00+03, =2017-03-31T01:00+03>2017-03-31T01:00+03",
  ],
  [
    "Asia/Amman",
    "30 0 L * *",
    "=2017-03-31T01:00:00.001+02>2017-04-30T00:30+03, =2014-10-31T00:30+02>2014-11-30T00:30+02",
  ],
  ["Asia/Amman", "30 0 LW * *", "=2018-03-29T23:59+02>2018-03-30T01:00+03, =2015-10-30T00:30+02>2015-11-30T00:30+02"],
  ["Asia/Amman", "30 0 LW * *", "=2015-10-30T00:30+03>2015-10-30T00:30+03"],
  ["Asia/Amman", "30 0 29 * *", "=2019-03-28T23:59+02>2019-03-29T01:00+03"],
  [
    "America/Santiago",
    "30 23 * * *",
    "2017-05-13T23:59:59.999-03>2017-05-14T23:30-04, =2017-05-14T00:00:00.001-04>2017-05-14T23:30-04",
  ],
  [
    "Australia/Lord_Howe",
    "*/30 * * * *",
    "=2017-10-01T01:45+10:30>2017-10-01T02:30+11, 2017-04-02T01:30+11>2017-04-02T01:30+10:30",
  ],
  ["Australia/Lord_Howe", "1-58 */2 * * *", "=2017-10-01T01:59+10:30>2017-10-01T02:30+11"],
  ["Australia/Lord_Howe", "0,30 2 1 10 *", "=2017-10-01T01:45+10:30>2017-10-01T02:30+11"],
  ["Australia/Lord_Howe", "30 * * 10 SUN#1", "=2017-10-01T01:59+10:30>2017-10-01T02:30+11"],
  ["Australia/Lord_Howe", "0 2-3 * * *", "=2017-04-02T00:30+11>2017-04-02T02:00+10:30"],
  ["Australia/Lord_Howe", "0-30 1 * * *", "=2017-04-02T01:59+11>2017-04-02T01:30+10:30"],
  [
    "Australia/Lord_Howe",
    "*/30 30 1 * * *",
    "=2017-04-02T01:30:31+11>2017-04-02T01:30+10:30, =2017-04-02T01:30:31+10:30>2017-04-03T01:30+10:30",
  ],
  [
    "Australia/Lord_Howe",
    "0,30 1 * * *",
    "=2017-04-02T01:20+11>2017-04-02T01:30+11, =2017-04-02T01:30+10:30>2017-04-03T01:00+10:30",
  ],
];

test("changes of clocks in New York, Amman, Santiago and on Lord Howe fall out as in Hangfire's engine", (t) => {
  const at = (text: string) => new Date(/[+-]\d\d$/.test(text) ? `${text}:00` : text);
  let count = 0;
  for (const [timeZone, expression, fires] of CHANGES) {
    for (const fire of fires.split(", ")) {
      const [from = "", to = ""] = fire.replace("=", "").split(">");
      const next = make(expression, { timeZone }).next(at(from), { inclusive: fire.startsWith("=") });
      assert.deepEqual(next, at(to), `${expression} in ${timeZone}: ${fire}`);
      count++;
    }
  }
  t.diagnostic(`${count} fires`);
});

/** Minutes and hours are stars; what is given is day of month, month and weekday. */
const NEVER = `30 2 *|30-31 2 *|31 2 *|31 4 *|31 6 *|31 9 *|31 11 *|L-30 11 *|L-29 2 *|L-30 2 *|1 * SUN#2|7 * SUN#2
  |1 * SUN#3|14 * SUN#3|21 * SUN#4|1 * SUN#5|28 * SUN#5|1-28 * SUN#5|8 * MON#1|31 * MON#1|15 * TUE#2|22 * WED#3
  |29 * THU#4|31 * THU#4|21 * 7L|11 * 0L|1 * 0L|L * SUN#1|L * SUN#3|L 1 SUN#4|L 3-12 SUN#4|L-2 4 SUN#5|L-3 * SUN#5
  |L-10 * SUN#4|1W * SUN|4W * 0|7W * 7|5W * SAT|14W * 6#2|7W * FRI#2|14W * TUE#3|11W * MON#3|28W * SAT#5|21W * 0L
  |19W * 1L|1W * 1L|21W * 2L|3W * 3L|4W * 4L|21W * 6L|21W * 7L|LW * SUN|LW * 0L|LW * SAT|LW * 6L|LW * 1#1|LW * 2#2
  |LW * 3#3|LW 1 4#4|LW 3-12 4#4`;

test("days that no calendar has give no fire, forwards and backwards, in under a millisecond of work", (t) => {
  const expressions = NEVER.split("|").map((days) => `* * ${days.trim()}`);
  const [from, before] = [new Date("1970-01-01T05:00Z"), new Date("2080-01-01T05:00Z")];
  const triggers = expressions.map((expression) => make(expression, { timeZone: NEW_YORK }));
  const begun = process.cpuUsage();
  for (const [index, trigger] of triggers.entries()) {
    assert.equal(trigger.next(from, { inclusive: true }), null, expressions[index]);
    assert.equal(trigger.previous(before), null, expressions[index]);
  }
  // Time of the processor, not of the clock: other processes do not count.
  const { user, system } = process.cpuUsage(begun);
  const each = (user + system) / 1000 / triggers.length / 2;
  assert.ok(each < 1, `${each} ms each`);
  t.diagnostic(`${triggers.length} expressions, ${(each * 1000).toFixed(1)} µs each`);
});

/** What no field, and which no field of a kind, may say. */
const REFUSED: readonly (readonly [
  field: "second" | "minute" | "hour" | "day" | "month" | "weekday",
  texts: string,
])[] = [
  ["second", "60 -1 - 5- , ,1 / */ 1/ 1/0 1/60 1/k 1k # *#1 0#2 L l W w LW lw 1/2147483648"],
  ["minute", "60 -1 - 7- , ,1 / */ 1/ 1/0 1/60 */60 1/k 1k # *#1 5#3 L l W w LW lw"],
  ["hour", "25 24 -1 - 0- , ,1 / 1/ 1/0 1/24 1/k 1k # *#2 10#1 L l W w LW lw"],
  [
    "day",
    "0 32 10-32 31-32 -1 - 8- , ,1 / 1/ 1/0 1/32 1/k 1m T MON mon # *#3 4#1 W w 1-2W 1,2W 1/2w 1-2/2W 1LW 1lw L-31 l-31",
  ],
  ["month", "0 13 -1 - 2- , ,1 / */ 1/ 1/0 1/13 1/k 1k # *#1 */2# 2#2 L l W w LW lw"],
  ["weekday", "8 -1 - 3- , ,1 / */ 1/ 1/0 1/8 # 0# 5#6 SUN#6 sun#6 SUN#050 0#0 SUT sut SU0 SUNDAY L l W w LW lw"],
];
const FIELDS = ["second", "minute", "hour", "day", "month", "weekday"] as const;

test("what Hangfire's engine refuses is refused, and the field is named", (t) => {
  let count = 0;
  for (const [field, texts] of REFUSED) {
    for (const text of texts.split(" ")) {
      const six = FIELDS.map((name) => (name === field ? text : "*"));
      for (const words of field === "second" ? [six] : [six, six.slice(1)]) {
        assert.throws(
          () => make(words.join(" ")),
          (error: { code?: string; details?: { field?: string } }) =>
            error.code === "NS_CRON_SYNTAX" && error.details?.field === field,
          words.join(" "),
        );
        count++;
      }
    }
  }
  const others = ["", " ", "* * *", "* * * *", "* * * * * * *", "SomeG@rbage"];
  const macros =
    "@ @invalid @yearl @every_hour @everysecond @@daily @ydaily @every_minsecond @annuall @dail @hour @week";
  for (const text of [...others, ...macros.split(" "), "@yearly !"]) {
    assert.throws(() => make(text), { code: "NS_CRON_SYNTAX" }, text);
    count++;
  }
  t.diagnostic(`${count} expressions`);
});

test("macros in any case and spaces of any kind around fields are taken", () => {
  const macros = "@every_second @every_minute @hourly @daily @midnight @weekly @monthly @yearly @annually".split(" ");
  for (const macro of macros) {
    assert.equal(String(make(`  ${macro.toUpperCase()}   `)), String(make(macro)));
  }
  const from = new Date("2016-03-18T12:00:00Z");
  for (const text of ["*\t*\t* * * *", " \t*\t*\t* * * *    ", "  @every_second "]) {
    assert.deepEqual(make(text).next(from, { inclusive: true }), from);
  }
});

test("moments within a second count as after it", () => {
  const second = new Date("2017-07-20T12:00:00Z");
  for (const inclusive of [true, false]) {
    assert.deepEqual(make("* * * * * *").next(new Date("2017-07-20T11:59:59.001Z"), { inclusive }), second);
    assert.deepEqual(make("* * * * * *").next(new Date("2017-07-20T11:59:59.999Z"), { inclusive }), second);
  }
});

test("the last second of the year 9999 is the last fire there is", () => {
  const last = new Date("9999-12-31T23:59:59Z");
  assert.deepEqual(make("* * * * * *").next(new Date(last.getTime() - 1)), last);
  assert.equal(make("* * * * * *").next(last), null);
});
