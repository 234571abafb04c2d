/** A million jobs through one process: its memory. Then draining beside them and a million that are due tomorrow. */
import type { Stage } from "../stage.ts";
import type { Scene } from "./index.ts";

const DRAINS = 3;
const LONG = 150_000;

export const million: Scene = {
  seconds: 42,
  once: true,
  takesPart: ({ crowd }) => crowd !== undefined,
  async play(stage: Stage) {
    const { entry, servers, scale, measure } = stage;
    const producer = await stage.process();
    const worker = await stage.process();
    const jobs = Math.ceil(entry.drains / scale.less);
    const drainOnce = async () => {
      await stage.store(producer.ask("fill", { jobs }));
      return (await stage.work([worker]))[0]?.rate ?? Number.NaN;
    };
    await drainOnce(); // code that was never run is slow, and so is a table without statistics
    if (stage.onPostgres) await servers.settle(stage.place);
    for (let n = 0; n < DRAINS; n++) measure("alone", await drainOnce());
    if (entry.crowd === "worked") {
      await stage.store(producer.ask("fill", { jobs: scale.million }));
      const fresh = await stage.process();
      const [figures] = await stage.work([fresh], LONG);
      if (figures !== undefined) {
        measure("million", figures.rate);
        measure("millionPeak", figures.peak / 2 ** 20);
        measure("millionGrowth", growth(figures.memory));
      }
    }
    await producer.ask("crowd", { count: scale.million });
    if (stage.onPostgres) await servers.settle(stage.place);
    for (let n = 0; n < DRAINS; n++) measure("crowded", await drainOnce());
  },
};

/** The mean of the last tenth of the samples, beside the mean of the tenth after the first third. */
function growth(samples: readonly number[]): number {
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  const third = Math.floor(samples.length / 3);
  const mean = (some: readonly number[]) => some.reduce((sum, n) => sum + n, 0) / some.length;
  return mean(samples.slice(-tenth)) / mean(samples.slice(third, third + tenth));
}
