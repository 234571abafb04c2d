/** A producer process with 100 callers and a worker process at the same time: the rate of the handlers. */
import type { Stage } from "../stage.ts";
import type { Scene } from "./index.ts";

export const sustained: Scene = {
  seconds: 5,
  takesPart: ({ only }) => only === undefined,
  async play(stage: Stage) {
    const { scale, measure } = stage;
    const worker = await stage.process();
    const producer = await stage.process();
    await worker.ask("start", { ms: scale.sustained });
    await stage.store(producer.ask("enqueue", { width: 100, ms: scale.sustained }));
    const [figures] = await stage.stop([worker]);
    if (figures !== undefined && figures.count > 1) measure("sustained", figures.rate);
    // What is left is not part of the figure, but none of it may be missing.
    if (stage.waiting > 0) await stage.work([worker]);
  },
};
