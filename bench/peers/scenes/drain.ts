/** Draining by 1, 2 and 4 processes: how fast, and what a job costs in Node, in the server and in its log. */
import type { ShiftFigures } from "../shift.ts";
import type { Stage } from "../stage.ts";
import type { Scene } from "./index.ts";

/** Fewer jobs say nothing about the cost of one. */
const ENOUGH = 200;

export const drain: Scene = {
  seconds: 7,
  takesPart: ({ only }) => only?.includes("drain") ?? true,
  async play(stage: Stage) {
    const { entry, servers, scale, measure } = stage;
    const jobs = Math.ceil(entry.drains / scale.less);
    const producer = await stage.process();
    const worker = await stage.process();
    const fill = async () => {
      const before = await walBytes(stage);
      await stage.store(producer.ask("fill", { jobs }));
      const after = await walBytes(stage);
      if (stage.onPostgres) await servers.analyze(stage.place);
      return (after - before) / jobs;
    };
    const walIn = await fill();
    const wal = await walBytes(stage);
    const server = stage.place.serverTime();
    const [one] = await stage.work([worker]);
    const spent = stage.place.serverTime();
    if (one === undefined || one.count < 2) return;
    measure("drain", one.rate);
    if (stage.waiting > 0 && one.count < ENOUGH) return;
    measure("cpu", (one.cpu / one.count) * 1_000);
    measure("peak", one.peak / 2 ** 20);
    if (server !== undefined && spent !== undefined) measure("serverCpu", ((spent - server) / one.count) * 1_000);
    if (stage.onPostgres) measure("wal", walIn + ((await walBytes(stage)) - wal) / one.count);
    if (entry.only !== undefined) return;
    const workers = [worker, await stage.process()];
    await fill();
    measure("drainTwo", together(await stage.work(workers)));
    workers.push(await stage.process(), await stage.process());
    await fill();
    measure("drainFour", together(await stage.work(workers)));
  },
};

async function walBytes({ onPostgres, servers }: Stage): Promise<number> {
  return onPostgres ? servers.walBytes() : 0;
}

/** Jobs a second, from the first handler of all to the last. */
function together(figures: readonly ShiftFigures[]): number {
  const busy = figures.filter(({ count }) => count > 0);
  const span = Math.max(...busy.map(({ last }) => last)) - Math.min(...busy.map(({ first }) => first));
  return (busy.reduce((sum, { count }) => sum + count, 0) / span) * 1_000;
}
