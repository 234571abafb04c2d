/**
 * `nightshift/testing/store-conformance`: every behaviour of the store's contract as tests for `node:test`. The
 * library's own stores run it, and a third party's store can.
 */
import { describe } from "node:test";
import { claiming } from "./claiming.ts";
import { controlling } from "./controlling.ts";
import { direct } from "./direct.ts";
import { enqueueing } from "./enqueueing.ts";
import { firing } from "./firing.ts";
import type { StoreHarness } from "./harness.ts";
import { inspecting } from "./inspecting.ts";
import { interleaving } from "./interleaving.ts";
import { leading } from "./leading.ts";
import { modelling } from "./modelling.ts";
import { rescuing } from "./rescuing.ts";
import { scheduling } from "./scheduling.ts";
import { settling } from "./settling.ts";
import { sharing } from "./sharing.ts";
import { simulating } from "./simulating.ts";
import { transferring } from "./transferring.ts";
import { waking } from "./waking.ts";

export type { StoreHarness, StoreUnderTest } from "./harness.ts";

const SUBJECTS = {
  enqueueing,
  claiming,
  "enqueueing and claiming at once": direct,
  settling,
  rescuing,
  controlling,
  scheduling,
  firing,
  leading,
  inspecting,
  transferring,
  waking,
  sharing,
  interleaving,
  modelling,
  simulating,
};

/**
 * Declares the suite for one store.
 *
 * @param name how the store is called in the report
 * @param harness makes a fresh, empty, open store for each test
 * @example
 * ```ts
 * import { memory } from "nightshift/memory";
 * import { capturingLogger, VirtualClock } from "nightshift/testing";
 * import { storeConformance } from "nightshift/testing/store-conformance";
 *
 * storeConformance("memory", {
 *   async create() {
 *     const clock = new VirtualClock();
 *     const store = memory();
 *     await store.open({ clock, logger: capturingLogger() });
 *     return { store, advance: (milliseconds) => clock.advance(milliseconds), dispose: () => store.close() };
 *   },
 * });
 * ```
 */
export function storeConformance(name: string, harness: StoreHarness): void {
  describe(`${name} keeps the store's contract`, () => {
    for (const [subject, declare] of Object.entries(SUBJECTS)) describe(subject, () => declare(harness));
  });
}

/**
 * Declares simulated bad days beyond those of the suite, one test for each seed: for long runs, and to repeat the day on
 * which something went wrong.
 *
 * @param name how the store is called in the report
 * @param harness makes a fresh, empty, open store for each test
 * @param seeds the same seed is the same day, as far as the store's own timing lets it be
 * @example
 * ```ts
 * import { memory } from "nightshift/memory";
 * import { capturingLogger, VirtualClock } from "nightshift/testing";
 * import { storeSimulation } from "nightshift/testing/store-conformance";
 *
 * async function create() {
 *   const clock = new VirtualClock();
 *   const store = memory();
 *   await store.open({ clock, logger: capturingLogger() });
 *   return { store, advance: (milliseconds: number) => clock.advance(milliseconds), dispose: () => store.close() };
 * }
 * storeSimulation("memory", { create }, [4, 5, 6]);
 * ```
 */
export function storeSimulation(name: string, harness: StoreHarness, seeds: readonly number[]): void {
  describe(`${name} survives bad days`, () => simulating(harness, seeds));
}
