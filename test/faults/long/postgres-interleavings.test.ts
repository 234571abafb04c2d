import assert from "node:assert/strict";
import { test } from "node:test";
import { onFreshStore } from "../../../src/testing/store-conformance/harness.ts";
import { operationNames, pausedPairs } from "../../../src/testing/store-conformance/interleaving.ts";
import { pausingStore } from "../../store/postgres/pausing.ts";

for (const first of operationNames) {
  test(`${first}, stopped before each of its statements, leaves one truth with every other operation`, async (t) => {
    const met = await onFreshStore({ create: () => pausingStore() }, (given) =>
      pausedPairs(given, [first], operationNames),
    );
    t.diagnostic(`${met} meetings`);
    assert.ok(met >= operationNames.length);
  });
}
