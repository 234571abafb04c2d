import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { NightshiftError } from "../../src/errors/index.ts";
import type { JobId, Settlement, Store } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { systemClock } from "../../src/time/index.ts";
import { freshSchema, startPostgres } from "../support/postgres.ts";
import { assertAllOnce, names, newJob, worker } from "./postgres-support.ts";

/** Producers for each queue and workers for both, until told to stop. */
class TwoQueues {
  readonly accepted: Record<"here" | "there", JobId[]> = { here: [], there: [] };
  readonly succeeded = new Set<JobId>();
  /** A server that was killed may have forgotten its last claims: their outcomes are refused, and the jobs come again. */
  forgetful = false;
  readonly #store: Store;
  readonly #producers: readonly Promise<void>[];
  readonly #workers: readonly Promise<void>[];
  #producing = true;
  #working = true;

  constructor(store: Store) {
    this.#store = store;
    this.#producers = (["here", "here", "there", "there"] as const).map((queue) => this.#produce(queue));
    this.#workers = [this.#work(), this.#work()];
  }

  [Symbol.dispose](): void {
    this.#producing = false;
    this.#working = false;
  }

  /** Waits for so many more jobs of the queue to be accepted and done. */
  async more(queue: "here" | "there", count: number): Promise<void> {
    const first = this.accepted[queue].length;
    await until(`${count} more jobs ${queue}`, () => {
      const since = this.accepted[queue].slice(first, first + count);
      return since.length === count && since.every((id) => this.succeeded.has(id));
    });
  }

  async finish(): Promise<void> {
    this.#producing = false;
    // What is on its way now is accepted work too, and waits for its worker.
    await Promise.all(this.#producers);
    await until("everything is done", async () => {
      const { queues } = await this.#store.counts();
      return queues.every(({ ready, running, scheduled }) => ready + running + scheduled === 0);
    });
    this.#working = false;
    await Promise.all(this.#workers);
  }

  async #produce(queue: "here" | "there"): Promise<void> {
    while (this.#producing) {
      const ids = await this.#store.enqueue([newJob({ queue })]).catch(onlyAway);
      if (ids === null) await wait(20);
      else this.accepted[queue].push(...ids);
    }
  }

  /** As the library's worker does it: what is unsettled is settled again, and stands once. */
  async #work(): Promise<void> {
    const store = this.#store;
    const me = await store.register(worker, 900_000);
    let settlements: readonly Settlement[] = [];
    const request = { wants: ["here", "there"].map((queue) => ({ queue, limit: 20 })), names };
    while (this.#working) {
      const answer = await store.settleAndClaim(me, settlements, request).catch(onlyAway);
      if (answer === null) continue;
      const { refused, unsettled = [], leases } = answer;
      if (!this.forgetful) assert.deepEqual(refused, []);
      for (const { lease, outcomes } of settlements) {
        if (!unsettled.includes(lease) && !refused.includes(lease))
          for (const { job } of outcomes) this.succeeded.add(job);
      }
      const again = settlements.filter(({ lease }) => unsettled.includes(lease));
      const done = leases.map(({ id, jobs }) => ({
        lease: id,
        outcomes: jobs.map(({ id: job }) => ({ job, type: "succeeded", ms: 0 }) as const),
      }));
      settlements = [...again, ...done];
      if (leases.length === 0) await wait(5);
    }
  }
}

function onlyAway(error: unknown): null {
  if (error instanceof NightshiftError && error.code === "NS_STORE_UNAVAILABLE") return null;
  throw error;
}

async function until(what: string, fact: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await fact())) {
    assert.ok(performance.now() < deadline, `not in time: ${what}`);
    await wait(20);
  }
}

test("with one shard's server killed under load the other's queues go on; back again, every job is done once", async () => {
  const [a, b] = await Promise.all([startPostgres(), startPostgres()]);
  const schema = freshSchema();
  const store = postgres({
    shards: [
      { name: "a", connectionString: a.url },
      { name: "b", connectionString: b.url },
    ],
    queues: { here: "a", there: "b" },
    ...{ schema, patience: "1s" },
  });
  try {
    await store.open({ clock: systemClock, logger: silentLogger });
    using load = new TwoQueues(store);
    for (const how of ["kill", "fast"] as const) {
      await Promise.all([load.more("here", 100), load.more("there", 100)]);
      load.forgetful ||= how === "kill";
      await b.halt(how);
      await load.more("here", 200);
      assert.equal(store.info().shards?.find(({ name }) => name === "a")?.away, null);
      await until("the other is told of", () => store.info().shards?.find(({ name }) => name === "b")?.away !== null);
      await load.more("here", 200);
      await b.resume();
    }
    await Promise.all([load.more("here", 100), load.more("there", 100)]);
    await load.finish();
    const inside = (ids: readonly JobId[]) => ids.map((id) => id.slice(id.indexOf(".") + 1));
    await assertAllOnce(a.url, schema, inside(load.accepted.here));
    await assertAllOnce(b.url, schema, inside(load.accepted.there));
  } finally {
    await store.close();
    await Promise.all([a.dispose(), b.dispose()]);
  }
});
