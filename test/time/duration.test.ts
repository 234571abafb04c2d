import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Duration, formatDuration, parseDuration } from "../../src/time/index.ts";

test("a duration is milliseconds or text with a unit", () => {
  assert.equal(parseDuration(1_500), 1_500);
  assert.equal(parseDuration("250ms"), 250);
  assert.equal(parseDuration("10s"), 10_000);
  assert.equal(parseDuration("5m"), 300_000);
  assert.equal(parseDuration("2h"), 7_200_000);
  assert.equal(parseDuration("1d"), 86_400_000);
  assert.equal(parseDuration("2w"), 1_209_600_000);
  assert.equal(parseDuration("1h30m"), 5_400_000);
  assert.equal(parseDuration("1.5h"), 5_400_000);
  assert.equal(parseDuration(0), 0);
});

test("what is not a duration is refused with the value received and what to give", () => {
  for (const wrong of [
    "",
    "10",
    "10 parsecs",
    "-5s",
    "s",
    "1h-5m",
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    {},
  ]) {
    assert.throws(
      () => parseDuration(wrong as Duration, "timeout"),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "NS_DURATION_INVALID");
        assert.match(error.message, /^NS_DURATION_INVALID: timeout is .+\. Give milliseconds/);
        return true;
      },
    );
  }
});

test("whole numbers of one unit parse to exact multiples", () => {
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
  fc.assert(
    fc.property(fc.nat(100_000), fc.constantFrom("ms", "s", "m", "h", "d", "w"), (count, unit) => {
      assert.equal(parseDuration(`${count}${unit}`), count * units[unit]);
    }),
  );
});

test("a duration is shown with its two largest units", () => {
  assert.equal(formatDuration(12), "12ms");
  assert.equal(formatDuration(1_500), "1.5s");
  assert.equal(formatDuration(42_000), "42s");
  assert.equal(formatDuration(5_400_000), "1h 30m");
  assert.equal(formatDuration(90_061_000), "1d 1h");
});
