/**
 * The cron engine against a walk over every minute, around every change of every clock in the world from 1970 to 2100.
 * Takes minutes: `npm run test:time`.
 */
import { test } from "node:test";
import { type Gap, HOUR, timeExpression, transitionsOf, windowAround } from "../support/brute-force.ts";
import { compareWindow } from "../support/compare.ts";
import { seeded } from "../support/random.ts";

const GAPS: readonly Gap[] = ["end", "shift", "skip"];
const EXPRESSIONS = 4;
const SHARDS = 2;
const zones = Intl.supportedValuesOf("timeZone");

for (let shard = 0; shard < SHARDS; shard++) {
  test(`every change of every clock, part ${shard + 1}: fire times are those that a walk over every minute finds`, (t) => {
    let [windows, fires] = [0, 0];
    const mine = zones.filter((_, index) => index % SHARDS === shard);
    for (const [index, zone] of mine.entries()) {
      const random = seeded(index * SHARDS + shard);
      for (const transition of transitionsOf(zone, Date.UTC(1970, 0, 2), Date.UTC(2100, 0, 1))) {
        const window = windowAround(zone, transition, 30 * HOUR, 30 * HOUR);
        for (let n = 0; n < EXPRESSIONS; n++) fires += compareWindow(window, timeExpression(random), random.pick(GAPS));
        windows++;
      }
    }
    t.diagnostic(`${mine.length} zones, ${windows} changes, ${windows * EXPRESSIONS} expressions, ${fires} fire times`);
  });
}
