/**
 * Runs the tests that carry the number of a conformance statement, writes docs/hosting-conformance.md from what came
 * out, and prints the counts. Fails when a statement has neither a passing test nor a written reason.
 */
import { globSync, writeFileSync } from "node:fs";
import { run } from "node:test";
import { WITHOUT_MEANING } from "../test/hosting/without-meaning.ts";

const STATEMENTS = 146;
const TARGET = "docs/hosting-conformance.md";

interface Found {
  readonly tests: { readonly name: string; readonly file: string; readonly passed: boolean }[];
  differs: boolean;
}

const found = new Map<string, Found>();
const files = globSync("test/{hosting,services}/*.test.ts").sort();

for await (const event of run({ files, concurrency: true })) {
  if (event.type !== "test:pass" && event.type !== "test:fail") continue;
  const { name, file = "" } = event.data;
  const numbers =
    name
      .match(/^(?:C-\d{3} )+/)?.[0]
      .trim()
      .split(" ") ?? [];
  for (const number of numbers) {
    const entry = found.get(number) ?? { tests: [], differs: false };
    entry.tests.push({
      name: name.replace(/^(?:C-\d{3} )+(?:≠ )?/, ""),
      file: file.slice(file.indexOf("test/")),
      passed: event.type === "test:pass",
    });
    entry.differs ||= /^(?:C-\d{3} )+≠/.test(name);
    found.set(number, entry);
  }
}

const rows: string[] = [];
const counts = { same: 0, differs: 0, "without meaning": 0, failing: 0, missing: 0 };
for (let index = 1; index <= STATEMENTS; index++) {
  const number = `C-${String(index).padStart(3, "0")}`;
  const entry = found.get(number);
  const reason = WITHOUT_MEANING[number];
  const result =
    entry === undefined
      ? reason === undefined
        ? "missing"
        : "without meaning"
      : entry.tests.some(({ passed }) => !passed)
        ? "failing"
        : entry.differs
          ? "differs"
          : "same";
  counts[result]++;
  const what = entry?.tests.map(({ name, file }) => `${name} (\`${file}\`)`).join("<br>") ?? reason ?? "";
  rows.push(`| ${number} | ${result} | ${what.replaceAll("|", "\\|")} |`);
}

const summary = Object.entries(counts)
  .filter(([result, count]) => count > 0 || result === "failing")
  .map(([result, count]) => `${count} ${result}`)
  .join(", ");
const text = `# Conformance of the host and the container

.NET's Generic Host and container come with unit tests. What they assert was written down as ${STATEMENTS} statements that name
no language, and each is a test here that carries its number. *Same*: behaves as .NET does. *Differs*: on purpose, in the
way that the test's name tells. *Without meaning*: says nothing about a TypeScript library, for the reason given.

**${summary}.** This page is written by \`npm run conformance\` from the tests.

| statement | result | what the test shows |
|---|---|---|
${rows.join("\n")}
`;
writeFileSync(TARGET, text);
console.log(`${STATEMENTS} statements: ${summary}. Written to ${TARGET}.`);
if (counts.failing + counts.missing > 0) process.exitCode = 1;
