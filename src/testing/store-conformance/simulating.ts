/**
 * Conformance: a seeded simulation of a bad day. Several processes work at once on one store; some die, some freeze and
 * come back as zombies, some commit slowly or not at all, the wall clock is set to and fro. The account at the end must be right.
 */
import assert from "node:assert/strict";
import type { JobId, Lease, Outcome, Store } from "../../store/contract.ts";
import { type CallersTransaction, eventually, type Given, type StoreHarness, storeTest } from "./harness.ts";
import { assertCounted, assertLife } from "./interleaving.ts";
import * as W from "./worker.ts";

const SEEDS = [1, 2, 3];
const ROUNDS = { virtual: 80, real: 20 } as const;

export function simulating(harness: StoreHarness, seeds: readonly number[] = SEEDS): void {
  for (const seed of seeds) {
    storeTest(harness, `a bad day loses nothing and accepts nothing twice (seed ${seed})`, async (given) => {
      const other = given.second === null ? given.store : await given.second();
      const day = new Day(given, [given.store, other], seed);
      const rounds = given.virtual ? ROUNDS.virtual : ROUNDS.real;
      for (let round = 0; round < rounds; round++) await day.round();
      await day.evening();
    });
  }
}

interface Holding {
  readonly worker: W.TestWorker;
  readonly lease: Lease;
  /** Jobs not yet settled. */
  readonly open: Set<JobId>;
}

class Day {
  readonly #given: Given;
  readonly #stores: readonly Store[];
  readonly #random: () => number;
  readonly #accepted: JobId[] = [];
  readonly #holdings: Holding[] = [];
  readonly #workers: W.TestWorker[] = [];
  /** Who holds a job now, by the answers of the store alone. */
  readonly #holder = new Map<JobId, string>();
  readonly #leases = new Set<string>();
  readonly #successes = new Map<JobId, number>();
  /** Transactions of producers that take their time. */
  readonly #slow: { readonly given: CallersTransaction; readonly jobs: readonly JobId[] }[] = [];
  /** Jobs of transactions that were rolled back. */
  readonly #never: JobId[] = [];
  #names = 0;

  constructor(given: Given, stores: readonly Store[], seed: number) {
    this.#given = given;
    this.#stores = stores;
    this.#random = mulberry(seed);
  }

  /** A few processes do something at the same time; then one misfortune, perhaps. */
  async round(): Promise<void> {
    await Promise.all(Array.from({ length: 1 + this.#below(4) }, () => this.#act()));
    if (this.#chance(0.15)) await this.#freeze();
    if (this.#chance(0.4)) await this.#endSlow();
    if (this.#chance(0.1)) this.#given.jump?.((this.#random() - 0.5) * 7_200_000);
  }

  /** No more misfortunes: everything comes to its end, and the account is drawn up. */
  async evening(): Promise<void> {
    const [store] = this.#stores as [Store];
    while (this.#slow.length > 0) await this.#endSlow();
    for (const worker of this.#workers) await worker.store.deregister(worker.instance);
    const last = await W.TestWorker.register(store, "last");
    // A claim may miss for a moment what was committed below the place where claims begin.
    await eventually("everything is over", async () => {
      await store.promote(W.serving(["a"]), 1_000);
      await store.runNow(this.#accepted);
      const leases = await last.claimLeases(50);
      for (const lease of leases) {
        for (const { id } of lease.jobs) this.#count(id);
        assert.deepEqual(await last.settle(lease, ...W.idsOf(lease.jobs).map((id) => W.succeeded(id))), {
          refused: [],
        });
      }
      if (leases.length > 0) return false;
      return [...(await store.statesOf(this.#accepted)).values()].every(isOver);
    });
    const states = await store.statesOf(this.#accepted);
    assert.equal((await store.statesOf(this.#never)).size, 0, "a job of a transaction that was rolled back");
    for (const id of this.#never) assert.equal(this.#holder.has(id), false, "claimed, and never committed");
    for (const id of this.#accepted) {
      const history = await W.historyOf(store, id);
      assert.ok(["succeeded", "dead", "cancelled"].includes(states.get(id) ?? ""), `${id} is ${states.get(id)}`);
      assertLife(history);
      assert.equal(
        history.filter((what) => what === "succeeded").length,
        this.#successes.get(id) ?? 0,
        "accepted successes",
      );
      assert.ok((this.#successes.get(id) ?? 0) <= 1, "two accepted successes");
    }
    await assertCounted(store, this.#accepted);
  }

  async #act(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.25 || this.#workers.length === 0) return this.#produce();
    if (dice < 0.35) return this.#hire();
    if (dice < 0.6) return this.#claim();
    if (dice < 0.9) return this.#settle();
    if (dice < 0.96) return this.#rescue();
    const [victim] = await Promise.all([this.#anyStore().cancel([this.#any(this.#accepted) ?? "1"], "no")]);
    assert.equal(victim.length, 1);
  }

  async #produce(): Promise<void> {
    const jobs = Array.from({ length: 1 + this.#below(6) }, () =>
      W.newJob({
        priority: this.#below(3),
        maxAttempts: 50,
        maxCrashes: 50,
        ...(this.#chance(0.2) ? { due: { in: 5 } } : {}),
      }),
    );
    const worker = this.#any(this.#workers);
    if (worker !== undefined && this.#chance(0.4)) {
      const request = { wants: [{ queue: "q", limit: this.#below(4) }], names: new Set(["a"]) };
      const { ids, leases } = await worker.store.enqueueAndClaim(jobs, worker.instance, request);
      this.#accepted.push(...ids);
      this.#hold(worker, leases);
    } else if (this.#given.begin !== null && this.#chance(0.25)) {
      const given = await this.#given.begin();
      this.#slow.push({ given, jobs: await this.#anyStore().enqueue(jobs, { tx: given.tx }) });
    } else this.#accepted.push(...(await this.#anyStore().enqueue(jobs)));
    await this.#anyStore().promote(W.serving(["a"]), 100);
  }

  /** The oldest of the slow producers commits, or has changed its mind. */
  async #endSlow(): Promise<void> {
    const slow = this.#slow.shift();
    if (slow === undefined) return;
    if (this.#chance(0.3)) {
      await slow.given.rollback();
      this.#never.push(...slow.jobs);
    } else {
      await slow.given.commit();
      this.#accepted.push(...slow.jobs);
    }
  }

  async #hire(): Promise<void> {
    this.#workers.push(await W.TestWorker.register(this.#anyStore(), `w${++this.#names}`));
  }

  async #claim(): Promise<void> {
    const worker = this.#any(this.#workers);
    if (worker === undefined) return;
    this.#hold(worker, await worker.claimLeases(1 + this.#below(8)));
  }

  #hold(worker: W.TestWorker, leases: readonly Lease[]): void {
    for (const lease of leases) {
      assert.equal(this.#leases.has(lease.id), false, "a lease id came back");
      this.#leases.add(lease.id);
      for (const { id } of lease.jobs) this.#holder.set(id, lease.id);
      assert.equal(new Set(W.idsOf(lease.jobs)).size, lease.jobs.length, "a job twice under one lease");
      this.#holdings.push({ worker, lease, open: new Set(W.idsOf(lease.jobs)) });
    }
  }

  /** Settles some of what somebody holds; zombies try too, and must be refused. */
  async #settle(): Promise<void> {
    const holding = this.#any(this.#holdings);
    if (holding === undefined) return;
    const { worker, lease, open } = holding;
    const jobs = [...open].filter(() => this.#chance(0.7));
    const outcomes = jobs.map((id) => this.#outcome(id));
    for (const id of jobs) open.delete(id);
    if (open.size === 0) this.#holdings.splice(this.#holdings.indexOf(holding), 1);
    const { refused } = await worker.settle(lease, ...outcomes);
    if (refused.length > 0) {
      open.clear();
      return;
    }
    for (const { job, type } of outcomes) {
      assert.equal(this.#holder.get(job), lease.id, "accepted from somebody who no longer held it");
      if (type === "succeeded") this.#count(job);
    }
  }

  async #rescue(): Promise<void> {
    for (const { job } of await this.#anyStore().rescue(100)) this.#holder.delete(job);
  }

  /** A process stops answering beyond its time. It does not know, and goes on later as a zombie. */
  async #freeze(): Promise<void> {
    const worker = this.#any(this.#workers);
    if (worker === undefined || !(await worker.store.heartbeat(worker.instance, 1)).alive) return;
    await this.#given.passTime(5);
    await this.#rescue();
    if (this.#chance(0.5)) this.#workers.splice(this.#workers.indexOf(worker), 1);
  }

  #outcome(job: JobId): Outcome {
    const dice = this.#random();
    if (dice < 0.7) return W.succeeded(job);
    if (dice < 0.8) return W.retried(job, this.#below(2) * 5);
    if (dice < 0.88) return W.released(job);
    if (dice < 0.95) return W.snoozed(job, 5);
    return W.died(job);
  }

  #count(job: JobId): void {
    this.#successes.set(job, (this.#successes.get(job) ?? 0) + 1);
  }
  #anyStore(): Store {
    return this.#any(this.#stores) as Store;
  }
  #any<T>(list: readonly T[]): T | undefined {
    return list[this.#below(list.length)];
  }
  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
  #chance(probability: number): boolean {
    return this.#random() < probability;
  }
}

function isOver(state: string): boolean {
  return state === "succeeded" || state === "dead" || state === "cancelled";
}

/** A small seeded generator (mulberry32): the same seed is the same day. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
