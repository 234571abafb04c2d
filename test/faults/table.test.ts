import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/snippets.ts";

test("docs/faults.md names only tests, parts of the suite and commands that exist", () => {
  const text = readFileSync(join(root, "docs", "faults.md"), "utf8");
  const named = [...text.matchAll(/`(test\/[\w/-]+)`/g)].map(([, path = ""]) => path);
  const missing = named.filter(
    (path) => !["", ".ts", ".test.ts"].some((ending) => existsSync(join(root, `${path}${ending}`))),
  );
  assert.ok(named.length > 50);
  assert.deepEqual(missing, []);
  const suites = [...text.matchAll(/suite\/(\w+)/g)].map(([, part = ""]) => part);
  const unknown = suites.filter((part) => !existsSync(join(root, "src/testing/store-conformance", `${part}.ts`)));
  assert.deepEqual(unknown, []);
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
  for (const [, script = ""] of text.matchAll(/npm run ([\w:]+)/g)) assert.ok(script in scripts, script);
});
