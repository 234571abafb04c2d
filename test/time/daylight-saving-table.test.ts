/** The guide's table of daylight saving: what stands in it is what happens. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { calendarInterval, cron, dailyInterval, interval, recurrence, type Trigger } from "../../src/time/index.ts";

const timeZone = "America/New_York";
const rows: Readonly<Record<string, Trigger>> = {
  'cron("30 2 * * *")': cron("30 2 * * *", { timeZone }),
  'cron("30 2 * * *", { gap: "shift" })': cron("30 2 * * *", { gap: "shift", timeZone }),
  'cron("30 2 * * *", { gap: "skip" })': cron("30 2 * * *", { gap: "skip", timeZone }),
  'cron("0,30 2 * * *")': cron("0,30 2 * * *", { timeZone }),
  'cron("30 1 * * *")': cron("30 1 * * *", { timeZone }),
  'cron("30 * * * *")': cron("30 * * * *", { timeZone }),
  'cron("0 * * * *")': cron("0 * * * *", { timeZone }),
  'cron("*/30 1-2 * * *")': cron("*/30 1-2 * * *", { timeZone }),
  'calendarInterval(1, "day", { start: "2026-01-01T02:30:00" })': calendarInterval(1, "day", {
    start: "2026-01-01T02:30:00",
    timeZone,
  }),
  'recurrence("FREQ=DAILY", { start: "2026-01-01T02:30:00" })': recurrence("FREQ=DAILY", {
    start: "2026-01-01T02:30:00",
    timeZone,
  }),
  'recurrence("FREQ=HOURLY", { start: "2026-01-01T00:30:00" })': recurrence("FREQ=HOURLY", {
    start: "2026-01-01T00:30:00",
    timeZone,
  }),
  'dailyInterval("1h", { from: "01:00", to: "03:00" })': dailyInterval("1h", { from: "01:00", to: "03:00", timeZone }),
  'interval("1h")': interval("1h"),
};

const guide = readFileSync(new URL("../../docs/guides/reliable-scheduling.md", import.meta.url), "utf8");
const [, section = ""] = guide.split("## Daylight saving in one table");
const table = [...(section.split("\n## ")[0] ?? "").matchAll(/^\| `(.+?)` \| (.+?) \| (.+?) \| .+ \|$/gm)].filter(
  ([, code = ""]) => !code.startsWith("timeZone"),
);

const clock = new Intl.DateTimeFormat("en-GB", { timeZone, timeStyle: "short" });

/** What the clock on the wall shows at each fire between the two instants. */
function shown(trigger: Trigger, from: string, to: string): string {
  const fires: string[] = [];
  for (
    let at = trigger.next(new Date(from), { inclusive: true });
    at !== null && at < new Date(to);
    at = trigger.next(at)
  ) {
    fires.push(clock.format(at));
  }
  return fires.join(" ") || "–";
}

test("the guide's table has a row for each of these triggers, and no other", () => {
  assert.deepEqual(
    table.map(([, code]) => code),
    Object.keys(rows),
  );
});

for (const [, code = "", march, november] of table) {
  test(`${code} fires when its row says`, () => {
    const trigger = rows[code];
    assert.ok(trigger);
    assert.equal(shown(trigger, "2026-03-08T00:30:00-05:00", "2026-03-08T04:00:00-04:00"), march);
    assert.equal(shown(trigger, "2026-11-01T00:30:00-04:00", "2026-11-01T04:00:00-05:00"), november);
  });
}
