/**
 * Nightshift beside the peers: `npm run bench:peers`. Every system plays every scene, in turn, three times over; figures
 * and goals go to the section of bench/RESULTS.md after each scene.
 *
 * - words choose systems, those whose key contains one; `--only drain,idle` chooses scenes. Such a run only prints.
 * - `--resume` goes on with what is stored (bench/peers/figures.json) until there are enough repetitions, and adds to it
 *   what words or `--only` choose.
 * - `--rounds 5` is how many repetitions; `--quick` one short one of each, which only prints.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { tableOf } from "../report.ts";
import type { Scale } from "./stage.ts";
import type { Workload } from "./workloads.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
// Scripts are not needed: what is native here comes built, or has a substitute in JavaScript.
const INSTALL = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
if (!existsSync(`${HERE}node_modules`)) execFileSync("npm", INSTALL, { cwd: HERE, stdio: "inherit" });

// Only now: these import what was installed.
const { entryOf, SYSTEMS } = await import("./systems/index.ts");
const { startServers } = await import("./servers.ts");
const { SCENES } = await import("./scenes/index.ts");
const { Stage } = await import("./stage.ts");
const { Notebook } = await import("./notebook.ts");
const { goalsTable } = await import("./goals.ts");
const { buildChild } = await import("./process.ts");
const { versions, writeResults } = await import("./results.ts");

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "3" },
    resume: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
  },
});
const FULL: Scale = {
  ...{ enqueue: 1_500, sustained: 2_500, paced: 125, drain: 10_000, less: 1 },
  ...{ idle: 20_000, million: 1_000_000, clean: 12_000, held: 90_000 },
};
const QUICK: Scale = {
  ...{ enqueue: 300, sustained: 1_000, paced: 25, drain: 4_000, less: 4 },
  ...{ idle: 3_000, million: 50_000, clean: 3_000, held: 6_000 },
};
const scale = options.quick ? QUICK : FULL;
const rounds = options.quick ? 1 : Number(options.rounds);
const only = options.only.split(",").filter((name) => name !== "");
const scenes = Object.entries(SCENES).filter(([name]) => only.length === 0 || only.includes(name));
const systems = Object.keys(SYSTEMS).filter((key) => words.length === 0 || words.some((word) => key.includes(word)));
const unknown = only.filter((name) => !(name in SCENES));
if (unknown.length > 0 || systems.length === 0 || !(rounds >= 1)) {
  console.error(`Scenes: ${Object.keys(SCENES).join(", ")}. Systems: ${Object.keys(SYSTEMS).join(", ")}.`);
  process.exit(2);
}
const writes = !options.quick && (options.resume || (words.length === 0 && only.length === 0));
const notes = options.resume ? Notebook.stored() : Notebook.empty();

/** What is still to be played, in its order: round by round, scene by scene, each scene by all systems in turn. */
const plan = Array.from({ length: rounds }, (_, round) =>
  scenes.flatMap(([name, scene]) => {
    const cast = systems.filter((key) => {
      const entry = entryOf(key);
      return entry !== undefined && scene.takesPart(entry) && notes.timesPlayed(name, key) <= round;
    });
    if (cast.length === 0 || (scene.once === true && round > 0)) return [];
    // Each round begins with another system: whoever comes after a checkpoint must not always be the same.
    const first = (round * 5) % cast.length;
    return [{ round, name, scene, cast: [...cast.slice(first), ...cast.slice(0, first)] }];
  }),
).flat();
const seconds = plan.reduce((sum, { scene, cast }) => sum + scene.seconds * cast.length, 0);
console.log(
  `${systems.length} systems, ${scenes.length} scenes, about ${Math.ceil(seconds / 60)} minutes if not quick.`,
);

// Ends after the system under way. The servers may have been told too: what fails from now on says nothing.
let asked = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => (asked = true));
buildChild();
const servers = await startServers();
notes.measuredWith(versions(servers.versions));
try {
  for (const { round, name, cast } of plan) {
    for (const key of cast) if (!asked) await play(name, key, round);
    // After each: who ends it early has what was measured.
    if (writes && !asked) writeResults(notes);
  }
} finally {
  await servers.close();
}
if (writes) writeResults(notes);
console.log(tableOf(notes.results()));
console.log(goalsTable(notes).join("\n"));
if (asked && writes) console.log("Ended early: --resume goes on from here.");
for (const failure of notes.about.failures) console.error(`failed: ${failure}`);

async function play(name: string, key: string, round: number): Promise<void> {
  const [entry, scene] = [entryOf(key), SCENES[name]];
  if (entry === undefined || scene === undefined || (entry.commits !== undefined && !servers.pgbench)) return;
  const load = loadavg()[0] ?? 0;
  const figures = new Map<Workload, number[]>();
  const measure = (workload: Workload, figure: number) => {
    if (!Number.isFinite(figure)) return; // one job or none: no rate
    console.log(`${round + 1}/${rounds} ${entry.label.padEnd(62)} ${workload.padEnd(14)} ${figure.toFixed(2)}`);
    figures.set(workload, [...(figures.get(workload) ?? []), figure]);
  };
  writeBack();
  const started = performance.now();
  try {
    await using stage = await Stage.open({ key, entry, servers, scale, measure });
    if (stage === undefined) return;
    await scene.play(stage);
    notes.played(name, key, figures, stage.tally(), load);
  } catch (error) {
    if (asked) return;
    console.error(`${entry.label}, ${name}:`, error);
    notes.failed(name, key, `${entry.label}, ${name}: ${(error as Error).message.split("\n")[0]}`);
  }
  console.log(`${name}/${key}: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  if (writes) notes.store();
}

/** What the build, the servers or the one before have left to be written would be waited for by who comes next. */
function writeBack(): void {
  if (process.platform !== "win32") execFileSync("sync");
}
