/** Recurrence rules against another library, on random rules. Where the two differ is written in docs/decisions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RRuleTemporal } from "rrule-temporal";
import { recurrence } from "../../src/time/index.ts";
import { backwards, iso } from "./support/compare.ts";
import { type Random, seeded } from "./support/random.ts";

const DAYS = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

function some(random: Random, min: number, max: number, signed = false): string {
  const one = () => (signed && random.below(3) === 0 ? -1 : 1) * (min + random.below(max - min + 1));
  return [...new Set(Array.from({ length: 1 + random.below(3) }, one))].join(",");
}

const LONG = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY"] as const;

/** A random rule. The two libraries count hours and minutes differently where clocks change, so that is for UTC. */
function rule(random: Random, short: boolean): string {
  const freq = random.pick(short ? ([...LONG, "HOURLY", "MINUTELY"] as const) : LONG);
  const parts = [`FREQ=${freq}`, `INTERVAL=${1 + random.below(freq === "YEARLY" ? 3 : 5)}`];
  const maybe = (part: () => string) => random.below(3) === 0 && parts.push(part());
  const long = freq === "YEARLY" || freq === "MONTHLY";
  maybe(() => `BYMONTH=${some(random, 1, 12)}`);
  if (freq === "YEARLY" && random.below(4) === 0) parts.push(`BYWEEKNO=${some(random, 1, 52, true)}`);
  else if (freq === "YEARLY") maybe(() => `BYYEARDAY=${some(random, 1, 365, true)}`);
  // The other library reads only one of these parts of a yearly rule; RFC 5545 lets each limit the others.
  const byYearDay = parts.some((part) => part.startsWith("BYYEARDAY"));
  const byWeekNo = parts.some((part) => part.startsWith("BYWEEKNO"));
  if (freq !== "WEEKLY" && !byYearDay && !byWeekNo) maybe(() => `BYMONTHDAY=${some(random, 1, 28, true)}`);
  const byMonthDay = freq === "YEARLY" && parts.some((part) => part.startsWith("BYMONTHDAY"));
  if (!byYearDay)
    maybe(() => {
      const numbered = long && !byWeekNo && !byMonthDay && random.below(2) === 0;
      const day = () => `${numbered ? random.pick(["1", "2", "-1", "4"]) : ""}${random.pick(DAYS)}`;
      return `BYDAY=${[...new Set(Array.from({ length: 1 + random.below(3) }, day))].join(",")}`;
    });
  maybe(() => `BYHOUR=${some(random, 0, 23)}`);
  maybe(() => `BYMINUTE=${some(random, 0, 59)}`);
  const chosen = parts.some((part) => part.startsWith("BY"));
  if (chosen && long && random.below(4) === 0) parts.push(`BYSETPOS=${some(random, 1, 3, true)}`);
  if (random.below(3) === 0) parts.push(`WKST=${random.pick(DAYS)}`);
  return parts.join(";");
}

/** What the other library finds; nothing for rules so sparse that it gives up. */
function oracle(text: string, dtstart: string): number[] {
  try {
    const rule = new RRuleTemporal({ rruleString: `DTSTART${dtstart}\nRRULE:${text};COUNT=12`, maxIterations: 2_000 });
    return rule.all().map((at) => at.epochMilliseconds);
  } catch (error) {
    if (error instanceof Error && error.message.includes("Maximum iterations")) return [];
    throw error;
  }
}

for (const timeZone of ["UTC", "America/New_York"]) {
  test(`random rules in ${timeZone} give the fire times that another library gives`, (t) => {
    const random = seeded(5_545);
    let [rules, fires] = [0, 0];
    while (rules < 150) {
      const text = rule(random, timeZone === "UTC");
      const [year, month, day] = [1997 + random.below(30), 1 + random.below(12), 1 + random.below(28)];
      const start = new Date(Date.UTC(year, month - 1, day, random.below(24), random.below(60)))
        .toISOString()
        .slice(0, 19);
      const expected = oracle(text, `;TZID=${timeZone}:${start.replaceAll(/[-:]/g, "")}`);
      const first = expected[0];
      if (first === undefined) continue;
      const trigger = recurrence(text, { start, timeZone });
      const found = trigger.upcoming(expected.length, new Date(first), { inclusive: true }).map((at) => at.getTime());
      assert.deepEqual(iso(found), iso(expected), `${text} from ${start}`);
      assert.equal(trigger.previous(new Date(first)), null, `${text} from ${start} does not begin earlier`);
      assert.deepEqual(iso(backwards(trigger, first, found.at(-1) ?? first)), iso(found), `${text}, backwards`);
      rules++;
      fires += expected.length;
    }
    t.diagnostic(`${rules} rules, ${fires} fire times`);
  });
}

test("rules that can never fire, or hardly ever, are answered all the same", () => {
  const from = new Date("2026-06-01T00:00:00Z");
  const next = (text: string) => recurrence(text, { start: "2026-01-01T00:00:00" }).next(from)?.toISOString() ?? null;
  for (const never of [
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;INTERVAL=12;BYMONTH=2;BYMONTHDAY=1",
    "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
    "FREQ=MINUTELY;INTERVAL=2;BYMINUTE=1",
    "FREQ=HOURLY;INTERVAL=24;BYHOUR=5",
  ]) {
    assert.equal(next(never), null, never);
  }
  assert.equal(next("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29"), null, "2026, 2030, 2034: never a leap year");
  assert.equal(next("FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29"), "2028-02-29T00:00:00.000Z");
  assert.equal(next("FREQ=SECONDLY;INTERVAL=86399;BYHOUR=3;BYMINUTE=4;BYSECOND=5"), "2232-04-25T03:04:05.000Z");
});

test("a mistake in a rule is named, with what was probably meant", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["FREQ=DAYLY", /FREQ is one of .*; got "DAYLY"\. Did you mean "DAILY"\?/],
    ["INTERVAL=2", /got nothing/],
    ["FREQ=DAILY;BYDAYS=MO", /"BYDAYS" is not a part of a rule\. Did you mean "BYDAY"\?/],
    ["FREQ=DAILY;COUNT=2;UNTIL=20260101", /COUNT and UNTIL exclude each other/],
    ["FREQ=DAILY;BYMONTH=13", /BYMONTH takes 1-12; got 13/],
    ["FREQ=WEEKLY;BYDAY=2MO", /BYDAY with a number needs FREQ=YEARLY or MONTHLY, got WEEKLY/],
    ["FREQ=WEEKLY;BYDAY=MON", /BYDAY takes SU, MO.*got "MON"\. Did you mean "MO"\?/],
    ["FREQ=DAILY;UNTIL=20260230", /UNTIL is 20261231/],
    ["FREQ=MONTHLY;BYSETPOS=1", /BYSETPOS needs another BY part/],
    ["FREQ=DAILY;COUNT=0", /COUNT is 1-100000, got 0/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => recurrence(text, { start: "2026-01-01T00:00:00" }),
      { code: "NS_RECURRENCE_SYNTAX", message },
      text,
    );
  }
  assert.throws(() => recurrence("FREQ=DAILY"), { code: "NS_RECURRENCE_SYNTAX", message: /needs a start/ });
});

test("COUNT, UNTIL, EXDATE and RDATE, as a calendar file writes them", () => {
  const trigger = recurrence(
    [
      "DTSTART;TZID=Europe/Oslo:20260327T090000",
      "RRULE:FREQ=DAILY;COUNT=4",
      "EXDATE;TZID=Europe/Oslo:20260328T090000",
      "RDATE:20260401T120000Z",
    ].join("\n"),
  );
  const all = trigger.upcoming(9, new Date("2026-01-01T00:00:00Z")).map((at) => at.toISOString().slice(0, 16));
  assert.deepEqual(all, ["2026-03-27T08:00", "2026-03-29T07:00", "2026-03-30T07:00", "2026-04-01T12:00"]);
  const until = recurrence("RRULE:FREQ=DAILY;UNTIL=20260329", {
    start: "2026-03-27T09:00:00",
    timeZone: "Europe/Oslo",
  });
  assert.equal(until.previous(new Date("2027-01-01T00:00:00Z"))?.toISOString(), "2026-03-29T07:00:00.000Z");
});
