import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { systemClock } from "../../src/time/index.ts";
import type { Child } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { assertOneJobEach, history, IDS, startInstance, stopGently } from "./fleet.ts";

describe("four processes on one file", { concurrency: false }, () => {
  it("make exactly one job per occurrence, while the one that fires most is killed and comes back", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "fleet.db");
    await using fleet = new AsyncDisposableStack();
    const names = ["one", "two", "three", "four"];
    const children = new Map<string, Child>();
    for (const name of names) children.set(name, fleet.use(await startInstance(path, name)));
    const store = sqlite(path);
    await store.open({ clock: systemClock, logger: silentLogger });
    fleet.defer(() => store.close());
    await eventually(async () => assert.ok((await history(store, "all")).length >= 12));

    const fires = new Map<string, number>();
    for (const { by } of await history(store, "all")) fires.set(by, (fires.get(by) ?? 0) + 1);
    const [busiest = ""] = [...fires].sort((a, b) => b[1] - a[1])[0] ?? [];
    children.get(busiest)?.process.kill("SIGKILL");
    await children.get(busiest)?.ended;
    const killedAt = await store.now();
    await eventually(async () => {
      const others = (await history(store, "all")).filter(({ by, firedAt }) => by !== busiest && firedAt > killedAt);
      assert.ok(others.length >= 8);
    });
    children.set(busiest, fleet.use(await startInstance(path, busiest)));
    const backAt = await store.now();
    await eventually(async () => {
      assert.ok((await history(store, "all")).filter(({ firedAt }) => firedAt > backAt).length >= 8);
    });
    for (const child of children.values()) await stopGently(child);
    await assertOneJobEach(store);
  });

  it("that were all gone for a while do what each misfire policy says, and say so", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "fleet.db");
    await using fleet = new AsyncDisposableStack();
    const first = fleet.use(await startInstance(path, "first"));
    const store = sqlite(path);
    await store.open({ clock: systemClock, logger: silentLogger });
    fleet.defer(() => store.close());
    for (const id of IDS) await eventually(async () => assert.ok((await history(store, id)).length >= 3));
    first.process.kill("SIGKILL");
    await first.ended;
    const last = new Map<string, number>();
    for (const id of IDS) last.set(id, (await history(store, id)).at(-1)?.at ?? 0);
    const gone = await store.now();
    await eventually(async () => assert.ok((await store.now()) > gone + 3_000));

    const again = fleet.use(await startInstance(path, "again"));
    for (const id of IDS) {
      await eventually(async () =>
        assert.ok((await history(store, id)).filter(({ by }) => by === "again").length >= 8),
      );
    }
    await stopGently(again);
    await assertOneJobEach(store);

    /** Jobs made for missed times by the first move after the downtime: a slow machine may miss some more later. */
    const late = async (id: string) => {
      const lines = (await history(store, id)).filter(({ at }) => at > (last.get(id) ?? 0));
      const first = lines.filter(({ firedAt }) => firedAt === lines[0]?.firedAt);
      return first.filter(({ what, reason }) => what === "fired" && reason?.startsWith("missed")).length;
    };
    assert.ok((await late("all")) >= 8);
    assert.equal(await late("skip"), 0);
    assert.equal(await late("some"), 3);
    assert.equal(await late("once"), 1);
    for (const id of ["skip", "once"]) {
      const lines = await history(store, id);
      assert.ok(
        lines.some(({ what, reason }) => what === "skipped" && reason?.startsWith("missed")),
        `${id} says what it left out`,
      );
    }
  });
});
