import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createHost, silentLogger } from "../../src/index.ts";
import { defineJob, unchecked } from "../../src/jobs/index.ts";
import type { Store } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startEngine } from "./support/engine.ts";

/** A store whose claims take 2 ms, and whose nth claim is answered with an error after its commit. */
function slow(store: Store, clock: VirtualClock, losing: number) {
  return watched(
    store,
    { synchronous: false, losing },
    () => new Promise((resolve) => void clock.setTimer(1, resolve)),
  );
}

/** Counts claims, and how many are under way at once. */
function watched(
  store: Store,
  { synchronous = store.info().synchronous ?? false, losing = 0 } = {},
  aMoment: () => Promise<void> = async () => undefined,
) {
  const seen = { claims: 0, most: 0, reconciled: [] as number[] };
  let underWay = 0;
  const claiming = async <T>(real: () => Promise<T>): Promise<T> => {
    const mine = ++seen.claims;
    seen.most = Math.max(seen.most, ++underWay);
    try {
      await aMoment();
      const answer = await real();
      if (mine === losing) throw new Error("the answer was lost");
      await aMoment();
      return answer;
    } finally {
      underWay--;
    }
  };
  const proxy = new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      const real = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (key === "info") return () => ({ ...target.info(), synchronous });
      if (key === "claim" || key === "settleAndClaim") return (...args: unknown[]) => claiming(() => real(...args));
      if (key !== "reconcile") return real;
      return (...args: unknown[]) => {
        seen.reconciled.push(underWay);
        return real(...args);
      };
    },
  });
  return { store: proxy, seen };
}

const TOTAL = 12_000;

for (const losing of [0, 6, 7]) {
  const what = losing === 0 ? "no claim" : `claim ${losing}`;
  test(`two exchanges at once run every job of a fast queue once, in order; ${what} loses its answer`, async () => {
    const ran: number[] = [];
    const fast = defineJob({ name: "fast", input: unchecked<number>(), run: (index) => void ran.push(index) });
    const clock = new VirtualClock();
    const { store, seen } = slow(memory(), clock, losing);
    await using engine = await startEngine({ jobs: [fast], store, clock });
    await engine.jobs.enqueueMany(
      fast,
      Array.from({ length: TOTAL }, (_, index) => index),
    );
    for (let ms = 0; ran.length < TOTAL && ms < 10_000; ms += 10) await clock.advance(10);
    await clock.advance(10); // the claim that finds nothing more has its answer, too
    assert.equal(seen.most, 2);
    assert.equal(new Set(ran).size, TOTAL);
    if (losing === 0) assert.ok(ran.every((index, at) => index === at));
    else assert.deepEqual(seen.reconciled, [0], "cleared up once, while no claim was under way");
  });
}

test("a store that works in this thread is never asked for a second batch beside the first", async () => {
  using folder = temporaryFolder();
  for (const real of [memory(), sqlite(join(folder.path, "jobs.db"))]) {
    let ran = 0;
    const fast = defineJob({ name: "fast", input: unchecked<number>(), run: () => void ran++ });
    const { store, seen } = watched(real);
    const builder = createHost({ logger: silentLogger, signals: false });
    builder.addJobs({ store, jobs: [fast] });
    await using host = builder.build();
    await host.start();
    await host.jobs.enqueueMany(
      fast,
      Array.from({ length: TOTAL }, (_, index) => index),
    );
    await eventually(async () => assert.equal(ran, TOTAL));
    await host.stop();
    assert.equal(seen.most, 1);
    assert.ok(seen.claims < TOTAL / 100, `${seen.claims} claims are not those of a fast queue`);
  }
});
