/** Conformance: random sequences of operations do on the store what they do on the memory store, the model. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Arbitrary } from "fast-check";
import type { JobId, Lease, LeaseId, Outcome, Store } from "../../store/contract.ts";
import { memory } from "../../store/memory/index.ts";
import { capturingLogger } from "../../telemetry/index.ts";
import { VirtualClock } from "../../time/index.ts";
import { type Given, onFreshStore, type StoreHarness } from "./harness.ts";
import { type FastCheck, loadFastCheck } from "./random.ts";
import * as W from "./worker.ts";

const QUEUES = ["q", "r"] as const;
const NAMES = ["a", "b", "unknown"] as const;
const ENDS = ["succeeded", "retry", "retry later", "dead", "cancelled", "snoozed", "released", "not yet"] as const;

function anyStep(fc: FastCheck) {
  const pick = fc.nat(1_000);
  return fc.oneof(
    fc.record({
      do: fc.constant("enqueue" as const),
      jobs: fc.array(
        fc.record({
          priority: fc.integer({ min: -1, max: 1 }),
          queue: fc.constantFrom(...QUEUES),
          name: fc.constantFrom(...NAMES),
          later: fc.boolean(),
          maxAttempts: fc.integer({ min: 1, max: 3 }),
          maxCrashes: fc.integer({ min: 1, max: 2 }),
        }),
        { minLength: 1, maxLength: 5 },
      ),
      /** Whether a worker claims in the same commit. */
      claims: fc.boolean(),
      worker: pick,
      limit: fc.nat(3),
    }),
    fc.record({ do: fc.constant("register" as const) }),
    fc.record({ do: fc.constant("claim" as const), worker: pick, queue: fc.constantFrom(...QUEUES), limit: fc.nat(4) }),
    fc.record({
      do: fc.constant("settle" as const),
      lease: pick,
      ends: fc.array(fc.constantFrom(...ENDS), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ do: fc.constantFrom("expire" as const, "deregister" as const, "heartbeat" as const), worker: pick }),
    fc.record({ do: fc.constantFrom("cancel" as const, "retry" as const, "run now" as const), job: pick }),
    fc.record({ do: fc.constantFrom("rescue" as const, "promote" as const) }),
    fc.record({ do: fc.constantFrom("pause" as const, "resume" as const), queue: fc.constantFrom(...QUEUES) }),
  );
}
type Step = ReturnType<typeof anyStep> extends Arbitrary<infer T> ? T : never;

/** How many sequences are tried: fewer where time passes by waiting. */
const RUNS = { virtual: 40, real: 10 } as const;

export function modelling(harness: StoreHarness): void {
  test("random sequences of operations end as they do on the model", async () => {
    const fc = await loadFastCheck();
    const virtual = await onFreshStore(harness, async (given) => given.virtual);
    const sequences = fc.array(anyStep(fc), { minLength: 5, maxLength: 40, size: "max" });
    const property = fc.asyncProperty(sequences, (steps) => onFreshStore(harness, (given) => compare(given, steps)));
    await fc.assert(property, { numRuns: virtual ? RUNS.virtual : RUNS.real, interruptAfterTimeLimit: 60_000 });
  });
}

async function compare(given: Given, steps: readonly Step[]): Promise<void> {
  const clock = new VirtualClock();
  const model = memory();
  await model.open({ clock, logger: capturingLogger() });
  const real = new Side(given.store, given.passTime);
  const ideal = new Side(model, (milliseconds) => clock.advance(milliseconds));
  try {
    for (const one of [{ do: "register" } as const, ...steps]) {
      assert.deepEqual(await real.take(one), await ideal.take(one), JSON.stringify(one));
    }
    assert.deepEqual(await real.picture(), await ideal.picture());
  } finally {
    await model.close();
  }
}

interface HeldLease {
  readonly id: LeaseId;
  readonly worker: W.TestWorker;
  readonly jobs: readonly JobId[];
}

/** One of the two stores. Ids differ between them, so jobs, workers and leases are called by their numbers. */
class Side {
  readonly #store: Store;
  readonly #passTime: (milliseconds: number) => Promise<void>;
  readonly #jobs: JobId[] = [];
  readonly #workers: W.TestWorker[] = [];
  readonly #leases: HeldLease[] = [];

  constructor(store: Store, passTime: (milliseconds: number) => Promise<void>) {
    this.#store = store;
    this.#passTime = passTime;
  }

  /** Does a step; returns what can be seen of it. */
  async take(step: Step): Promise<unknown> {
    const store = this.#store;
    switch (step.do) {
      case "enqueue": {
        const jobs = step.jobs.map(({ later, ...job }) =>
          W.newJob({ ...job, ...(later ? { due: { in: W.LONG } } : {}) }),
        );
        const given = { store, passTime: this.#passTime };
        if (!step.claims || this.#workers.length === 0) {
          return this.#jobs.push(...(await W.enqueueAll(given, jobs)));
        }
        const worker = chosen(this.#workers, step.worker);
        const request = { wants: [{ queue: "q", limit: step.limit }], names: new Set(["a", "b"]) };
        const { ids, leases } = await W.enqueueAllAndClaim(given, jobs, worker.instance, request);
        this.#jobs.push(...ids);
        return this.#remember(worker, leases);
      }
      case "register":
        return this.#workers.push(await W.TestWorker.register(store, `w${this.#workers.length}`));
      case "claim":
        return this.#claim(chosen(this.#workers, step.worker), step.queue, step.limit);
      case "settle":
        return this.#settle(chosen(this.#leases, step.lease), step.ends);
      case "expire": {
        const alive = (await store.heartbeat(chosen(this.#workers, step.worker).instance, 1)).alive;
        await this.#passTime(5);
        return alive;
      }
      case "heartbeat": {
        const answer = await store.heartbeat(chosen(this.#workers, step.worker).instance, W.LONG);
        return answer.alive ? answer.cancelled.map(({ job, reason }) => [this.#number(job), reason]).sort() : "gone";
      }
      case "deregister":
        return store.deregister(chosen(this.#workers, step.worker).instance);
      case "cancel":
        return this.#jobs.length > 0 && store.cancel([chosen(this.#jobs, step.job)], "no");
      case "retry":
        return this.#jobs.length > 0 && (await store.retry([chosen(this.#jobs, step.job)])).length;
      case "run now":
        return this.#jobs.length > 0 && (await store.runNow([chosen(this.#jobs, step.job)])).length;
      case "rescue": {
        const rescued = await store.rescue(1_000);
        return rescued.map(({ job, ...rest }) => ({ ...rest, job: this.#number(job) })).sort((a, b) => a.job - b.job);
      }
      case "promote":
        await store.promote(W.serving(["a", "b", "unknown"], QUEUES), 10_000);
        return null;
      case "pause":
        return store.pauseQueue(step.queue, "why");
      case "resume":
        return store.resumeQueue(step.queue);
    }
  }

  /** Everything that can be seen at the end, without ids and instants. */
  async picture(): Promise<unknown> {
    const jobs = [];
    const now = await this.#store.now();
    for (const id of this.#jobs) {
      const job = await this.#store.getJob(id);
      assert.ok(job !== null);
      const { state, attempt, maxAttempts, error, cancelRequested, queue, priority } = job;
      const instance = job.instance && { ...job.instance, expiresAt: job.instance.expiresAt > now ? "later" : "over" };
      const history = job.history.map((line) => [line.what, line.attempt, line.ms, line.error, line.instance]);
      jobs.push({ state, attempt, maxAttempts, error, instance, cancelRequested, queue, priority, history });
    }
    const lists: Record<string, number[]> = {};
    for (const state of ["ready", "scheduled", "running", "succeeded", "dead", "cancelled"] as const) {
      const { items } = await this.#store.listJobs({ state, limit: 500 });
      lists[state] = items.map(({ id }) => this.#number(id)).sort((a, b) => a - b);
    }
    const { queues, finished, retried } = await this.#store.counts();
    const counts = queues.map(({ queue, ready, scheduled, running, paused }) => [
      queue,
      ready,
      scheduled,
      running,
      paused?.reason,
    ]);
    const busy = counts.filter(([, ready, scheduled, running, paused]) => ready || scheduled || running || paused);
    return {
      jobs,
      lists,
      busy,
      finished,
      retried,
      instances: (await this.#store.listInstances()).map(({ name, running }) => [name, running]),
    };
  }

  async #claim(worker: W.TestWorker, queue: string, limit: number): Promise<unknown> {
    return this.#remember(worker, await worker.claimLeases(limit, queue, ["a", "b"]));
  }

  #remember(worker: W.TestWorker, leases: readonly Lease[]): unknown {
    for (const { id, jobs } of leases) this.#leases.push({ id, worker, jobs: W.idsOf(jobs) });
    return leases.map((lease) =>
      lease.jobs.map(({ id, attempt, maxAttempts }) => [this.#number(id), attempt, maxAttempts]),
    );
  }

  async #settle(lease: HeldLease | undefined, ends: readonly (typeof ENDS)[number][]): Promise<unknown> {
    if (lease === undefined) return "nothing claimed yet";
    const outcomes = lease.jobs.flatMap((job, index) => outcomeOf(job, ends[index % ends.length] ?? "not yet"));
    const { refused } = await lease.worker.settle(lease, ...outcomes);
    return refused.length;
  }

  #number(job: JobId): number {
    return this.#jobs.indexOf(job);
  }
}

function chosen<T>(list: readonly T[], number: number): T {
  return list[number % Math.max(1, list.length)] as T;
}

function outcomeOf(job: JobId, end: (typeof ENDS)[number]): Outcome[] {
  switch (end) {
    case "succeeded":
      return [W.succeeded(job, "1")];
    case "retry":
      return [W.retried(job)];
    case "retry later":
      return [W.retried(job, W.LONG)];
    case "dead":
      return [W.died(job)];
    case "cancelled":
      return [W.cancelled(job)];
    case "snoozed":
      return [W.snoozed(job, W.LONG)];
    case "released":
      return [W.released(job)];
    case "not yet":
      return [];
  }
}
