/**
 * The cron engine against a walk over every minute, around every change of every clock in the world from 1970 to 2100.
 * Takes minutes: `npm run test:time`.
 */
import { test } from "node:test";
import {
  type Gap,
  HOUR,
  localAt,
  timeExpression,
  transitionsOf,
  type Window,
  windowAround,
} from "../support/brute-force.ts";
import { compareWindow } from "../support/compare.ts";
import { seeded } from "../support/random.ts";

const GAPS: readonly Gap[] = ["end", "shift", "skip"];
const AROUND = 30 * HOUR;
const SHARDS = 4;
/** Expressions for a change that is looked at for the first time, and for the same change in another zone. */
const EXPRESSIONS = { first: 3, again: 1 };
const zones = Intl.supportedValuesOf("timeZone");

for (let shard = 0; shard < SHARDS; shard++) {
  test(`every change of every clock, part ${shard + 1}: fire times are those that a walk over every minute finds`, (t) => {
    let [windows, expressions, fires] = [0, 0, 0];
    const mine = zones.slice(
      Math.floor((zones.length * shard) / SHARDS),
      Math.floor((zones.length * (shard + 1)) / SHARDS),
    );
    // Half of Europe changes its clocks together: what they show is read once.
    const seen = new Map<string, Window>();
    for (const [index, zone] of mine.entries()) {
      const random = seeded(index * SHARDS + shard);
      for (const transition of transitionsOf(zone, Date.UTC(1970, 0, 3), Date.UTC(2100, 0, 1))) {
        const key = [
          transition,
          localAt(zone, transition - AROUND),
          localAt(zone, transition - 1_000),
          localAt(zone, transition),
        ].join();
        const known = seen.get(key);
        const window = known ? { ...known, zone } : windowAround(zone, transition, AROUND, AROUND);
        if (!known) seen.set(key, window);
        const count = known ? EXPRESSIONS.again : EXPRESSIONS.first;
        for (let n = 0; n < count; n++) fires += compareWindow(window, timeExpression(random), random.pick(GAPS));
        expressions += count;
        windows++;
      }
      if (seen.size > 3_000) seen.clear();
    }
    t.diagnostic(`${mine.length} zones, ${windows} changes of clocks, ${expressions} expressions, ${fires} fire times`);
  });
}
