import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/snippets.ts";

const text = readFileSync(join(root, "docs", "faults.md"), "utf8");

/** A file that shows something, and the parts of titles that say which of its tests. */
interface Reference {
  readonly named: string;
  readonly parts: readonly string[];
}

/** Of the last column of every table: each file, and what is quoted up to the next one. */
function references(): readonly Reference[] {
  const cells = text.split("\n").flatMap((line) => (line.startsWith("|") ? [line.split(" | ").at(-1) ?? ""] : []));
  return cells.flatMap((cell) => {
    const named = [...cell.matchAll(/`(test\/[\w/-]+)`|(suite\/\w+)/g)];
    return named.map((match, index) => {
      const quoted = cell.slice(match.index, named[index + 1]?.index).matchAll(/"([^"]+)"/g);
      return { named: match[1] ?? match[2] ?? "", parts: Array.from(quoted, ([, part = ""]) => part) };
    });
  });
}

function pathOf(named: string): string | undefined {
  const [, part] = /^suite\/(\w+)$/.exec(named) ?? [];
  const paths =
    part === undefined
      ? ["", ".ts", ".test.ts"].map((ending) => named + ending)
      : [`src/testing/store-conformance/${part}.ts`];
  return paths.find((path) => existsSync(join(root, path)));
}

/** Of those tests whose title stands where they are declared; what is in braces is as it is written. */
function titlesIn(path: string): readonly string[] {
  if (!path.endsWith(".ts")) return [];
  const source = readFileSync(join(root, path), "utf8");
  const declared = source.matchAll(/(?:\btest\(|\bstoreTest\(\s*harness,)\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)/g);
  return Array.from(declared, ([, plain, template]) => plain ?? template ?? "");
}

test("docs/faults.md names only tests, parts of the suite and commands that exist", () => {
  const all = references();
  assert.ok(all.length > 80);
  assert.deepEqual(
    all.flatMap(({ named }) => (pathOf(named) === undefined ? [named] : [])),
    [],
  );
  const elsewhere = [...text.matchAll(/`(test\/[\w/-]+)`/g)].map(([, path = ""]) => path);
  assert.deepEqual(
    elsewhere.filter((path) => pathOf(path) === undefined),
    [],
  );
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
  for (const [, script = ""] of text.matchAll(/npm run ([\w:]+)/g)) assert.ok(script in scripts, script);
});

test("each row of docs/faults.md says which test of a file it means, by a part of one title", () => {
  const wrong = references().flatMap(({ named, parts }) => {
    const titles = titlesIn(pathOf(named) ?? "");
    if (titles.length > 1 && parts.length === 0)
      return [`${named} has ${titles.length} tests: quote a part of a title`];
    return parts.flatMap((part) => {
      const count = titles.filter((title) => title.includes(part)).length;
      return count === 1 ? [] : [`${named}: "${part}" is in ${count} titles`];
    });
  });
  assert.deepEqual(wrong, []);
});
