/**
 * `Temporal` in and out. The values come from the polyfill inside rrule-temporal, a real implementation, so that this
 * runs on every Node; `npm run test:compat` does the same with the one that Node 26 has built in.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RRuleTemporal } from "rrule-temporal";
import { createHost } from "../../src/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import {
  anyOf,
  calendarInterval,
  cron,
  dailyCalendar,
  dailyInterval,
  except,
  interval,
  jitter,
  once,
  parseDuration,
  recurrence,
  weeklyCalendar,
} from "../../src/time/index.ts";

/** 01:00 in Oslo on the night of the jump forward: `2026-03-29T01:00:00+01:00[Europe/Oslo]`. */
const [zoned] = new RRuleTemporal({
  rruleString: "DTSTART;TZID=Europe/Oslo:20260329T010000\nRRULE:FREQ=DAILY;COUNT=1",
}).all();
assert.ok(zoned);
const instant = zoned.toInstant();
const plain = zoned.toPlainDateTime();
const date = zoned.toPlainDate();
const time = zoned.toPlainTime();

const nightly = cron("30 2 * * *", { timeZone: "Europe/Oslo" });

test("a ZonedDateTime is answered with a ZonedDateTime of its zone, whatever zone the rule has", () => {
  assert.equal(String(nightly.next(zoned)), "2026-03-29T03:00:00+02:00[Europe/Oslo]");
  assert.equal(String(nightly.previous(zoned)), "2026-03-28T02:30:00+01:00[Europe/Oslo]");
  assert.equal(String(nightly.next(zoned.withTimeZone("Asia/Tokyo"))), "2026-03-29T10:00:00+09:00[Asia/Tokyo]");
  assert.deepEqual(nightly.upcoming(2, zoned).map(String), [
    "2026-03-29T03:00:00+02:00[Europe/Oslo]",
    "2026-03-30T02:30:00+02:00[Europe/Oslo]",
  ]);
  assert.equal(nightly.next(zoned)?.constructor, zoned.constructor);
});

test("an Instant is answered with an Instant, by every kind of trigger", () => {
  const triggers = [
    nightly,
    interval("1h"),
    calendarInterval(1, "day", { start: plain, timeZone: "Europe/Oslo" }),
    dailyInterval("10m"),
    recurrence("FREQ=DAILY", { start: plain, timeZone: "Europe/Oslo" }),
    once(instant.add({ hours: 1 })),
    anyOf(nightly, interval("1h")),
    except(nightly, weeklyCalendar(["SUN"])),
    jitter(nightly, "5m", { key: "a" }),
  ];
  for (const trigger of triggers) {
    const next = trigger.next(instant);
    assert.equal(next?.constructor, instant.constructor, String(trigger));
    assert.equal(next?.epochMilliseconds, trigger.next(new Date(instant.epochMilliseconds))?.getTime());
    assert.equal(trigger.upcoming(1, instant)[0]?.constructor, instant.constructor);
  }
});

test("what stands between two milliseconds is after the one and before the other", () => {
  const five = instant.add({ hours: 5 });
  const justAfter = five.add({ nanoseconds: 1 });
  const hourly = cron("0 * * * *");
  assert.equal(String(hourly.next(five, { inclusive: true })), String(five));
  assert.equal(String(hourly.next(justAfter, { inclusive: true })), String(five.add({ hours: 1 })));
  assert.equal(String(hourly.next(justAfter)), String(five.add({ hours: 1 })));
  assert.equal(String(hourly.previous(justAfter)), String(five));
  assert.equal(String(hourly.previous(justAfter, { inclusive: true })), String(five));
  assert.equal(String(hourly.previous(five)), String(five.subtract({ hours: 1 })));
  assert.equal(String(hourly.next(five.subtract({ nanoseconds: 1 }))), String(five));
});

test("a rule starts at a PlainDateTime or PlainDate as its zone's clock reads, and in the zone that a ZonedDateTime has", () => {
  const timeZone = "Europe/Oslo";
  assert.equal(
    String(recurrence("FREQ=DAILY", { start: plain, timeZone })),
    "FREQ=DAILY from 2026-03-29T01:00:00 in Europe/Oslo",
  );
  assert.equal(
    String(recurrence("FREQ=DAILY", { start: date, timeZone })),
    "FREQ=DAILY from 2026-03-29T00:00:00 in Europe/Oslo",
  );
  assert.equal(
    String(recurrence("FREQ=DAILY", { start: zoned })),
    "FREQ=DAILY from 2026-03-29T01:00:00 in Europe/Oslo",
  );
  assert.equal(
    String(calendarInterval(1, "day", { start: zoned })),
    "every 1 day from 2026-03-29T01:00:00 in Europe/Oslo",
  );
  assert.equal(
    String(calendarInterval(1, "month", { start: zoned, timeZone: "Asia/Tokyo" })),
    "every 1 month from 2026-03-29T09:00:00 in Asia/Tokyo",
  );
  const halfSecond = recurrence("FREQ=DAILY", { start: plain.add({ milliseconds: 500 }) });
  assert.match(String(halfSecond), /T01:00:01$/);
  const japanese = recurrence("FREQ=DAILY", { start: plain.withCalendar("japanese"), timeZone });
  assert.match(String(japanese), /2026-03-29T01:00:00/);
});

test("dates, readings and times of day of Temporal do where text does", () => {
  const rule = recurrence("FREQ=DAILY", { start: plain, include: [plain.add({ hours: 2 })], exclude: [date] });
  assert.equal(String(rule), "FREQ=DAILY from 2026-03-29T01:00:00 include 2026-03-29T03:00:00.000Z exclude 2026-03-29");
  assert.equal(rule.next(new Date("2026-03-28T00:00:00Z"))?.toISOString(), "2026-03-30T01:00:00.000Z");
  assert.match(String(dailyInterval("10m", { from: time, to: time.add({ hours: 2 }) })), /from 01:00 to 03:00/);
  assert.match(String(dailyCalendar({ from: time, to: time.add({ hours: 2 }) })), /01:00/);
});

test("a reading without a zone is refused where an instant is meant, and told how to get one", () => {
  const wrong = [
    () => nightly.next(plain as never),
    () => once(plain as never),
    () => interval("1h", { start: date as never }),
  ];
  for (const give of wrong) {
    assert.throws(give, { code: "NS_TIME_INVALID", message: /2026-03-29.*has no time zone.*toZonedDateTime/ });
  }
});

test("a Temporal.Duration is taken where a duration is, and refused when its length depends on the calendar", () => {
  const later = instant.add({ hours: 1, minutes: 30 });
  const duration = instant.until(later);
  assert.equal(parseDuration(duration), 5_400_000);
  assert.equal(interval(duration).toString(), interval("1h30m").toString());
  // Where an object of options may stand as well, a duration is no such object.
  const builder = createHost({ signals: false });
  builder.addJobs({ store: memory(), jobs: [], retention: { succeeded: duration } });
  builder.addHostedService(() => ({ start: () => undefined, stop: () => undefined }), {
    name: "steady",
    restart: { policy: "on-failure", backoff: duration },
  });
  assert.doesNotThrow(() => builder.build());
  assert.equal(parseDuration(zoned.until(zoned.add({ days: 2 }), { largestUnit: "days" })), 172_800_000);
  const month = zoned.until(zoned.add({ months: 1 }), { largestUnit: "months" });
  assert.throws(() => parseDuration(month, "timeout"), {
    code: "NS_DURATION_INVALID",
    message: /timeout is P1M\. .*days and shorter/,
  });
  assert.throws(() => parseDuration(later.until(instant)), { code: "NS_DURATION_INVALID", message: /-PT/ });
});
