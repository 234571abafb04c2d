/**
 * Conformance: every pair of operations that can meet on one job, in both orders, at the same time, and, where the
 * store has pause points, with the second in the middle of the first.
 */
import assert from "node:assert/strict";
import type { JobId, Lease, Settled, Store } from "../../store/contract.ts";
import { sleep, systemClock } from "../../time/index.ts";
import { eventually, type Given, type StoreHarness, storeTest } from "./harness.ts";
import * as W from "./worker.ts";

/** The scene: a worker that expired holds two jobs, one is ready, one is scheduled and due. */
interface Scene {
  /** Of its own: what a store remembers of a queue that was paused in the middle of a claim is not carried into the next scene. */
  readonly queue: string;
  readonly store: Store;
  readonly other: Store;
  readonly holder: W.TestWorker;
  readonly lease: Lease;
  readonly held: JobId;
  readonly jobs: readonly JobId[];
  readonly newcomer: W.TestWorker;
  /** What the operations did. */
  readonly claimed: Lease[];
  readonly settled: { readonly success: boolean; readonly answer: Settled }[];
  /** The held job was handed back by its holder. */
  released: boolean;
}

/** Who still waits after so many milliseconds waits for a lock. */
const WAIT_FOR_LOCKS = 40;

type Operation = (on: Store, scene: Scene) => Promise<unknown>;

/** The operations that meet. Those of the holder go through the store they are given, as its process would. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  claim: (on, scene) => claim(on, scene, scene.queue),
  "claim from several queues": (on, scene) => claim(on, scene, scene.queue, "other"),
  "settle as succeeded": (on, scene) => settle(on, scene, true),
  "settle as retry": (on, scene) => settle(on, scene, false),
  release: (on, scene) => {
    scene.released = true;
    return on.settle(scene.holder.instance, [{ lease: scene.lease.id, outcomes: [W.released(scene.held)] }]);
  },
  rescue: (on) => on.rescue(10),
  heartbeat: (on, { holder }) => on.heartbeat(holder.instance, W.LONG),
  cancel: (on, { jobs }) => on.cancel(jobs, "no"),
  promote: (on, { queue }) => on.promote(W.serving(["a"], [queue]), 10),
  retry: (on, { jobs }) => on.retry(jobs),
  "run now": (on, { jobs }) => on.runNow(jobs),
  deregister: (on, { holder }) => on.deregister(holder.instance),
  prune: (on) => on.prune({ succeeded: 3_600_000 }, 10),
};

async function claim(on: Store, scene: Scene, ...queues: readonly string[]): Promise<void> {
  const request = { wants: queues.map((queue) => ({ queue, limit: 10 })), names: new Set(["a"]) };
  scene.claimed.push(...(await on.claim(scene.newcomer.instance, request)));
}

async function settle(on: Store, scene: Scene, success: boolean): Promise<void> {
  const { holder, lease, held } = scene;
  const outcomes = [success ? W.succeeded(held) : W.retried(held)];
  scene.settled.push({ success, answer: await on.settle(holder.instance, [{ lease: lease.id, outcomes }]) });
}

export function interleaving(harness: StoreHarness): void {
  const names = Object.keys(OPERATIONS);
  for (const [index, first] of names.entries()) {
    storeTest(
      harness,
      `${first} and any other leave one truth, whichever comes first or both at once`,
      async (given) => {
        const other = given.second === null ? given.store : await given.second();
        for (const second of names.slice(index)) {
          await attempt(`${first} and ${second}`, async () => {
            const scene = await setUp(given, other);
            const [one, two] = [OPERATIONS[first], OPERATIONS[second]] as [Operation, Operation];
            await Promise.all([one(scene.store, scene), two(scene.other, scene)]);
            await assertOneTruth(scene);
          });
        }
      },
    );
  }
  storeTest(harness, "each operation may be paused anywhere while each other one runs", async (given) => {
    await pausedPairs(given, names);
  });
}

/**
 * Each operation while each other stands at each pause point that it comes to; returns how many such meetings there
 * were. For stores that try some of them often, and all of them seldom.
 */
export async function pausedPairs(
  given: Given,
  firsts: readonly string[],
  seconds: readonly string[] = firsts,
): Promise<number> {
  const other = given.second === null ? given.store : await given.second();
  let met = 0;
  for (const first of given.pausePoints.length === 0 ? [] : firsts) {
    for (const point of await pointsOf(given, other, first)) {
      for (const second of seconds) {
        if (!(await inTheMiddle(given, other, point, first, second))) break;
        met++;
      }
    }
  }
  return met;
}

/**
 * Each operation hurt at each pause point that it comes to, and done again when it fails for it, as a worker does;
 * returns how many failed. Whatever it had begun must be undone or done.
 *
 * @param hurt arranges that the operation is hurt at the point; what it returns is called when that is over
 */
export async function hurtOperations(
  given: Given,
  names: readonly string[],
  hurt: (point: string) => Promise<() => Promise<void>>,
): Promise<{ readonly times: number; readonly failures: readonly string[] }> {
  const other = given.second === null ? given.store : await given.second();
  const failures: string[] = [];
  let times = 0;
  for (const name of names) {
    const operation = OPERATIONS[name] as Operation;
    for (const point of await pointsOf(given, other, name)) {
      await attempt(`${name}, hurt at ${point}`, async () => {
        const scene = await setUp(given, other);
        times++;
        const over = await hurt(point);
        try {
          await operation(scene.store, scene);
        } catch (error) {
          assert.match(String((error as { code?: unknown }).code), /^NS_STORE_(BUSY|UNAVAILABLE)$/, String(error));
          failures.push(`${name} at ${point}: ${error}`);
          await over();
          await scene.store.reconcile(scene.newcomer.instance, []);
          await operation(scene.store, scene);
        }
        await over();
        await assertOneTruth(scene);
      });
    }
  }
  return { times, failures };
}

/** The points that an operation comes to when nobody disturbs it. */
async function pointsOf(given: Given, other: Store, first: string): Promise<readonly string[]> {
  const scene = await setUp(given, other);
  await given.passedPoints();
  await OPERATIONS[first]?.(scene.store, scene);
  const points = [...new Set(await given.passedPoints())];
  await assertOneTruth(scene);
  return points;
}

/** The names of the operations that can meet. */
export const operationNames: readonly string[] = Object.keys(OPERATIONS);

/**
 * Runs the second while the first stands at a pause point; a lock that the first holds may make the second wait. False
 * when the first did not come to it.
 */
async function inTheMiddle(given: Given, other: Store, point: string, first: string, second: string): Promise<boolean> {
  const scene = await setUp(given, other);
  const pause = await given.pauseAt(point);
  const running = OPERATIONS[first]?.(scene.store, scene);
  const reached = await Promise.race([pause.reached.then(() => true), running?.then(() => false)]);
  const meeting = reached ? OPERATIONS[second]?.(scene.other, scene) : undefined;
  await Promise.race([meeting, sleep(systemClock, WAIT_FOR_LOCKS)]);
  await pause.release();
  await attempt(`${second} while ${first} stood at ${point}`, async () => {
    await Promise.all([running, meeting]);
    await assertOneTruth(scene);
  });
  return reached === true;
}

/** Names the pair in what goes wrong. */
async function attempt(pair: string, body: () => Promise<void>): Promise<void> {
  await body().catch((cause) => {
    throw new Error(`${pair}: ${cause}`, { cause });
  });
}

let scenes = 0;

async function setUp({ store, passTime }: Given, other: Store): Promise<Scene> {
  const queue = `q${++scenes}`;
  const [held = "", neighbour = ""] = await store.enqueue([W.newJob({ queue }), W.newJob({ queue })]);
  const holder = await W.TestWorker.register(store, "holder");
  const lease = await holder.claim(2, queue);
  const ready = await W.enqueueOne(store, { queue });
  const due = await W.enqueueOne(store, { queue, due: { in: 1 } });
  const newcomer = await W.TestWorker.register(other, "newcomer");
  await holder.expire(passTime);
  const jobs = [held, neighbour, ready, due];
  return { queue, store, other, holder, lease, held, jobs, newcomer, claimed: [], settled: [], released: false };
}

/** Whatever happened: each job is in one place, counted there, its history makes sense, and it can be brought to an end. */
async function assertOneTruth(scene: Scene): Promise<void> {
  const { store, jobs, held, settled, claimed } = scene;
  await assertCounted(store, jobs, scene.queue);
  const accepted = settled.filter(({ answer }) => answer.refused.length === 0);
  const history = await W.historyOf(store, held);
  // Of two outcomes by the lease's own holder the later one is passed over; any other acceptance must show.
  if (accepted.length > 0 && !scene.released) {
    assert.ok(
      accepted.some(
        ({ success }) => history.includes(success ? "succeeded" : "retry") || history.includes("cancelled"),
      ),
    );
  }
  if (!accepted.some(({ success }) => success))
    assert.equal(history.includes("succeeded"), false, "refused, and written");
  const given = claimed.flatMap((lease) => W.idsOf(lease.jobs));
  assert.equal(new Set(given).size, given.length, "no job was claimed twice");
  await finishAll(scene);
  for (const id of jobs) {
    assertLife(await W.historyOf(store, id));
    assert.equal((await store.getJob(id))?.cancelRequested, null, "a wish to cancel outlived its job");
  }
  await scene.newcomer.store.deregister(scene.newcomer.instance);
  await store.deregister(scene.holder.instance);
}

/** Brings all jobs to an end, as any healthy application would: a claim may miss a job that another process has just made ready. */
async function finishAll({ queue, store, jobs, newcomer, claimed }: Scene): Promise<void> {
  for (const lease of claimed) await newcomer.settle(lease, ...W.idsOf(lease.jobs).map((id) => W.succeeded(id)));
  await eventually("every job is over", async () => {
    await store.rescue(10);
    await store.promote(W.serving(["a"], [queue]), 10);
    await store.runNow(jobs);
    for (const lease of await newcomer.claimLeases(100, queue)) {
      assert.deepEqual(await newcomer.settle(lease, ...W.idsOf(lease.jobs).map((id) => W.succeeded(id))), {
        refused: [],
      });
    }
    const states = await store.statesOf(jobs);
    return jobs.every((id) => ["succeeded", "cancelled"].includes(states.get(id) ?? ""));
  });
}

/** The counts of the queue are those of its jobs, one by one. */
export async function assertCounted(store: Store, jobs: readonly JobId[], queue = "q"): Promise<void> {
  const expected = { ready: 0, parked: 0, scheduled: 0, running: 0 };
  for (const id of jobs) {
    const job = await store.getJob(id);
    assert.ok(job !== null, `job ${id} is lost`);
    if (job.parked) expected.parked++;
    if (job.state === "ready" || job.state === "scheduled" || job.state === "running") expected[job.state]++;
  }
  assert.deepEqual(await W.countsOf(store, queue), expected);
}

/**
 * The history of a job that is over makes sense when each line could follow the one before: after an end there is
 * nothing but a retry by hand, which is there only after an end; and the last line is an end.
 */
export function assertLife(history: readonly string[]): void {
  let over = false;
  for (const what of history) {
    assert.equal(what === "requeued", over, history.join(" "));
    over = ["succeeded", "dead", "cancelled"].includes(what);
  }
  assert.ok(over, history.join(" "));
}
