/** The library's store in the same workloads, at its defaults. */
import type { ClaimRequest, Lease, NewJob, Store } from "../../src/store/contract.ts";
import { type SqliteOptions, sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { systemClock } from "../../src/time/index.ts";

export async function openStore(options: SqliteOptions): Promise<Store> {
  const store = sqlite(options);
  await store.open({ clock: systemClock, logger: silentLogger });
  return store;
}

export function jobOf(input: string, overrides: Partial<NewJob> = {}): NewJob {
  return { name: "a", queue: "q", priority: 0, input, maxAttempts: 5, maxCrashes: 5, ...overrides };
}

export async function registerWorker(store: Store): Promise<string> {
  const instance = {
    name: "bench",
    host: "bench",
    pid: process.pid,
    version: "0",
    queues: ["q"],
    names: ["a"],
    concurrency: 1,
  };
  return store.register(instance, 3_600_000);
}

export function requestOf(limit: number): ClaimRequest {
  return { wants: [{ queue: "q", limit }], names: new Set(["a"]) };
}

/** Claims and settles in one step until nothing is left; no handler. Returns how many. */
export async function drain(store: Store, instance: string, batch: number): Promise<number> {
  const request = requestOf(batch);
  let leases: readonly Lease[] = [];
  let drained = 0;
  do {
    const settlements = leases.map(({ id, jobs }) => ({
      lease: id,
      outcomes: jobs.map((job) => ({ job: job.id, type: "succeeded" as const, ms: 1 })),
    }));
    ({ leases } = await store.settleAndClaim(instance, settlements, request));
    for (const { jobs } of leases) drained += jobs.length;
  } while (leases.length > 0);
  return drained;
}
