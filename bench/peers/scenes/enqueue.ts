/** Enqueueing: one by one, by 100 callers, and in calls of 10,000. */
import type { Stage } from "../stage.ts";
import type { Scene } from "./index.ts";

/** V8 compiles what is called often while it is called: what is measured is a process that has been at work. */
const WARM = 1_500;

export const enqueue: Scene = {
  seconds: 9,
  takesPart: ({ only }) => only?.includes("enqueue") ?? true,
  async play(stage: Stage) {
    const { entry, place, scale, measure } = stage;
    if (entry.commits !== undefined) {
      measure("one", await entry.commits(place.address, scale.enqueue));
      return;
    }
    const producer = await stage.process();
    for (const [workload, width] of [
      ["one", 1],
      ["hundred", 100],
    ] as const) {
      await producer.ask("enqueue", { width, ms: WARM });
      measure(workload, (await producer.ask("enqueue", { width, ms: scale.enqueue })).rate);
    }
    if (entry.bulk !== false) measure("bulk", (await producer.ask("fill", { jobs: 40_000 / scale.less })).rate);
  },
};
