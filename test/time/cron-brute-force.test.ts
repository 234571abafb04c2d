/** The cron engine against a walk over every minute, around changes of clocks all over the world. */
import { test } from "node:test";
import { type Gap, HOUR, timeExpression, transitionsOf, windowAround } from "./support/brute-force.ts";
import { compareWindow } from "./support/compare.ts";
import { seeded } from "./support/random.ts";

const GAPS: readonly Gap[] = ["end", "shift", "skip"];
/** Whole days left out, half hours, midnight gaps, offsets with seconds, changes of the standard time itself. */
const STRANGE = [
  "Pacific/Apia",
  "Pacific/Kwajalein",
  "Australia/Lord_Howe",
  "Asia/Amman",
  "America/Santiago",
  "Africa/Casablanca",
  "Africa/Monrovia",
  "Asia/Pyongyang",
  "America/Caracas",
  "Europe/Dublin",
  "Antarctica/Troll",
  "Asia/Kathmandu",
] as const;

test("around changes of clocks, fire times are those that a walk over every minute finds", (t) => {
  const random = seeded(20_260_301);
  const zones = [...STRANGE, ...Array.from({ length: 28 }, () => random.pick(Intl.supportedValuesOf("timeZone")))];
  let [windows, cases, fires] = [0, 0, 0];
  for (const zone of zones) {
    const first = STRANGE.some((strange) => strange === zone) ? 1970 : 2000 + random.below(80);
    const transitions = transitionsOf(zone, Date.UTC(first, 0, 1), Date.UTC(first + 20, 0, 1));
    const chosen = transitions.length <= 6 ? transitions : Array.from({ length: 6 }, () => random.pick(transitions));
    for (const transition of chosen) {
      const window = windowAround(zone, transition, 54 * HOUR, 54 * HOUR);
      windows++;
      for (let n = 0; n < 6; n++) {
        fires += compareWindow(window, timeExpression(random), random.pick(GAPS));
        cases++;
      }
    }
  }
  t.diagnostic(`${windows} changes of clocks, ${cases} expressions, ${fires} fire times`);
});
