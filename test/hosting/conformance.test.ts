import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { WITHOUT_MEANING } from "./without-meaning.ts";

test("each of the 146 statements has a test that carries its number, or a written reason why it has no meaning, not both", () => {
  const code = globSync("test/{hosting,services}/*.test.ts").map((file) => {
    return readFileSync(file, "utf8").replaceAll(/\/\*\*.*?\*\//gs, "");
  });
  const tested = new Set(code.flatMap((text) => text.match(/C-\d{3}/g) ?? []));
  for (let index = 1; index <= 146; index++) {
    const number = `C-${String(index).padStart(3, "0")}`;
    assert.notEqual(tested.has(number), Object.hasOwn(WITHOUT_MEANING, number), number);
  }
});

test("the table in the documentation has a row for each statement, and none that fails", () => {
  const rows = readFileSync("docs/hosting-conformance.md", "utf8").match(/^\| C-\d{3} \| [a-z ]+ \|/gm) ?? [];
  assert.equal(rows.length, 146);
  assert.ok(rows.every((row) => /\| (same|differs|without meaning) \|$/.test(row)));
});
