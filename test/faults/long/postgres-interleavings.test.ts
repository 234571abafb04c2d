import assert from "node:assert/strict";
import { test } from "node:test";
import { onFreshStore } from "../../../src/testing/store-conformance/harness.ts";
import { operationNames, pausedPairs } from "../../../src/testing/store-conformance/interleaving.ts";
import { pausingStore } from "../../store/postgres/pausing.ts";

// "run now" is one statement, in which there is no place to stop.
for (const first of operationNames.filter((name) => name !== "run now")) {
  test(`${first}, stopped before each of its statements, leaves one truth with every other operation`, async (t) => {
    const met = await onFreshStore({ create: () => pausingStore() }, (given) =>
      pausedPairs(given, [first], operationNames),
    );
    t.diagnostic(`${met} meetings`);
    assert.ok(met >= operationNames.length);
  });
}
