import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Routing } from "../../../src/store/sharded/routing.ts";

const name = fc.stringMatching(/^[a-z0-9]{1,6}$/);
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 8 });
const queue = fc.string({ minLength: 1, maxLength: 20 });
const routing = (list: readonly string[], draining: readonly string[] = [], pins: Record<string, string> = {}) =>
  new Routing(
    list.map((shard) => ({ name: shard, draining: draining.includes(shard) })),
    new Map(Object.entries(pins)),
  );

test("a queue has one home, whatever the order of the list", () => {
  fc.assert(
    fc.property(names, queue, (list, one) => {
      const home = routing(list).home(one);
      assert.ok(list.includes(home));
      assert.equal(routing([...list].reverse()).home(one), home);
    }),
  );
});

test("a shard that is added takes queues for itself and moves none between the others", () => {
  fc.assert(
    fc.property(names, name, fc.array(queue, { maxLength: 30 }), (list, added, queues) => {
      fc.pre(!list.includes(added));
      const before = routing(list);
      const after = routing([...list, added]);
      for (const one of queues) if (after.home(one) !== added) assert.equal(after.home(one), before.home(one));
    }),
  );
});

test("a shard that drains gives away its own queues, and nobody else's", () => {
  fc.assert(
    fc.property(names, fc.array(queue, { maxLength: 30 }), (list, queues) => {
      fc.pre(list.length > 1);
      const [drained = ""] = list;
      const before = routing(list);
      const after = routing(list, [drained]);
      for (const one of queues) {
        assert.notEqual(after.home(one), drained);
        if (before.home(one) !== drained) assert.equal(after.home(one), before.home(one));
      }
    }),
  );
});

test("a pinned queue lives where it is pinned, the others where they did", () => {
  const list = ["a", "b", "c"];
  const pinned = routing(list, [], { mail: "c", __proto__: "a" });
  assert.equal(pinned.home("mail"), "c");
  for (const one of ["x", "y", "z", "constructor"]) assert.equal(pinned.home(one), routing(list).home(one));
});

test("queues named alike are spread evenly", () => {
  const list = Array.from({ length: 8 }, (_, n) => `db-${n + 1}`);
  const counts = new Map<string, number>();
  const one = routing(list);
  for (let n = 0; n < 16_000; n++) counts.set(one.home(`tenant-${n}`), (counts.get(one.home(`tenant-${n}`)) ?? 0) + 1);
  for (const shard of list)
    assert.ok(Math.abs((counts.get(shard) ?? 0) - 2_000) < 200, `${shard}: ${counts.get(shard)}`);
});
