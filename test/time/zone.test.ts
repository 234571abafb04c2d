/** Zones: offsets and readings, and how unknown names are refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { zoneOf } from "../../src/time/zone.ts";
import { localAt } from "./support/brute-force.ts";
import { seeded } from "./support/random.ts";

test("offsets are those of Intl, at random instants of every zone", (t) => {
  const random = seeded(3);
  let looks = 0;
  for (const name of [...Intl.supportedValuesOf("timeZone"), "UTC", "GMT", "+05:30", "US/Eastern"]) {
    const zone = zoneOf(name);
    for (let n = 0; n < 6; n++) {
      const instant = Date.UTC(
        1970 + random.below(130),
        random.below(12),
        random.below(28),
        random.below(24),
        random.below(60),
      );
      assert.equal(
        instant + zone.offsetAt(instant),
        localAt(name, instant),
        `${name} at ${new Date(instant).toISOString()}`,
      );
      looks++;
    }
  }
  t.diagnostic(`${looks} instants`);
});

test("a reading is one instant, two, or none", () => {
  const oslo = zoneOf("Europe/Oslo");
  const at = (text: string) => Date.parse(`${text}Z`);
  assert.deepEqual(oslo.resolve(at("2026-06-01T12:00:00")), { kind: "once", instant: at("2026-06-01T10:00:00") });
  assert.deepEqual(oslo.resolve(at("2026-03-29T02:30:00")), {
    kind: "never",
    end: at("2026-03-29T01:00:00"),
    length: 3_600_000,
  });
  const twice = { kind: "twice", instant: at("2026-10-25T00:30:00"), second: at("2026-10-25T01:30:00") };
  assert.deepEqual(oslo.resolve(at("2026-10-25T02:30:00")), twice);
  assert.deepEqual(oslo.resolve(at("2026-10-25T03:00:00")), { kind: "once", instant: at("2026-10-25T02:00:00") });
  assert.equal(zoneOf("Pacific/Apia").resolve(at("2011-12-30T12:00:00")).kind, "never");
});

test("an unknown zone is refused with the nearest known one", () => {
  assert.throws(() => zoneOf("Amerika/New_York"), {
    code: "NS_TIME_ZONE_UNKNOWN",
    message: /Did you mean "America\/New_York"/,
  });
  assert.throws(() => zoneOf(""), { code: "NS_TIME_ZONE_UNKNOWN" });
  assert.throws(() => zoneOf(undefined as unknown as string), { code: "NS_TIME_ZONE_UNKNOWN" });
});
