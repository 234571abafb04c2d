/**
 * Runs the benchmarks: all groups, or those named (`npm run bench -- sqlite`). Writes bench/RESULTS.md.
 * `--long` adds the workloads that take minutes.
 */
import { type Measured, measure, type Workload } from "./measure.ts";
import { tableOf, writeSection } from "./report.ts";

/** What a group's file exports. */
export interface Group {
  /** Versions and settings, for the report. */
  readonly about: readonly string[];
  readonly workloads: readonly Workload[];
  close(): Promise<void>;
}

/** Loaded when they are run, since a group may need a server or an optional package. */
const GROUPS: Readonly<Record<string, (long: boolean) => Promise<Group>>> = {
  sqlite: async (long) => (await import("./sqlite/group.ts")).sqliteGroup(long),
  postgres: async (long) => (await import("./postgres/group.ts")).postgresGroup(long),
};

const words = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const long = process.argv.includes("--long");
for (const [name, load] of Object.entries(GROUPS)) {
  if (words.length > 0 && !words.includes(name)) continue;
  const group = await load(long);
  const results: Measured[] = [];
  try {
    for (const workload of group.workloads) {
      results.push(await measure(workload));
      console.log(tableOf(results.slice(-1)).split("\n").slice(2).join("\n"));
    }
  } finally {
    await group.close();
  }
  writeSection(name, group.about, results);
}
