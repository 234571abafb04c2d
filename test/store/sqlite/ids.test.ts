import assert from "node:assert/strict";
import { test } from "node:test";
import { idText, parseId } from "../../../src/store/sqlite/ids.ts";

test("an id is written in decimal digits whatever its length, and read back as the same number", () => {
  for (const id of [
    1, 9, 10, 99, 100, 999, 1_000, 1_001, 1_010, 9_999, 10_000, 1_000_000, 1_234_567, 999_999_999_999,
  ]) {
    assert.equal(idText(id), String(id));
    assert.equal(parseId(idText(id)), id);
  }
  assert.equal(idText(9_007_199_254_740_991), "9007199254740991");
});
