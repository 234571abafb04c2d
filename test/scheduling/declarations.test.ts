import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Store } from "../../src/store/contract.ts";
import { cron, interval } from "../../src/time/index.ts";
import { declare, tick, type World, world } from "./harness.ts";

const a = declare({ id: "a", trigger: cron("0 3 * * *"), job: tick });
const b = declare({ id: "b", trigger: cron("0 4 * * *"), job: tick });
const c = declare({ id: "c", trigger: cron("0 5 * * *"), job: tick });
const a2 = declare({ ...a, trigger: cron("30 3 * * *") });

async function ids(w: World): Promise<string[]> {
  return (await w.schedules.list({ limit: 100 })).items.map(({ id }) => id);
}
async function nextOf(w: World, id: string): Promise<string> {
  return new Date((await w.schedules.get(id))?.nextAt ?? 0).toISOString().slice(11, 16);
}
function told(w: World) {
  return w.logger.entries.flatMap(({ message, facts }) => (/brought into the store/.test(message) ? [facts] : []));
}

describe("schedules declared in code", () => {
  it("are added, changed and removed by the next version, and the log says which", async () => {
    await using w = await world();
    const stop = await w.scheduler({ declared: [a, b] });
    await stop();
    const again = await w.scheduler({ declared: [a2, c] });
    await again();
    assert.deepEqual(await ids(w), ["a", "c"]);
    assert.equal(await nextOf(w, "a"), "03:30");
    assert.deepEqual(told(w), [
      { added: ["a", "b"], changed: [], removed: [] },
      { added: ["c"], changed: ["a"], removed: ["b"] },
    ]);
  });

  it("are left alone by a start that changes nothing", async () => {
    await using w = await world();
    await (await w.scheduler({ declared: [a, b] }))();
    const before = await w.store.getSchedules(["a", "b"]);
    await (await w.scheduler({ declared: [b, a] }))();
    assert.deepEqual(await w.store.getSchedules(["a", "b"]), before);
    assert.equal(told(w).length, 1);
  });

  it("stay paused through a redeploy, even one that changes them; declared `paused` only counts at first", async () => {
    await using w = await world();
    await (await w.scheduler({ declared: [a] }))();
    await w.schedules.pause("a");
    await (await w.scheduler({ declared: [a2, declare({ ...b, paused: true })] }))();
    assert.equal((await w.schedules.get("a"))?.paused, true);
    await w.schedules.resume("b");
    await (await w.scheduler({ declared: [a, declare({ ...b, paused: true })] }))();
    assert.equal((await w.schedules.get("b"))?.paused, false);
  });

  it("keep their missed occurrences through a change that leaves their times alone", async () => {
    await using w = await world();
    const every = declare({ id: "s", trigger: interval("1m"), job: tick, misfire: "run-all" });
    await (await w.scheduler({ declared: [every] }))();
    await w.clock.advance("3m");
    await w.scheduler({ declared: [declare({ ...every, description: "new" })] });
    assert.equal((await w.history("s")).length, 4);
  });

  it("of other applications, and those created at run time, are none of its business", async () => {
    await using w = await world();
    await (await w.scheduler({ declared: [b], app: "other" }))();
    await w.schedules.create({ id: "mine", trigger: interval("1h"), job: tick });
    await (await w.scheduler({ declared: [a] }))();
    assert.deepEqual(await ids(w), ["a", "b", "mine"]);
  });

  it("take over an id that was created at run time, with a warning", async () => {
    await using w = await world();
    await w.schedules.create({ id: "a", trigger: interval("1h"), job: tick });
    await w.scheduler({ declared: [a] });
    assert.equal((await w.schedules.get("a"))?.source, "code");
    assert.ok(w.logger.entries.some(({ level, message }) => level === "warn" && /takes it over/.test(message)));
  });

  it("are not removed by a process that declares none, which warns instead", async () => {
    await using w = await world();
    await (await w.scheduler({ declared: [a] }))();
    await w.scheduler({ declared: [] });
    assert.deepEqual(await ids(w), ["a"]);
    assert.ok(
      w.logger.entries.some(({ level, message }) => level === "warn" && /declares these schedules/.test(message)),
    );
  });
});

describe("two versions side by side", () => {
  it("settle on the newer one: restarts of the older one change nothing", async () => {
    await using w = await world();
    const oldOnes = [
      await w.scheduler({ declared: [a, b], by: "old-1" }),
      await w.scheduler({ declared: [a, b], by: "old-2" }),
    ];
    await w.scheduler({ declared: [a2, c], by: "new-1" });
    assert.deepEqual(await ids(w), ["a", "b", "c"], "b is still declared by a version that runs");
    assert.equal(await nextOf(w, "a"), "03:30");
    await oldOnes[0]?.();
    const revision = (await w.schedules.get("a"))?.revision;
    const back = await w.scheduler({ declared: [a, b], by: "old-1" });
    await w.clock.advance("5m");
    assert.equal((await w.schedules.get("a"))?.revision, revision);
    assert.deepEqual(await ids(w), ["a", "b", "c"]);
    // the roll-out ends: what only the old version declared goes with its last instance
    await back();
    await oldOnes[1]?.();
    await w.clock.advance("2m");
    assert.deepEqual(await ids(w), ["a", "c"]);
    assert.equal(await nextOf(w, "a"), "03:30");
  });

  it("follow a roll-back once the newer version is gone", async () => {
    await using w = await world();
    await (await w.scheduler({ declared: [a, b] }))();
    const newer = await w.scheduler({ declared: [a2, c] });
    await w.scheduler({ declared: [a, b] });
    assert.equal(await nextOf(w, "a"), "03:30");
    await newer();
    await w.clock.advance("2m");
    assert.equal(await nextOf(w, "a"), "03:00");
    assert.deepEqual(await ids(w), ["a", "b"]);
  });
});

describe("a version that begins while another one settles", () => {
  /** The store, with something done once when a method is called for the first time: before it, or right after. */
  function meeting(
    w: World,
    method: "removeSchedules" | "leaders" | "saveSchedules",
    act: () => Promise<unknown>,
  ): Store {
    let met = false;
    return new Proxy(w.store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        if (key !== method) return value.bind(target);
        return async (...given: unknown[]) => {
          if (met) return Reflect.apply(value, target, given);
          met = true;
          if (method !== "leaders") await act();
          const result: unknown = await Reflect.apply(value, target, given);
          if (method === "leaders") await act();
          return result;
        };
      },
    });
  }

  it("keeps the schedules that it adopts, at whatever moment the other one removes what it does not declare", async () => {
    for (const method of ["removeSchedules", "leaders"] as const) {
      await using w = await world();
      await (await w.scheduler({ declared: [a, b], by: "first" }))();
      const b2 = declare({ ...b, description: "adopted" });
      const store = meeting(w, method, () => w.scheduler({ declared: [b2, c], by: "newest" }));
      await w.scheduler({ declared: [a2], by: "second", store });
      assert.deepEqual(await ids(w), ["a", "b", "c"], method);
      assert.equal((await w.schedules.get("b"))?.settings?.description, "adopted");
    }
  });

  it("is not overruled by an older one that was just looking who lives", async () => {
    await using w = await world();
    await (await w.scheduler({ declared: [a], by: "old" }))();
    const store = meeting(w, "leaders", () => w.scheduler({ declared: [a2], by: "new" }));
    await w.scheduler({ declared: [a], by: "old", store });
    await w.clock.advance("1m");
    assert.equal(await nextOf(w, "a"), "03:30");
  });

  it("does not save a schedule that fires all the time from being removed by the version that follows", async () => {
    await using w = await world();
    await (await w.scheduler({ declared: [a, declare({ id: "s", trigger: interval("1s"), job: tick })] }))();
    const store = meeting(w, "removeSchedules", () => w.schedules.trigger("s"));
    await w.scheduler({ declared: [a], store });
    assert.deepEqual(await ids(w), ["a"]);
    assert.deepEqual(told(w).at(-1), { added: [], changed: [], removed: ["s"] });
  });
});
