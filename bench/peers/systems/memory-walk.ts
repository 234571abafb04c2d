/**
 * What memory takes at the pace of the latency scene, without any store: a walk through 256 KB, a line of the cache a
 * load, each at the place that the last one read. At once again it takes 0.02 ms; after a rest it says how much of what
 * a process had in its processor's caches others have pushed out, and everybody's latency goes with it.
 */
import type { Open } from "../system.ts";

const BYTES = 256 * 1_024;
/** Four-byte numbers in a line of the cache. */
const LINE = 64 / 4;

export const open: Open = async () => {
  const next = new Int32Array(BYTES / 4);
  const places = shuffled(BYTES / 64).map((line) => line * LINE);
  for (const [index, place] of places.entries()) next[place] = places[(index + 1) % places.length] ?? 0;
  let at = 0;
  return {
    async enqueue() {
      for (let load = 0; load < places.length; load++) at = next[at] ?? 0;
    },
    work: () => Promise.reject(new Error("Nothing is stored here.")),
    close: async () => undefined,
  };
};

/** In an order that no processor foresees, the same in each run. */
function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, number) => number);
  let seed = 1;
  for (let last = count - 1; last > 0; last--) {
    seed = (seed * 48_271) % 2_147_483_647;
    const other = seed % (last + 1);
    [numbers[last], numbers[other]] = [numbers[other] ?? 0, numbers[last] ?? 0];
  }
  return numbers;
}
