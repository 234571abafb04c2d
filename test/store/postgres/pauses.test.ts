import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../../../src/store/contract.ts";
import { onFreshStore } from "../../../src/testing/store-conformance/harness.ts";
import { pausedPairs } from "../../../src/testing/store-conformance/interleaving.ts";
import { newInstance, newJob } from "../../../src/testing/store-conformance/worker.ts";
import { sleep, systemClock } from "../../../src/time/index.ts";
import { rewrite } from "../../support/pause-points.ts";
import { type Prepare, pausingStore } from "./pausing.ts";

test("settling and rescuing leave one truth when either is stopped before any of its statements", async (t) => {
  const met = await onFreshStore({ create: () => pausingStore() }, (given) =>
    pausedPairs(given, ["settle as succeeded", "rescue"]),
  );
  t.diagnostic(`${met} meetings`);
  assert.ok(met >= 20);
});

/** What is wrong on purpose, and the meeting in which it shows. */
interface Flaw {
  readonly what: string;
  readonly break: Prepare;
  readonly first: string;
  readonly second: string;
}

const FLAWS: readonly Flaw[] = [
  {
    what: "rescues in one statement, by a snapshot older than its locks",
    // In one statement, what it read stays true for it, whatever a settlement commits before it comes to the row.
    break: (client, schema) =>
      rewrite(client, schema, "rescue", [
        [/v_leases := array\([\s\S]*?skip locked\);/, ""],
        [
          /with gone as \(\s*delete from lease l where l.id = any \(v_leases\) returning l\s*\)/,
          `with seen as materialized (
            select l from lease l where l.instance_id = any (v_dead) and pause_ms('rescue: between its snapshot and its locks') > 0
          ), gone as (delete from lease l using seen s where l.id = (s.l).id returning s.l)`,
        ],
      ]),
    ...{ first: "rescue", second: "settle as succeeded" },
  },
  {
    what: "settles without locking the lease first",
    break: (client, schema) =>
      rewrite(client, schema, "settle", [
        ["where l.id = p_leases[v_i] for no key update;", "where l.id = p_leases[v_i];"],
      ]),
    ...{ first: "settle as succeeded", second: "rescue" },
  },
  {
    what: "hands jobs back without locking the leases first",
    break: (client, schema) =>
      rewrite(client, schema, "hand_back", [
        [/order by l.id for update\);/, "order by l.id);"],
        [
          /delete from lease l where l.id = any \(v_leases\) returning l/,
          "delete from lease l using (select k from lease k where k.id = any (v_leases) and pause_ms('hand_back: inside') > 0) s where l.id = (s.k).id returning s.k as l",
        ],
      ]),
    ...{ first: "deregister", second: "settle as succeeded" },
  },
  {
    what: "cancels what it saw running without holding it there",
    break: (client, schema) =>
      rewrite(client, schema, "cancel", [[/@> array\[v_job.id\] for no key update/, "@> array[v_job.id]"]]),
    ...{ first: "cancel", second: "settle as succeeded" },
  },
];

for (const flaw of FLAWS) {
  test(`the suite would notice a store that ${flaw.what}`, async () => {
    const caught = onFreshStore({ create: () => pausingStore(flaw.break) }, (given) =>
      pausedPairs(given, [flaw.first], [flaw.second]),
    );
    await assert.rejects(caught, new RegExp(`${flaw.second} while ${flaw.first} stood at`));
  });
}

/** Whoever finds a lock taken waits at least so many milliseconds here. */
const WAIT = 40;
const request = (...queues: readonly string[]) => ({
  wants: queues.map((queue) => ({ queue, limit: 5 })),
  names: new Set(["a"]),
});

const CLAIMS: Readonly<Record<string, (store: Store, me: string, queue: string) => Promise<unknown>>> = {
  "a claim": async (store, me, queue) => store.claim(me, request(queue)),
  "a claim from several queues": async (store, me, queue) => store.claim(me, request(queue, "other")),
  "a direct claim": async (store, me, queue) => store.enqueueAndClaim([newJob({ queue })], me, request(queue)),
};

for (const [what, claim] of Object.entries(CLAIMS)) {
  test(`${what} that stands anywhere while its queue is paused claims nothing once the pause is made`, async (t) => {
    const under = await pausingStore();
    await using ends = new AsyncDisposableStack();
    ends.defer(() => under.dispose());
    const { store } = under;
    const other = await under.second();
    ends.defer(() => other.close());
    const me = await store.register(newInstance("w"), 600_000);
    let rounds = 0;
    const setUp = async () => {
      const queue = `q${++rounds}`;
      if (what !== "a direct claim") await other.enqueue([newJob({ queue })]);
      const running = async () => (await other.counts()).queues.find((counts) => counts.queue === queue)?.running ?? 0;
      return { queue, running };
    };
    const undisturbed = await setUp();
    await under.passedPoints();
    await claim(store, me, undisturbed.queue);
    assert.equal(await undisturbed.running(), 1);
    const points = new Set(await under.passedPoints());
    for (const point of points) {
      const { queue, running } = await setUp();
      const pause = await under.pauseAt(point);
      const claiming = claim(store, me, queue);
      await pause.reached;
      const pausing = other.pauseQueue(queue).then(running);
      await Promise.race([pausing, sleep(systemClock, WAIT)]);
      await pause.release();
      const atPause = await pausing;
      await claiming;
      assert.equal(await running(), atPause, `stood at ${point}`);
    }
    t.diagnostic(`${points.size} points`);
    assert.ok(points.size >= 3);
  });
}
