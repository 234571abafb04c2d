import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Child, startNode } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";

const PROGRAM = join(import.meta.dirname, "programs", "leading.ts");

/** The process ids in the order in which they led, each as often as it took over; fails when a term comes back. */
function leaders(file: string): number[] {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const changes = lines.filter((line, index) => line !== lines[index - 1]);
  assert.equal(new Set(changes).size, changes.length, `a term of the past acted again:\n${changes.join("\n")}`);
  return changes.map((line) => Number(line.split(" ")[1]));
}

async function candidates(file: string, database: string): Promise<[Child, Child]> {
  const first = startNode([PROGRAM, database, file]);
  await first.until(/leading/);
  // Said before its line is written: a busy disk may come between, and then a signal.
  await eventually(() => assert.deepEqual(leaders(file), [first.process.pid]));
  return [first, startNode([PROGRAM, database, file])];
}

test("when the leader is killed, the other process leads after the lease has run out, and never both at once", async () => {
  using folder = temporaryFolder();
  const [database, file] = [join(folder.path, "db"), join(folder.path, "log")];
  const [first, second] = await candidates(file, database);
  await using _a = first;
  await using _b = second;
  first.process.kill("SIGKILL");
  await second.until(/leading/);
  await eventually(() => assert.deepEqual(leaders(file), [first.process.pid, second.process.pid]));
  second.process.kill("SIGTERM");
  assert.equal((await second.ended).code, 0);
});

test("a leader that was frozen leaves when it wakes up, and does nothing in the name of its old term", async () => {
  using folder = temporaryFolder();
  const [database, file] = [join(folder.path, "db"), join(folder.path, "log")];
  const [first, second] = await candidates(file, database);
  await using _a = first;
  await using _b = second;
  first.process.kill("SIGSTOP");
  await second.until(/leading/);
  await eventually(() => assert.equal(leaders(file).at(-1), second.process.pid));
  first.process.kill("SIGCONT");
  await first.until(/left/);
  await eventually(() => assert.equal(leaders(file).length, 2));
  for (const child of [first, second]) child.process.kill("SIGTERM");
  assert.deepEqual([(await first.ended).code, (await second.ended).code], [0, 0]);
  assert.ok(leaders(file).length >= 2);
});
