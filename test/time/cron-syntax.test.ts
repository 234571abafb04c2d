/** What a cron expression may say, how it is written back and described, and what is said of mistakes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NightshiftError } from "../../src/errors/index.ts";
import { type CronDialect, type CronOptions, cron, interval, type Trigger } from "../../src/time/index.ts";

const make = (expression: string, options: CronOptions = {}): Trigger => cron(expression as string, options);

test("a mistake is named with its field, column, value and allowed range, and what was probably meant", () => {
  const cases: readonly (readonly [string, CronDialect, RegExp])[] = [
    ["61 * * * *", "unix", /"61 \* \* \* \*": minute is 0-59, got 61 at column 1\./],
    ["*  25 * * *", "unix", /hour is 0-23, got 25 at column 4\./],
    ["0 0 * * MOM", "unix", /day of week is 0-7 or SUN-SAT, got "MOM" at column 9\. Did you mean "MON"\?/],
    ["0 0 * JANUARY *", "unix", /month is 1-12 or JAN-DEC, got "JANUARY" at column 7\. Did you mean "JAN"\?/],
    ["0 0 1-32 * *", "unix", /day of month is 1-31, got 32 at column 7\./],
    ["*/0 * * * *", "unix", /the step of minute is 1-59, got 0 at column 3\./],
    ["0,,5 * * * *", "unix", /minute has an empty element at column 3\./],
    ["0 0 * * 5#6", "unix", /# takes 1-5, the which of the month, got 6 at column 11\./],
    ["0 0 L-31 * *", "unix", /L- takes 0-30 days, got 31 at column 7\./],
    [
      "0 0 0 ? * 0",
      "quartz",
      /day of week is 1-7 or SUN-SAT.*counts from 1, Sunday\.|day of week is 1-7, got 0 at column 11\. The quartz/,
    ],
    ["0 0 0 ? * ?", "quartz", /not for both at column 11\./],
    ["0 0 1 * *", "quartz", /takes 6 \(seconds first\) or 7 \(year last\) fields, got 5 fields\./],
    ["* * * * * * *", "cronos", /takes 5 or 6 \(seconds first\) fields, got 7 fields\./],
    ["* * 1,2W * *", "cronos", /2W stands alone in day of month at column 5\./],
    ["0 0 1--100000000 * *", "unix", /day of month is 1-31/],
    ["@dayly", "unix", /Did you mean "@daily"\?/],
    ["@reboot", "unix", /Nothing is rebooted here/],
    ["? * * * *", "unix", /\? stands only for day of month or day of week/],
    ["0 0 1 1 * * 2100", "unix", /year is 1970-2099, got 2100/],
  ];
  for (const [expression, dialect, message] of cases) {
    assert.throws(() => make(expression, { dialect }), { code: "NS_CRON_SYNTAX", message }, expression);
  }
  assert.throws(
    () => make("61 * * * *"),
    (error: unknown) => {
      assert.ok(error instanceof NightshiftError);
      assert.deepEqual(error.details, { expression: "61 * * * *", field: "minute", column: 1, value: "61" });
      return true;
    },
  );
});

test("unknown zones, options, dialects and gap rules are refused with what was probably meant", () => {
  assert.throws(() => cron("0 3 * * *", { timeZone: "Europe/Olso" }), {
    code: "NS_TIME_ZONE_UNKNOWN",
    message: /Did you mean "Europe\/Oslo"/,
  });
  assert.throws(() => cron("0 3 * * *", { timezone: "UTC" } as CronOptions), {
    code: "NS_OPTION_UNKNOWN",
    message: /"timeZone"/,
  });
  assert.throws(() => make("0 3 * * *", { dialect: "quarz" as "quartz" }), {
    code: "NS_OPTION_INVALID",
    message: /"quartz"/,
  });
  assert.throws(() => cron("0 3 * * *", { gap: "stretch" as "shift" }), { code: "NS_OPTION_INVALID" });
  assert.throws(() => make(5 as unknown as string), { code: "NS_CRON_SYNTAX" });
});

test("text of any kind is read or refused, quickly, with an error of the catalogue", () => {
  const alphabet = fc.constantFrom(..."0123456789*/-,?LW#H() MONFRIJAN@");
  const anything = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: alphabet, maxLength: 60 }));
  fc.assert(
    fc.property(anything, fc.constantFrom<CronDialect>("unix", "cronos", "quartz"), (text, dialect) => {
      try {
        const trigger = make(text, { dialect, hashKey: "a" });
        trigger.next(new Date("2026-01-01T00:00:00Z"));
        assert.equal(String(make(String(trigger).replace(/ \(.*/, ""), { dialect })), String(trigger));
      } catch (error) {
        assert.ok(error instanceof NightshiftError && error.code === "NS_CRON_SYNTAX", String(error));
      }
    }),
    { numRuns: 3_000, seed: 42 },
  );
  assert.throws(() => make("1,".repeat(1_000_000)), { code: "NS_CRON_SYNTAX", message: /1000 is the most/ });
});

test("the canonical text has numbers for names, and no fields that say nothing", () => {
  const canonical = (expression: string, options: CronOptions = {}) => String(make(expression, options));
  assert.equal(canonical(" 0\t3  * jan-mar MON,7 "), "0 3 * 1-3 0,1");
  assert.equal(canonical("3,1,2,1,10-12 0,07,7 L,1 * 0,7"), "1,2,3,10-12 0,7 1,L * 0");
  assert.equal(canonical("0 0 5,*/2 * 1"), "0 0 5,*/2 * 1", "a star that does not come first restricts the day");
  assert.equal(canonical("0 0 3 * * * *"), "0 3 * * *");
  assert.equal(canonical("@daily"), "0 0 * * *");
  assert.equal(canonical("*/1 * * * *"), "* * * * *");
  assert.equal(canonical("0 3 * * *", { timeZone: "Europe/Oslo", gap: "skip" }), "0 3 * * * in Europe/Oslo gap skip");
  assert.equal(canonical("0 3 * * *", { timeZone: "europe/oslo" }), "0 3 * * * in Europe/Oslo");
  assert.equal(canonical("0 3 * * *", { timeZone: "utc" }), "0 3 * * *");
  assert.equal(canonical("0 0 12 ? * SUN", { dialect: "quartz" }), "0 0 12 ? * 1 (quartz)");
  assert.equal(canonical("@weekly", { dialect: "quartz" }), "0 0 0 ? * 1 (quartz)");
});

test("a description is a sentence", () => {
  const describe = (expression: string, options: CronOptions = {}, locale?: string) =>
    make(expression, options).describe(locale);
  assert.equal(describe("0 3 * * *", { timeZone: "Europe/Oslo" }), "At 03:00 (Europe/Oslo)");
  assert.equal(describe("30 9,17 * * MON-FRI"), "At 09:30 and 17:30 on Monday to Friday (UTC)");
  assert.equal(describe("30 17 * * *", {}, "en-US"), "At 05:30 PM (UTC)");
  assert.equal(describe("*/15 * * * *"), "Every 15 minutes (UTC)");
  assert.equal(describe("0 * * * *"), "Every hour (UTC)");
  assert.equal(describe("* * * * * *"), "Every second (UTC)");
  assert.equal(describe("0 0 L * *"), "At 00:00 on the last day of the month (UTC)");
  assert.equal(describe("0 0 * 1 5#3"), "At 00:00 on the 3rd Friday of the month in January (UTC)");
  assert.equal(describe("0 0 13 * 5"), "At 00:00 on the 13th of the month or on Friday (UTC)");
  assert.equal(
    describe("0 0 13 * 5", { dialect: "cronos" }),
    "At 00:00 on the 13th of the month if that is Friday (UTC)",
  );
});

test("H spreads by key, is the same every time, and stays in its range", () => {
  const text = (expression: string, key: string) => String(cron(expression as string, { hashKey: key }));
  for (let n = 0; n < 200; n++) {
    const [minute = 0, hour = 0, day = 0] = text("H H(2-4) H * *", `job-${n}`).split(" ").map(Number);
    assert.ok(minute >= 0 && minute <= 59 && hour >= 2 && hour <= 4 && day >= 1 && day <= 28);
    const [from = -1, to, step] = text("H/15 * * * *", `job-${n}`).split(/[-/ ]/).map(Number);
    assert.ok(from >= 0 && from < 15 && to === 59 && step === 15);
  }
  assert.equal(text("H H * * *", "nightly"), text("H H * * *", "nightly"));
});

test("options that are no object are refused by name", () => {
  assert.throws(() => cron("H * * * *", { hashKey: 5 as never }), {
    code: "NS_OPTION_INVALID",
    message: /hashKey is text, got 5/,
  });
  for (const options of [null, "UTC", ["UTC"], 5]) {
    assert.throws(() => cron("* * * * *", options as never), {
      code: "NS_OPTION_INVALID",
      message: /cron\(\) takes its options/,
    });
    assert.throws(() => interval("1h", options as never), { code: "NS_OPTION_INVALID", message: /interval\(\) takes/ });
  }
});
