import assert from "node:assert/strict";
import { test } from "node:test";
import { onFreshStore } from "../../../src/testing/store-conformance/harness.ts";
import { pausedPairs } from "../../../src/testing/store-conformance/interleaving.ts";
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
