/** Producers and workers on a PostgreSQL store that is being hurt, and what must be true of the database afterwards. */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { NightshiftError } from "../../src/errors/index.ts";
import type { JobId, NewInstance, NewJob, Settlement, Store } from "../../src/store/contract.ts";
import { type PostgresOptions, postgres } from "../../src/store/postgres/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { systemClock } from "../../src/time/index.ts";
import { rawClient } from "../support/postgres.ts";

export const newJob = (over: Partial<NewJob> = {}): NewJob => ({
  ...{ name: "a", queue: "q", priority: 0, input: "{}", maxAttempts: 50, maxCrashes: 50 },
  ...over,
});
export const worker: NewInstance = {
  ...{ name: "w", host: "h", pid: 1, version: "0", queues: ["q"], names: ["a"], concurrency: 1 },
};
export const names: ReadonlySet<string> = new Set(["a"]);

export async function openStore(options: PostgresOptions): Promise<Store> {
  const store = postgres({ patience: "20s", ...options });
  await store.open({ clock: systemClock, logger: silentLogger });
  return store;
}

const PASSING = ["NS_STORE_UNAVAILABLE", "NS_STORE_BUSY"];

/** Load on a store: what was accepted, and until when. */
export class Load {
  readonly accepted: JobId[] = [];
  refusals = 0;
  /** The database may crash, or be another one afterwards: it forgets claims that it had not written, and refuses their leases. */
  forgetful = false;
  readonly #store: Store;
  readonly #producers: Promise<void>[] = [];
  readonly #running: Promise<void>[] = [];
  #producing = true;
  #working = true;

  constructor(store: Store) {
    this.#store = store;
  }

  start(producers: number, workers: number): this {
    for (let n = 0; n < producers; n++) this.#producers.push(this.#produce(n));
    for (let n = 0; n < workers; n++) this.#running.push(this.#work());
    return this;
  }

  /** Stops at once: after a failed assertion nothing may go on. */
  [Symbol.dispose](): void {
    this.#producing = false;
    this.#working = false;
  }

  /** Waits for so many more accepted jobs: the load goes on. */
  async more(count: number): Promise<void> {
    const target = this.accepted.length + count;
    const deadline = performance.now() + 60_000;
    while (this.accepted.length < target) {
      assert.ok(performance.now() < deadline, `only ${this.accepted.length} of ${target} jobs were accepted`);
      await wait(5);
    }
  }

  /** Stops producing, lets the workers finish everything, stops them. */
  async finish(): Promise<void> {
    this.#producing = false;
    await Promise.all(this.#producers);
    const deadline = performance.now() + 60_000;
    for (;;) {
      const { queues } = await this.#store.counts();
      if (queues.every(({ ready, running, scheduled }) => ready + running + scheduled === 0)) break;
      assert.ok(performance.now() < deadline, `not finished: ${JSON.stringify(queues)}`);
      await wait(25);
    }
    this.#working = false;
    await Promise.all(this.#running);
  }

  async #produce(n: number): Promise<void> {
    for (let count = 0; this.#producing; count++) {
      try {
        this.accepted.push(...(await this.#store.enqueue([newJob({ priority: count % 3 === 0 ? n : 0 })])));
      } catch (error) {
        if (!passing(error)) throw error;
        this.refusals++;
      }
    }
  }

  /** As a worker does it: outcomes are sent until they are answered, and a failed claim is followed by reconciling. */
  async #work(): Promise<void> {
    const store = this.#store;
    let me: string | null = null;
    let settlements: Settlement[] = [];
    let unsure = false;
    while (this.#working) {
      try {
        me ??= await store.register(worker, 900_000);
        if (unsure)
          await store.reconcile(
            me,
            settlements.map(({ lease }) => lease),
          );
        unsure = false;
        const { refused, leases } = await store.settleAndClaim(me, settlements, {
          wants: [{ queue: "q", limit: 7 }],
          names,
        });
        if (!this.forgetful) assert.deepEqual(refused, []);
        settlements = leases.map(({ id, jobs }) => ({
          lease: id,
          outcomes: jobs.map(({ id: job }) => ({ job, type: "succeeded", ms: 0 })),
        }));
        // A claim without an answer may have reached the server after the look that followed it: a worker looks twice, too.
        if (leases.length === 0 && !this.#producing) await store.reconcile(me, []);
        if (leases.length === 0) await wait(5);
      } catch (error) {
        if (!passing(error)) throw error;
        unsure = true;
      }
    }
  }
}

function passing(error: unknown): boolean {
  return error instanceof NightshiftError && PASSING.includes(error.code);
}

/** Every accepted job succeeded, and none has two successes; nothing is left in the narrow tables. */
export async function assertAllOnce(url: string, schema: string, accepted: readonly JobId[]): Promise<void> {
  const raw = await rawClient(url);
  try {
    const { rows } = await raw.query<{ id: string; n: number }>(
      `select bucket || '-' || job_id as id, count(*)::int as n from ${schema}.finished where state = 'S' group by 1`,
    );
    const done = new Map(rows.map(({ id, n }) => [id, n]));
    assert.deepEqual(
      accepted.filter((id) => !done.has(id)),
      [],
      "accepted and lost",
    );
    assert.deepEqual(
      rows.filter(({ n }) => n > 1),
      [],
      "two successes accepted",
    );
    const left = await raw.query(
      `select (select count(*) from ${schema}.ready)::int + (select count(*) from ${schema}.lease)::int as n`,
    );
    assert.equal(left.rows[0]?.n, 0);
  } finally {
    await raw.end();
  }
}
