/** What the type checker says of literal cron expressions. The test is that this file compiles. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CronOptions, cron } from "../../src/time/index.ts";

const refused = (make: () => unknown) => assert.throws(make, { code: "NS_CRON_SYNTAX" });

test("literals with the wrong number of fields or impossible values do not compile, and do not run", () => {
  // @ts-expect-error four fields
  refused(() => cron("* * * *"));
  // @ts-expect-error eight fields
  refused(() => cron("* * * * * * * *"));
  // @ts-expect-error minute 61
  refused(() => cron("61 * * * *"));
  // @ts-expect-error hour 24
  refused(() => cron("0 8,24 * * *"));
  // @ts-expect-error day 32
  refused(() => cron("0 0 1-32 * *"));
  // @ts-expect-error month 13
  refused(() => cron("0 0 1 13 *"));
  // @ts-expect-error no such day
  refused(() => cron("0 0 * * MOM"));
  // @ts-expect-error a step that is no number
  refused(() => cron("*/x * * * *"));
  // @ts-expect-error no such macro
  refused(() => cron("@dayly"));
  // @ts-expect-error quartz needs seconds
  refused(() => cron("0 3 * * *", { dialect: "quartz" }));
  // @ts-expect-error quartz counts weekdays from 1
  refused(() => cron("0 0 3 ? * 0", { dialect: "quartz" }));
  // @ts-expect-error cronos has no years
  refused(() => cron("0 0 3 * * * 2030", { dialect: "cronos" }));
});

test("literals that are right compile, and so does text that is not known before it runs", () => {
  cron("*/5 0-23/2 1,15,L * MON-FRI");
  cron("0 30 2 LW-2 jan-MAR fri#2", { timeZone: "Europe/Oslo" });
  cron("0 0 12 ? * 6L 2026-2030", { dialect: "quartz" });
  cron("0  3   * * *");
  cron("@Daily");
  cron("H H(0-5) H/3 * *", { hashKey: "id" });
  cron("5,10-20/3,30/5 * L-3W * 7");
  const options: CronOptions = { dialect: "quartz" };
  cron("0 0 3 ? * 7", options);
  const minute: number = 5;
  cron(`${minute} 3 * * *`);
  const text: string = "0 3 * * *";
  cron(text);
  assert.equal(String(cron("05 09 * * *")), "5 9 * * *");
});
