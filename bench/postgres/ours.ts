/** What is measured of our PostgreSQL store: through the contract, as the worker uses it. */
import type { Lease, NewJob, Store } from "../../src/store/contract.ts";

export const PAYLOAD = JSON.stringify({ to: "somebody@example.com", subject: "x".repeat(60), n: 12_345 });
export const NAMES: ReadonlySet<string> = new Set(["noop"]);

export const newJob = (over: Partial<NewJob> = {}): NewJob => ({
  ...{ name: "noop", queue: "bench", priority: 0, input: PAYLOAD, maxAttempts: 5, maxCrashes: 3 },
  ...over,
});

export function register(store: Store): Promise<string> {
  const about = { name: "bench", host: "bench", pid: process.pid, version: "0", queues: ["bench"], names: ["noop"] };
  return store.register({ ...about, concurrency: 1 }, 600_000);
}

export async function fill(store: Store, total: number): Promise<void> {
  const slice = Array.from({ length: 10_000 }, () => newJob());
  for (let done = 0; done < total; done += slice.length) await store.enqueue(slice.slice(0, total - done));
}

/** Settles and claims until nothing is left, in several loops, each with one call under way. */
export async function drain(store: Store, size: number, loops: number): Promise<number> {
  const me = await register(store);
  const request = { wants: [{ queue: "bench", limit: size }], names: NAMES };
  let count = 0;
  const loop = async () => {
    let leases: readonly Lease[] = await store.claim(me, request);
    while (leases.length > 0) {
      const settlements = leases.map(({ id, jobs }) => ({
        lease: id,
        outcomes: jobs.map(({ id: job }) => ({ job, type: "succeeded", ms: 1 }) as const),
      }));
      for (const { jobs } of leases) count += jobs.length;
      leases = (await store.settleAndClaim(me, settlements, request)).leases;
    }
  };
  await Promise.all(Array.from({ length: loops }, loop));
  await store.deregister(me);
  return count;
}

/** From the call of enqueue to the claimed job in hand, woken by the store: the median of so many. */
export async function latency(producer: Store, consumer: Store, times: number): Promise<number> {
  const me = await register(consumer);
  const request = { wants: [{ queue: "bench", limit: 1 }], names: NAMES };
  const waits: number[] = [];
  for (let n = 0; n < times; n++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const subscription = consumer.subscribe((wake) => wake.what === "work" && resolve());
    const started = performance.now();
    await producer.enqueue([newJob()]);
    await promise;
    subscription[Symbol.dispose]();
    let [lease] = await consumer.claim(me, request);
    while (lease === undefined) [lease] = await consumer.claim(me, request);
    waits.push(performance.now() - started);
    await consumer.settle(me, [
      { lease: lease.id, outcomes: lease.jobs.map(({ id }) => ({ job: id, type: "succeeded", ms: 1 })) },
    ]);
    // As at 50 jobs a second: each arrives at an idle worker.
    await new Promise((done) => setTimeout(done, 20));
  }
  await consumer.deregister(me);
  return waits.sort((a, b) => a - b)[Math.floor(waits.length / 2)] ?? 0;
}

/** From the call to the claimed job in hand, where one commit stores and claims it: the median of so many. */
export async function directLatency(store: Store, times: number): Promise<number> {
  const me = await register(store);
  const request = { wants: [{ queue: "bench", limit: 1 }], names: NAMES };
  const waits: number[] = [];
  for (let n = 0; n < times; n++) {
    const started = performance.now();
    const { leases } = await store.enqueueAndClaim([newJob()], me, request);
    waits.push(performance.now() - started);
    await store.settle(
      me,
      leases.map(({ id, jobs }) => ({
        lease: id,
        outcomes: jobs.map((job) => ({ job: job.id, type: "succeeded", ms: 1 })),
      })),
    );
    await new Promise((done) => setTimeout(done, 20));
  }
  await store.deregister(me);
  return waits.sort((a, b) => a - b)[Math.floor(waits.length / 2)] ?? 0;
}
