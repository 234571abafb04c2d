/** Jobs and workers as the suite needs them: short to write in a test. */
import assert from "node:assert/strict";
import type {
  ClaimRequest,
  EnqueuedAndClaimed,
  JobId,
  Lease,
  NewInstance,
  NewJob,
  Outcome,
  Serving,
  Settled,
  Store,
} from "../../store/contract.ts";

/** A ttl that no test outlives. */
export const LONG = 3_600_000;

export function newJob(overrides: Partial<NewJob> = {}): NewJob {
  return { name: "a", queue: "q", priority: 0, input: "{}", maxAttempts: 5, maxCrashes: 5, ...overrides };
}

/** Enqueues one job. */
export async function enqueueOne(store: Store, overrides: Partial<NewJob> = {}): Promise<JobId> {
  const [id] = await store.enqueue([newJob(overrides)]);
  assert.ok(id !== undefined);
  return id;
}

/**
 * Enqueues jobs of several queues: in one call, or, on a store whose queues live apart, in the same order in several, a
 * moment apart.
 */
export async function enqueueAll({ store, passTime }: Enqueuing, jobs: readonly NewJob[]): Promise<readonly JobId[]> {
  try {
    return await store.enqueue(jobs);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "NS_STORE_SHARDS")) throw error;
  }
  const ids: JobId[] = [];
  for (let from = 0, to = 0; from < jobs.length; from = to) {
    while (to < jobs.length && jobs[to]?.queue === jobs[from]?.queue) to++;
    ids.push(...(await store.enqueue(jobs.slice(from, to))));
    await passTime(1);
  }
  return ids;
}

/** Enqueues and claims in one call, or, on a store whose queues live apart, in several. */
export async function enqueueAllAndClaim(
  given: Enqueuing,
  jobs: readonly NewJob[],
  instance: string,
  request: ClaimRequest,
): Promise<EnqueuedAndClaimed> {
  try {
    return await given.store.enqueueAndClaim(jobs, instance, request);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "NS_STORE_SHARDS")) throw error;
  }
  const ids = await enqueueAll(given, jobs);
  return { ids, leases: await given.store.claim(instance, request) };
}

/** What {@link enqueueAll} needs of a test. */
export interface Enqueuing {
  readonly store: Store;
  passTime(milliseconds: number): Promise<void>;
}

export function newInstance(name: string): NewInstance {
  return { name, host: "host", pid: 1, version: "0", queues: ["q"], names: ["a"], concurrency: 10 };
}

/** A registered process that claims from `q` the names `a`, `b` and `c` unless told otherwise. */
export class TestWorker {
  readonly store: Store;
  readonly instance: string;
  readonly name: string;

  private constructor(store: Store, instance: string, name: string) {
    this.store = store;
    this.instance = instance;
    this.name = name;
  }

  static async register(store: Store, name = "worker", ttl = LONG): Promise<TestWorker> {
    return new TestWorker(store, await store.register(newInstance(name), ttl), name);
  }

  claimLeases(limit = 100, queue = "q", names: readonly string[] = ["a", "b", "c"]): Promise<readonly Lease[]> {
    return this.store.claim(this.instance, { wants: [{ queue, limit }], names: new Set(names) });
  }

  /** Claims, and expects one lease. */
  async claim(limit = 100, queue = "q", names: readonly string[] = ["a", "b", "c"]): Promise<Lease> {
    const [lease, ...others] = await this.claimLeases(limit, queue, names);
    assert.ok(lease !== undefined, "nothing was claimed");
    assert.deepEqual(others, []);
    return lease;
  }

  settle(lease: Pick<Lease, "id">, ...outcomes: Outcome[]): Promise<Settled> {
    return this.store.settle(this.instance, [{ lease: lease.id, outcomes }]);
  }

  /** Its time runs out at once; the caller lets a moment pass. */
  async expire(passTime: (milliseconds: number) => Promise<void>): Promise<void> {
    assert.equal((await this.store.heartbeat(this.instance, 1)).alive, true);
    await passTime(5);
  }
}

export const succeeded = (job: JobId, result?: string): Outcome => ({
  ...{ job, type: "succeeded", ms: 5 },
  ...(result === undefined ? {} : { result }),
});
export const retried = (job: JobId, wait = 0, error = '{"message":"no"}'): Outcome => ({
  ...{ job, type: "retry", ms: 5, in: wait, error },
});
export const died = (job: JobId, error = '{"message":"fatal"}'): Outcome => ({ job, type: "dead", ms: 5, error });
export const cancelled = (job: JobId, reason = "enough"): Outcome => ({ job, type: "cancelled", ms: 5, reason });
export const snoozed = (job: JobId, wait = 0): Outcome => ({ job, type: "snoozed", ms: 5, in: wait });
export const released = (job: JobId): Outcome => ({ job, type: "released" });

/** What a process serves, for a promotion: the queue `q` unless told otherwise. */
export function serving(names: readonly string[] = [], queues: readonly string[] = ["q"]): Serving {
  return { names: new Set(names), queues: new Set(queues) };
}

/** The ids of a batch or a list. */
export function idsOf(jobs: readonly { readonly id: JobId }[]): JobId[] {
  return jobs.map(({ id }) => id);
}

/** The state of one job. */
export async function stateOf(store: Store, job: JobId): Promise<string | undefined> {
  return (await store.statesOf([job])).get(job);
}

/** What happened to a job, oldest first. */
export async function historyOf(store: Store, job: JobId): Promise<string[]> {
  return ((await store.getJob(job))?.history ?? []).map(({ what }) => what);
}

/** The counts of one queue; zeros when it is left out. */
export async function countsOf(store: Store, queue = "q") {
  const found = (await store.counts()).queues.find((counts) => counts.queue === queue);
  const { ready = 0, parked = 0, scheduled = 0, running = 0 } = found ?? {};
  return { ready, parked, scheduled, running };
}

/** Whether an error is one of the library's, with this code. */
export function hasCode(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.equal((error as { code?: unknown }).code, code, String(error));
    return true;
  };
}
