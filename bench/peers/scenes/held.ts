/**
 * Draining while another connection holds a snapshot, so that nothing that was deleted can be cleaned away. One worker runs all
 * the time and is given a burst, in one call, again and again; the rate is that at which it takes what was stored.
 */
import type { SystemProcess } from "../process.ts";
import type { Stage } from "../stage.ts";
import { now, pause } from "../system.ts";
import type { Scene } from "./index.ts";

/** Fewer left than that are gone too soon to time. */
const ENOUGH = 2_000;
const LOOK_EVERY = 20;
/** A system that has become slow is looked at for so long, not until it is done. */
const PATIENCE = 8_000;
const LAST = 20_000;

export const held: Scene = {
  seconds: 114,
  once: true,
  takesPart: ({ held }) => held ?? false,
  async play(stage: Stage) {
    const { scale, servers, measure } = stage;
    const producer = await stage.process();
    const worker = await stage.process();
    await worker.ask("start", { ms: 600_000 });
    await bursts(stage, producer, worker, now() + scale.clean / 4);
    await servers.settle(stage.place);
    const clean = await bursts(stage, producer, worker, now() + scale.clean);
    await using _snapshot = await servers.holdSnapshot(stage.place);
    const end = now() + scale.held;
    await bursts(stage, producer, worker, end - Math.min(LAST, scale.held / 2));
    const late = await bursts(stage, producer, worker, end);
    await stage.stop([worker]);
    measure("clean", median(clean));
    measure("held", median(late));
  },
};

/** Bursts until a moment; the rate of each. */
async function bursts(stage: Stage, producer: SystemProcess, worker: SystemProcess, until: number): Promise<number[]> {
  const size = Math.ceil(stage.entry.drains / stage.scale.less);
  const rates: number[] = [];
  while (now() < until) {
    const { count: handledBefore } = await worker.ask("seen", {});
    if (stage.waiting - handledBefore < size) await stage.store(producer.ask("fill", { jobs: size, call: size }));
    const [from, started] = [await worker.ask("seen", {}), now()];
    let to = from;
    while (to.count < stage.waiting && now() - started < PATIENCE) {
      await pause(LOOK_EVERY);
      to = await worker.ask("seen", {});
    }
    if (to.count - from.count >= ENOUGH) rates.push(((to.count - from.count) / (to.last - started)) * 1_000);
  }
  return rates;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
