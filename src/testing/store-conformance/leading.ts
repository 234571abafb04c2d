/** Conformance: leadership. */
import assert from "node:assert/strict";
import { type StoreHarness, storeTest } from "./harness.ts";
import { LONG } from "./worker.ts";

export function leading(harness: StoreHarness): void {
  storeTest(harness, "a role is held by one at a time, and by others after it was given up", async ({ store }) => {
    const term = await store.campaign("scheduler", "one", LONG);
    assert.deepEqual([term?.role, term?.holder, term?.ttl], ["scheduler", "one", LONG]);
    assert.equal(await store.campaign("scheduler", "two", LONG), null);
    assert.equal(await store.campaign("scheduler", "one", LONG), null);
    assert.equal((await store.campaign("janitor", "two", LONG))?.holder, "two");
    assert.deepEqual(
      (await store.leaders()).map(({ role, holder }) => [role, holder]),
      [
        ["janitor", "two"],
        ["scheduler", "one"],
      ],
    );
    await store.resign("scheduler", term?.token ?? "");
    assert.equal((await store.campaign("scheduler", "two", LONG))?.holder, "two");
  });

  storeTest(harness, "of many that campaign at once one wins", async ({ store }) => {
    const terms = await Promise.all(Array.from({ length: 10 }, (_, n) => store.campaign("r", `p${n}`, LONG)));
    assert.equal(terms.filter((term) => term !== null).length, 1);
  });

  storeTest(harness, "a term that is renewed goes on, one that is not ends", async ({ store, passTime }) => {
    const first = await store.campaign("r", "one", LONG);
    assert.equal(await store.renew("r", first?.token ?? "", 10), true);
    await passTime(15);
    assert.equal(await store.renew("r", first?.token ?? "", LONG), false);
    assert.deepEqual(await store.leaders(), []);
    const second = await store.campaign("r", "two", LONG);
    assert.equal(second?.holder, "two");
    assert.equal(await store.renew("r", first?.token ?? "", LONG), false);
    assert.equal(await store.renew("r", second?.token ?? "", LONG), true);
  });

  storeTest(harness, "tokens grow with every change of leader", async ({ store }) => {
    let last = 0n;
    for (let n = 0; n < 5; n++) {
      const term = await store.campaign("r", `p${n}`, LONG);
      assert.ok(term !== null && BigInt(term.token) > last);
      last = BigInt(term.token);
      await store.resign("r", term.token);
    }
  });

  storeTest(harness, "an old or made-up token neither renews nor resigns", async ({ store }) => {
    const old = await store.campaign("r", "one", LONG);
    await store.resign("r", old?.token ?? "");
    await store.campaign("r", "two", LONG);
    for (const token of [old?.token ?? "", "0", "", "no such"]) {
      assert.equal(await store.renew("r", token, LONG), false);
      await store.resign("r", token);
    }
    assert.equal((await store.leaders())[0]?.holder, "two");
    assert.equal(await store.renew("never held", "1", LONG), false);
  });
}
