/** From the call of enqueue to the handler, at 50 jobs a second: in one process, and from one process to another. */
import type { SystemProcess } from "../process.ts";
import type { Stage } from "../stage.ts";
import { pause } from "../system.ts";
import type { Workload } from "../workloads.ts";
import type { Scene } from "./index.ts";

/** One by one without a pause before: a process that has been at work for a minute runs code that is compiled. */
const WARM_UP = 3_000;
/** The first ones at the pace still meet what the haste has left. */
const WARM = 20;
const PATIENCE = 2_000;
const WARM_PATIENCE = 10_000;
const SETTLE = 300;

export const latency: Scene = {
  seconds: 16,
  takesPart: ({ only }) => only?.includes("latency") ?? true,
  async play(stage: Stage) {
    const one = await stage.process();
    // Limits run no jobs: they say what a commit takes at this pace.
    if (stage.entry.only !== undefined) {
      await one.ask("enqueue", { width: 1, ms: WARM_UP });
      await paced(stage, one, "stored");
      return;
    }
    await between(stage, one, one, "p50", "p99");
    await between(stage, await stage.process(), one, "otherP50", "otherP99");
  },
};

async function between(stage: Stage, from: SystemProcess, to: SystemProcess, p50: Workload, p99: Workload) {
  await to.ask("start", { ms: 60_000, latencies: true });
  const warm = await stage.store(from.ask("enqueue", { width: 1, ms: WARM_UP }));
  await seen(to, warm.count, WARM_PATIENCE);
  await pause(SETTLE);
  const jobs = await paced(stage, from, from === to ? "stored" : undefined);
  await seen(to, warm.count + jobs, PATIENCE);
  const [figures] = await stage.stop([to]);
  const sorted = (figures?.latencies ?? []).slice(warm.count + WARM).toSorted((a, b) => a - b);
  // Those who handled too few are not slow but stuck: a percentile of the rest would flatter them.
  if (sorted.length < 0.95 * stage.scale.paced) return;
  stage.measure(p50, sorted[sorted.length >> 1] ?? Number.NaN);
  stage.measure(p99, sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN);
}

async function seen(by: SystemProcess, jobs: number, patience: number): Promise<void> {
  for (let waited = 0; waited < patience && (await by.ask("seen", {})).count < jobs; waited += 20) await pause(20);
}

/** Enqueues at the pace; says how many, and measures the time until each was stored. */
async function paced(stage: Stage, from: SystemProcess, workload?: Workload): Promise<number> {
  const jobs = WARM + stage.scale.paced;
  const answer = from.ask("pace", { jobs });
  // What a limit stores nobody is to handle.
  if (stage.entry.only === undefined) await stage.store(answer);
  const took = (await answer).took.slice(WARM).toSorted((a, b) => a - b);
  if (workload !== undefined) stage.measure(workload, took[took.length >> 1] ?? Number.NaN);
  return jobs;
}
