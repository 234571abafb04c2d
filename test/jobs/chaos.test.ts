/**
 * Several processes on one store, on virtual time and with a seeded dice: calls fail before and after their commit,
 * processes freeze, crash and come back, handlers fail, hang, snooze and are cancelled. Whatever happens, every accepted
 * job ends once, and a success that was accepted is never run again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineJob, unchecked } from "../../src/jobs/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { startEngine, type TestEngine } from "./support/engine.ts";
import { type Faults, faulty } from "./support/faulty-store.ts";

/** mulberry32: small, seeded, good enough for dice. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Process {
  readonly engine: TestEngine;
  readonly faults: Faults;
  /** Its calls to the store never come back from now on: as good as killed. */
  crash(): void;
}

const CALLS = ["claim", "settle", "settleAndClaim", "heartbeat", "promote", "rescue", "reconcile", "register"] as const;

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`seed ${seed}: every job ends once, whatever fails`, async () => {
    const roll = dice(seed);
    const clock = new VirtualClock();
    const store = memory();
    const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(ms, () => resolve()));
    const step = defineJob({
      name: "step",
      input: unchecked<number>(),
      timeout: "20s",
      maxCrashes: 1_000,
      retry: { attempts: 1_000, delay: "1s", maxDelay: "10s" },
      async run(_index, job) {
        const luck = roll();
        if (luck < 0.2) await wait(roll() * 5_000);
        if (luck < 0.1) throw new Error("bad luck");
        if (luck < 0.12) return job.snooze("3s");
        // Deaf to its signal, for longer than the timeout and the grace.
        if (luck > 0.98) await wait(60_000);
      },
    });
    const start = async (): Promise<Process> => {
      const { store: shaky, faults } = faulty(store);
      const engine = await startEngine({
        jobs: [step],
        store: shaky,
        clock,
        concurrency: 5,
        leaseTtl: "10s",
        drainTimeout: "2s",
      });
      return {
        engine,
        faults,
        crash() {
          for (const method of [...CALLS, "deregister", "open", "close"] as const)
            faults.hold(method, new Promise(() => undefined));
        },
      };
    };
    const processes: Process[] = [await start(), await start(), await start()];
    const { jobs } = await startEngine({ jobs: [step], store, clock, queues: [] });
    const accepted: string[] = [];
    for (let round = 0; round < 60; round++) {
      const handles = await jobs.enqueueMany(
        step,
        Array.from({ length: 5 }, (_, index) => index),
        roll() < 0.3 ? { delay: "5s" } : {},
      );
      accepted.push(...handles.map((handle) => handle.id));
      const which = Math.floor(roll() * processes.length);
      const victim = processes[which];
      const fate = roll();
      if (victim !== undefined && fate < 0.35) {
        const method = CALLS[Math.floor(roll() * CALLS.length)] ?? "settle";
        victim.faults.fail(method, roll() < 0.5 ? "before" : "after", 1 + Math.floor(roll() * 4));
      } else if (victim !== undefined && fate < 0.43) {
        victim.crash();
        processes[which] = await start();
      } else if (victim !== undefined && fate < 0.5) {
        let thaw = () => undefined as undefined;
        victim.faults.hold("heartbeat", new Promise((resolve) => (thaw = () => void resolve())));
        void clock.setTimer(roll() * 25_000, () => thaw());
      } else if (victim !== undefined && fate < 0.55) {
        void victim.engine.stop();
        processes[which] = await start();
      } else if (fate < 0.65) {
        await jobs.cancel(accepted[Math.floor(roll() * accepted.length)] ?? "");
      }
      await clock.advance(Math.ceil(roll() * 2_000));
    }
    for (const { faults } of processes) faults.heal();
    await clock.advance("5m");

    const states = await store.statesOf(accepted);
    const unfinished = accepted.filter((id) => !["succeeded", "cancelled"].includes(states.get(id) ?? "missing"));
    assert.deepEqual(unfinished, []);
    for (const id of accepted) {
      const history = (await store.getJob(id))?.history ?? [];
      const ends = history.filter(({ what }) => ["succeeded", "dead", "cancelled"].includes(what));
      assert.equal(ends.length, 1, `job ${id}: ${JSON.stringify(history)}`);
      assert.equal(history.at(-1), ends[0]);
    }
    const counts = await store.counts();
    assert.equal(
      counts.queues.reduce((sum, queue) => sum + queue.ready + queue.running + queue.scheduled, 0),
      0,
    );
  });
}
