/** A million jobs through one process: its memory. Then draining beside them and a million that are due tomorrow. */
import type { SystemProcess } from "../process.ts";
import type { Stage } from "../stage.ts";
import type { Scene } from "./index.ts";

const DRAINS = 5;
const LONG = 150_000;

export const million: Scene = {
  seconds: 50,
  once: true,
  takesPart: ({ crowd }) => crowd !== undefined,
  async play(stage: Stage) {
    const { entry, place, scale, measure } = stage;
    const full = await pairAt(stage, place);
    if (entry.crowd !== "made") {
      await stage.store(full.producer.ask("fill", { jobs: scale.million }));
      const [figures] = await stage.work([await stage.process()], LONG);
      if (figures !== undefined) {
        measure("million", figures.rate);
        measure("millionPeak", figures.peak / 2 ** 20);
        measure("millionGrowth", growth(figures.memory));
      }
    }
    if (entry.crowd === "none") return;
    await full.producer.ask("crowd", { count: scale.million });
    // The same system beside nothing, in turn with it: the speed of a machine is not the same for two minutes on end.
    const empty = await pairAt(stage, await stage.anotherPlace());
    const sides = [
      ["alone", empty],
      ["crowded", full],
    ] as const;
    for (const [, side] of sides) await drainOnce(stage, side); // code that was never run is slow, and so is a table without statistics
    if (stage.onPostgres) for (const [, side] of sides) await stage.servers.settle(side.place);
    for (let n = 0; n < DRAINS; n++) {
      for (const [workload, side] of n % 2 === 0 ? sides : sides.toReversed()) {
        measure(workload, await drainOnce(stage, side));
      }
    }
  },
};

/** A producer and a worker at one place. */
interface Pair {
  readonly place: Stage["place"];
  readonly producer: SystemProcess;
  readonly worker: SystemProcess;
}

async function pairAt(stage: Stage, place: Stage["place"]): Promise<Pair> {
  return { place, producer: await stage.process(place), worker: await stage.process(place) };
}

async function drainOnce(stage: Stage, { producer, worker }: Pair): Promise<number> {
  await stage.store(producer.ask("fill", { jobs: Math.ceil(stage.entry.drains / stage.scale.less) }));
  return (await stage.work([worker]))[0]?.rate ?? Number.NaN;
}

/** The mean of the last tenth of the samples, beside the mean of the tenth after the first third. */
function growth(samples: readonly number[]): number {
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  const third = Math.floor(samples.length / 3);
  const mean = (some: readonly number[]) => some.reduce((sum, n) => sum + n, 0) / some.length;
  return mean(samples.slice(-tenth)) / mean(samples.slice(third, third + tenth));
}
