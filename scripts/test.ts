/**
 * Runs the tests: all of them, or those whose path contains one of the words given (`npm test -- cron worker`).
 * Long suites (faults, compatibility) have commands of their own and are not found here.
 */
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";

const LONG = ["test/faults/long/", "test/compat/", "test/time/long/"];
const words = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith("--"));

const files = globSync("test/**/*.test.ts")
  .filter((file) => !LONG.some((folder) => file.startsWith(folder)))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`No test file matches ${words.join(", ")}.`);
  process.exit(1);
}

const child = spawn(
  process.execPath,
  ["--test", `--test-concurrency=${availableParallelism()}`, "--test-timeout=300000", ...flags, ...files],
  { stdio: "inherit", env: { ...process.env, NODE_NO_WARNINGS: "1" } },
);
child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
