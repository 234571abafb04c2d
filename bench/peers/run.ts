/**
 * Nightshift beside the peers: `npm run bench:peers`, or with words to run the systems whose key contains one. Writes its
 * section of bench/RESULTS.md after each round of all systems; `--quick` is one short repetition, to try it, and writes nothing.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Measured } from "../measure.ts";
import { tableOf, writeSection } from "../report.ts";
import type { Entry } from "./systems/index.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
// Scripts are not needed: what is native here comes built, or has a substitute in JavaScript.
const INSTALL = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
if (!existsSync(`${HERE}node_modules`)) execFileSync("npm", INSTALL, { cwd: HERE, stdio: "inherit" });

// Only now: these import what was installed.
const { SYSTEMS } = await import("./systems/index.ts");
const { startServers } = await import("./servers.ts");
const { repetition, WORKLOADS } = await import("./contender.ts");

const words = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const quick = process.argv.includes("--quick");
const rounds = quick ? 1 : 3;
const times = quick
  ? { enqueue: 300, drain: 1_000, latency: 500, sustained: 1_000 }
  : { enqueue: 1_500, drain: 2_500, latency: 2_500, sustained: 2_500 };
const PEERS = ["graphile-worker", "pg-boss", "bullmq", "plainjob", "sidequest", "better-sqlite3", "pg"];
const UNITS: Readonly<Record<string, Measured["unit"]>> = {
  [WORKLOADS.p50]: "ms",
  [WORKLOADS.p99]: "ms",
  [WORKLOADS.cpu]: "µs",
  [WORKLOADS.wal]: "bytes",
};

/** Figures by workload, then by system. */
const figures = new Map<string, Map<string, number[]>>();
const failures = new Set<string>();
const loads: number[] = [];
const chosen = Object.entries(SYSTEMS).filter(
  ([key]) => words.length === 0 || words.some((word) => key.includes(word)),
);
let asked = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => (asked = true)); // after the system under way
const servers = await startServers();
try {
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another system: whoever comes after a checkpoint must not always be the same.
    for (const index of chosen.keys()) {
      if (asked) break;
      const [key, entry] = chosen[(index + round * 5) % chosen.length] ?? [];
      if (key === undefined || entry === undefined) continue;
      loads.push(loadavg()[0] ?? 0);
      const measure = (workload: string, figure: number) => {
        if (!(figure > 0)) return; // one job or none: no rate
        console.log(`${round + 1}/${rounds} ${entry.label.padEnd(40)} ${workload.padEnd(45)} ${figure.toFixed(2)}`);
        push(workload, key, figure);
      };
      try {
        await repetition(key, entry, servers, times, measure);
      } catch (error) {
        console.error(`${entry.label}:`, error);
        failures.add(`${entry.label}: ${(error as Error).message.split("\n")[0]}`);
      }
    }
    // After each: who ends it early has what was measured.
    if (asked) break;
    if (!quick && words.length === 0) writeSection("Beside the peers", about(round + 1), results());
  }
} finally {
  await servers.close();
}
console.log(tableOf(results()));
for (const failure of failures) console.error(`failed: ${failure}`);

function push(workload: string, key: string, figure: number): void {
  const bySystem = figures.get(workload) ?? new Map<string, number[]>();
  figures.set(workload, bySystem.set(key, [...(bySystem.get(key) ?? []), figure]));
}

function results(): readonly Measured[] {
  return [...resultsOf("PostgreSQL", ["postgres", "redis", "redis-aof"]), ...resultsOf("SQLite", ["sqlite"])];
}

/** A table's rows for the systems of some kinds; ours first, as the registry has it. */
function resultsOf(title: string, kinds: readonly Entry["kind"][]): readonly Measured[] {
  return Object.values(WORKLOADS).flatMap((workload) => {
    const contenders = chosen.flatMap(([key, { label, kind }]) => {
      const values =
        figures
          .get(workload)
          ?.get(key)
          ?.toSorted((a, b) => a - b) ?? [];
      if (!kinds.includes(kind) || values.length === 0) return [];
      const at = (index: number) => values[index] ?? Number.NaN;
      const median = (at((values.length - 1) >> 1) + at(values.length >> 1)) / 2;
      return [{ name: label, median, low: at(0), high: at(values.length - 1) }];
    });
    if (contenders.length === 0) return [];
    return [{ workload: `${title}: ${workload}`, unit: UNITS[workload] ?? "jobs/s", contenders }];
  });
}

function about(done: number): readonly string[] {
  const version = (name: string) => {
    const text = readFileSync(`${HERE}node_modules/${name}/package.json`, "utf8");
    return `${name} ${(JSON.parse(text) as { version: string }).version}`;
  };
  const has = (key: string, workload: string) => figures.get(workload)?.has(key) ?? false;
  const stuck = chosen.filter(
    ([key]) => has(key, WORKLOADS.hundred) && !has(key, WORKLOADS.p50) && !SYSTEMS[key]?.only,
  );
  return [
    `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    ...servers.versions,
    ...PEERS.map(version),
    `${done} repetitions, one of each system in turn`,
    `load average before each: ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
    "how each is set up: bench/peers/README.md",
    ...stuck.map(([, { label }]) => `${label} did not keep up with 50 jobs/s, so it has no latency`),
    ...[...failures].map((failure) => `failed: ${failure}`),
  ];
}
