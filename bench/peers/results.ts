/** The section of bench/RESULTS.md: what was measured with what, the goals, the figures. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { writeSection } from "../report.ts";
import { goalsTable } from "./goals.ts";
import type { Notebook } from "./notebook.ts";
import { entryOf, SYSTEMS, type SystemKey } from "./systems/index.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PEERS = ["graphile-worker", "pg-boss", "bullmq", "plainjob", "sidequest", "better-sqlite3", "pg"];

/** Everything that a figure depends on, in one line. */
export function versions(servers: readonly string[]): string {
  const peers = PEERS.map((name) => {
    const text = readFileSync(`${HERE}node_modules/${name}/package.json`, "utf8");
    return `${name} ${(JSON.parse(text) as { version: string }).version}`;
  });
  return [`Nightshift at ${commit()}`, ...servers, ...peers].join(" · ");
}

export function writeResults(notes: Notebook): void {
  const { versions, failures, loads } = notes.about;
  const { stored, handled, behind } = notes.tallies();
  const stuck = (Object.keys(SYSTEMS) as SystemKey[]).filter(
    (key) =>
      entryOf(key)?.only === undefined &&
      notes.tally("latency", key) !== undefined &&
      notes.figure("p50", key) === undefined,
  );
  const about = [
    `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    ...versions,
    `load average before each: ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
    "how each is set up, and what each figure is: bench/peers/README.md",
    ...stuck.map((key) => `${SYSTEMS[key].label} did not keep up with 50 jobs/s, so it has no latency`),
    ...failures.map((failure) => `failed: ${failure}`),
  ];
  const text = [
    "Goals, each judged by the medians of the table below:",
    "",
    ...goalsTable(notes),
    "",
    `Of ${stored.toLocaleString("en-US")} jobs that were stored to be handled, ${handled.toLocaleString("en-US")} were, each once.`,
    ...(behind.length > 0 ? [`Not in the time they were given: ${behind.join(", ")}.`] : []),
    "",
  ];
  writeSection("Beside the peers", about, notes.results(), text);
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { cwd: HERE, encoding: "utf8" }).trim();
  } catch {
    return "a version that is not in git"; // an unpacked archive
  }
}
