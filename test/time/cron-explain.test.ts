/** What explainCron tells: the next fires as people see them, and every change of the clock that matters. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { explainCron } from "../../src/time/index.ts";

const from = new Date("2026-03-27T12:00:00Z");
const OSLO = { timeZone: "Europe/Oslo", from };

test("the next fires come with the offset that people will see", () => {
  const { fires, description } = explainCron("30 2 * * *", { ...OSLO, count: 3 });
  assert.equal(description, "At 02:30 (Europe/Oslo)");
  assert.deepEqual(
    fires.map(({ local, offset }) => `${local}${offset}`),
    ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"],
  );
});

test("there is a warning for each change of the clock that moves, drops or repeats a fire", () => {
  assert.deepEqual(explainCron("30 2 * * *", OSLO).warnings, [
    "2026-03-29: the clock goes from 02:00 to 03:00; 02:30 does not exist and fires once, at 03:00.",
    "2026-10-25: the clock goes from 03:00 to 02:00; 02:30 comes twice and fires the first time only.",
    "2027-03-28: the clock goes from 02:00 to 03:00; 02:30 does not exist and fires once, at 03:00.",
  ]);
  assert.match(explainCron("30 2 * * *", { ...OSLO, gap: "shift" }).warnings[0] ?? "", /fires 60 minutes later/);
  assert.match(
    explainCron("*/20 2 * * *", { ...OSLO, gap: "skip" }).warnings[0] ?? "",
    /02:00, 02:20, 02:40 does not exist and is left out/,
  );
  assert.match(
    explainCron("*/10 * * * *", OSLO).warnings[1] ?? "",
    /02:00, 02:10, 02:20, … comes twice and fires both times/,
  );
  assert.deepEqual(explainCron("0 9 * * *", OSLO).warnings, []);
  assert.deepEqual(explainCron("30 2 * * *", { from }).warnings, [], "UTC has no such changes");
});

test("an expression that never fires is told", () => {
  const explained = explainCron("0 0 30 2 *", { from });
  assert.deepEqual(explained.fires, []);
  assert.deepEqual(explained.warnings, ["The expression never fires again."]);
});

test("as text it is what a terminal shows", () => {
  assert.equal(
    String(explainCron("30 2 * * *", { ...OSLO, count: 2, days: 5 })),
    [
      "At 02:30 (Europe/Oslo)",
      "30 2 * * *   Europe/Oslo",
      "",
      "  2026-03-28 02:30:00 +01:00   2026-03-28T01:30:00.000Z",
      "  2026-03-29 03:00:00 +02:00   2026-03-29T01:00:00.000Z",
      "",
      "  ! 2026-03-29: the clock goes from 02:00 to 03:00; 02:30 does not exist and fires once, at 03:00.",
    ].join("\n"),
  );
});
