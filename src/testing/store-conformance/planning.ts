/** Conformance: what the tests of schedules share. */
import assert from "node:assert/strict";
import type { Fire, NewSchedule, Store, StoredSchedule } from "../../store/contract.ts";

/** A schedule as code declares it: `s`, of job `a`, without a next time. */
export function newSchedule(overrides: Partial<NewSchedule> = {}): NewSchedule {
  const base = { id: "s", group: "", source: "code", job: "a", definition: "{}", nextAt: null, paused: false } as const;
  return { ...base, ...overrides };
}

/** Saves one, created or changed, and gives it as it stands. */
export async function save(store: Store, overrides: Partial<NewSchedule> = {}): Promise<StoredSchedule> {
  const [saved] = await store.saveSchedules([newSchedule(overrides)]);
  assert.ok(saved !== null && saved !== undefined);
  return saved;
}

/** What became of one fire. */
export async function fireOne(store: Store, fire: Fire, by = "one") {
  const [fired] = await store.fire([fire], by);
  assert.ok(fired !== undefined);
  return fired;
}
