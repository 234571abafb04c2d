/** Every example of RFC 5545, section 3.8.5.3, as its text lists the fire times. All are at 09:00 in New York. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { recurrence } from "../../src/time/index.ts";
import { backwards } from "./support/compare.ts";

interface Example {
  readonly start: string;
  readonly rules: readonly string[];
  /** Year, then months with their days: `"1997: 9/2,12,22 10/2"`. */
  readonly dates: string;
  /** The list goes on after what is written. */
  readonly more?: boolean;
  readonly exclude?: readonly string[];
}

const run = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, n) => from + n * step).join(",");
const JANUARIES = [1998, 1999, 2000].map((year) => `${year}: 1/${run(1, 31)}`).join(" ");

const EXAMPLES: readonly Example[] = [
  { start: "1997-09-02", rules: ["FREQ=DAILY;COUNT=10"], dates: `1997: 9/${run(2, 11)}` },
  {
    start: "1997-09-02",
    rules: ["FREQ=DAILY;UNTIL=19971224T000000Z"],
    dates: `1997: 9/${run(2, 30)} 10/${run(1, 31)} 11/${run(1, 30)} 12/${run(1, 23)}`,
  },
  {
    start: "1997-09-02",
    rules: ["FREQ=DAILY;INTERVAL=2"],
    dates: `1997: 9/${run(2, 30, 2)} 10/${run(2, 30, 2)} 11/${run(1, 29, 2)} 12/1,3`,
    more: true,
  },
  { start: "1997-09-02", rules: ["FREQ=DAILY;INTERVAL=10;COUNT=5"], dates: "1997: 9/2,12,22 10/2,12" },
  {
    start: "1998-01-01",
    rules: [
      "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
      "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
    ],
    dates: JANUARIES,
  },
  { start: "1997-09-02", rules: ["FREQ=WEEKLY;COUNT=10"], dates: "1997: 9/2,9,16,23,30 10/7,14,21,28 11/4" },
  {
    start: "1997-09-02",
    rules: ["FREQ=WEEKLY;UNTIL=19971224T000000Z"],
    dates: "1997: 9/2,9,16,23,30 10/7,14,21,28 11/4,11,18,25 12/2,9,16,23",
  },
  {
    start: "1997-09-02",
    rules: ["FREQ=WEEKLY;INTERVAL=2;WKST=SU"],
    dates: "1997: 9/2,16,30 10/14,28 11/11,25 12/9,23 1998: 1/6,20 2/3,17",
    more: true,
  },
  {
    start: "1997-09-02",
    rules: ["FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH"],
    dates: "1997: 9/2,4,9,11,16,18,23,25,30 10/2",
  },
  {
    start: "1997-09-01",
    rules: ["FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR"],
    dates: "1997: 9/1,3,5,15,17,19,29 10/1,3,13,15,17,27,29,31 11/10,12,14,24,26,28 12/8,10,12,22",
  },
  {
    start: "1997-09-02",
    rules: ["FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH"],
    dates: "1997: 9/2,4,16,18,30 10/2,14,16",
  },
  {
    start: "1997-09-05",
    rules: ["FREQ=MONTHLY;COUNT=10;BYDAY=1FR"],
    dates: "1997: 9/5 10/3 11/7 12/5 1998: 1/2 2/6 3/6 4/3 5/1 6/5",
  },
  {
    start: "1997-09-05",
    rules: ["FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR"],
    dates: "1997: 9/5 10/3 11/7 12/5",
  },
  {
    start: "1997-09-07",
    rules: ["FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU"],
    dates: "1997: 9/7,28 11/2,30 1998: 1/4,25 3/1,29 5/3,31",
  },
  {
    start: "1997-09-22",
    rules: ["FREQ=MONTHLY;COUNT=6;BYDAY=-2MO"],
    dates: "1997: 9/22 10/20 11/17 12/22 1998: 1/19 2/16",
  },
  {
    start: "1997-09-28",
    rules: ["FREQ=MONTHLY;BYMONTHDAY=-3"],
    dates: "1997: 9/28 10/29 11/28 12/29 1998: 1/29 2/26",
    more: true,
  },
  {
    start: "1997-09-02",
    rules: ["FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15"],
    dates: "1997: 9/2,15 10/2,15 11/2,15 12/2,15 1998: 1/2,15",
  },
  {
    start: "1997-09-30",
    rules: ["FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1"],
    dates: "1997: 9/30 10/1,31 11/1,30 12/1,31 1998: 1/1,31 2/1",
  },
  {
    start: "1997-09-10",
    rules: ["FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15"],
    dates: "1997: 9/10,11,12,13,14,15 1999: 3/10,11,12,13",
  },
  {
    start: "1997-09-02",
    rules: ["FREQ=MONTHLY;INTERVAL=2;BYDAY=TU"],
    dates: "1997: 9/2,9,16,23,30 11/4,11,18,25 1998: 1/6,13,20,27 3/3,10,17,24,31",
    more: true,
  },
  {
    start: "1997-06-10",
    rules: ["FREQ=YEARLY;COUNT=10;BYMONTH=6,7"],
    dates: [1997, 1998, 1999, 2000, 2001].map((year) => `${year}: 6/10 7/10`).join(" "),
  },
  {
    start: "1997-03-10",
    rules: ["FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3"],
    dates: "1997: 3/10 1999: 1/10 2/10 3/10 2001: 1/10 2/10 3/10 2003: 1/10 2/10 3/10",
  },
  {
    start: "1997-01-01",
    rules: ["FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200"],
    dates: "1997: 1/1 4/10 7/19 2000: 1/1 4/9 7/18 2003: 1/1 4/10 7/19 2006: 1/1",
  },
  { start: "1997-05-19", rules: ["FREQ=YEARLY;BYDAY=20MO"], dates: "1997: 5/19 1998: 5/18 1999: 5/17", more: true },
  {
    start: "1997-05-12",
    rules: ["FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"],
    dates: "1997: 5/12 1998: 5/11 1999: 5/17",
    more: true,
  },
  {
    start: "1997-03-13",
    rules: ["FREQ=YEARLY;BYMONTH=3;BYDAY=TH"],
    dates: "1997: 3/13,20,27 1998: 3/5,12,19,26 1999: 3/4,11,18,25",
    more: true,
  },
  {
    start: "1997-06-05",
    rules: ["FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8"],
    dates: "1997: 6/5,12,19,26 7/3,10,17,24,31 8/7,14,21,28 1998: 6/4,11,18,25 7/2,9,16,23,30 8/6,13,20,27",
    more: true,
  },
  {
    start: "1997-09-02",
    rules: ["FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"],
    exclude: ["1997-09-02T09:00:00"],
    dates: "1998: 2/13 3/13 11/13 1999: 8/13 2000: 10/13",
    more: true,
  },
  {
    start: "1997-09-13",
    rules: ["FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13"],
    dates: "1997: 9/13 10/11 11/8 12/13 1998: 1/10 2/7 3/7 4/11 5/9 6/13",
    more: true,
  },
  {
    start: "1996-11-05",
    rules: ["FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8"],
    dates: "1996: 11/5 2000: 11/7 2004: 11/2",
    more: true,
  },
  {
    start: "1997-09-04",
    rules: ["FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3"],
    dates: "1997: 9/4 10/7 11/6",
  },
  {
    start: "1997-09-29",
    rules: ["FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2"],
    dates: "1997: 9/29 10/30 11/27 12/30 1998: 1/29 2/26 3/30",
    more: true,
  },
  {
    start: "1997-08-05",
    rules: ["FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO"],
    dates: "1997: 8/5,10,19,24",
  },
  {
    start: "1997-08-05",
    rules: ["FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU"],
    dates: "1997: 8/5,17,19,31",
  },
  {
    start: "2007-01-15",
    rules: ["FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5"],
    dates: "2007: 1/15,30 2/15 3/15,30",
  },
];

const OFFICE = "9,10,11,12,13,14,15,16";
const TIMES: readonly {
  readonly rules: readonly string[];
  readonly times: readonly string[];
  readonly more?: boolean;
}[] = [
  // The RFC prints UNTIL=19970902T170000Z, which would end at 13:00 in New York: erratum 3883.
  { rules: ["FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z"], times: ["02T09:00", "02T12:00", "02T15:00"] },
  {
    rules: ["FREQ=MINUTELY;INTERVAL=15;COUNT=6"],
    times: ["02T09:00", "02T09:15", "02T09:30", "02T09:45", "02T10:00", "02T10:15"],
  },
  { rules: ["FREQ=MINUTELY;INTERVAL=90;COUNT=4"], times: ["02T09:00", "02T10:30", "02T12:00", "02T13:30"] },
  {
    rules: [`FREQ=DAILY;BYHOUR=${OFFICE};BYMINUTE=0,20,40`, `FREQ=MINUTELY;INTERVAL=20;BYHOUR=${OFFICE}`],
    times: ["02", "03"].flatMap((day) =>
      OFFICE.split(",").flatMap((hour) =>
        ["00", "20", "40"].map((minute) => `${day}T${hour.padStart(2, "0")}:${minute}`),
      ),
    ),
    more: true,
  },
];

const two = (n: string) => n.padStart(2, "0");

/** `"1997-09-02"` and so on. */
function datesOf(text: string): string[] {
  let year = "";
  return text.split(" ").flatMap((word) => {
    if (word.endsWith(":")) {
      year = word.slice(0, -1);
      return [];
    }
    const [month = "", days = ""] = word.split("/");
    return days.split(",").map((day) => `${year}-${two(month)}-${two(day)}`);
  });
}

const LOCAL = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "America/New_York",
  dateStyle: "short",
  timeStyle: "short",
});
const localOf = (at: Date) => LOCAL.format(at).replace(" ", "T");

function check(
  rule: string,
  start: string,
  expected: readonly string[],
  more = false,
  exclude?: readonly string[],
): void {
  const trigger = recurrence(rule, { start, timeZone: "America/New_York", ...(exclude ? { exclude } : {}) });
  const from = new Date("1990-01-01T00:00:00Z");
  const found = trigger.upcoming(expected.length + 1, from);
  assert.deepEqual(found.slice(0, expected.length).map(localOf), expected, rule);
  assert.equal(found.length > expected.length, more, `${rule} ${more ? "goes on" : "ends"}`);
  const [first, last] = [found[0], found.at(-1)];
  assert.ok(first && last);
  assert.deepEqual(
    backwards(trigger, first.getTime(), last.getTime()),
    found.map((at) => at.getTime()),
    `${rule}, backwards`,
  );
}

test("the examples of RFC 5545 fire on the days that it lists, forwards and backwards", () => {
  for (const { start, rules, dates, more, exclude } of EXAMPLES) {
    const expected = datesOf(dates).map((date) => `${date}T09:00`);
    for (const rule of rules) check(rule, `${start}T09:00:00`, expected, more, exclude);
  }
});

test("the examples of RFC 5545 fire at the hours and minutes that it lists", () => {
  for (const { rules, times, more } of TIMES) {
    for (const rule of rules)
      check(
        rule,
        "1997-09-02T09:00:00",
        times.map((time) => `1997-09-${time}`),
        more,
      );
  }
});
