/** Numbers that a server gave and has forgotten, by a failover or a snapshot: none of them may be given again. */
import assert from "node:assert/strict";
import type { NewSchedule, Store } from "../../src/store/contract.ts";
import { worker } from "./postgres-support.ts";

const schedule: NewSchedule = {
  ...{ id: "s", group: "", source: "code", job: "a", definition: "{}", nextAt: null, paused: false },
};

/** An instance, a term and a revision. Gives what asserts, once they are lost, that others are given in their place. */
export async function takeNumbers(store: Store): Promise<(newcomer: Store) => Promise<void>> {
  const instance = await store.register(worker, 900_000);
  const term = await store.campaign("captain", "gone", 900_000);
  const [saved] = await store.saveSchedules([schedule]);
  return async (newcomer) => {
    assert.notEqual(await newcomer.register(worker, 900_000), instance);
    assert.notEqual((await store.campaign("captain", "new", 900_000))?.token, term?.token);
    assert.notEqual((await store.saveSchedules([schedule]))[0]?.revision, saved?.revision);
  };
}
