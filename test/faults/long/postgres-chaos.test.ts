import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { freshSchema, rawClient, startPostgres } from "../../support/postgres.ts";
import { tcpProxy } from "../../support/tcp-proxy.ts";
import { assertAllOnce, Load, names, newJob, openStore, worker } from "../postgres-support.ts";

/** A small generator, so that a failing run can be repeated by its seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("a minute of restarts, cut networks, ended connections and vanished workers lose no accepted job", async (t) => {
  const seed = Number(process.env["NIGHTSHIFT_SEED"] ?? Date.now() % 1_000_000);
  t.diagnostic(`NIGHTSHIFT_SEED=${seed}`);
  const random = seeded(seed);
  const server = await startPostgres();
  const proxy = await tcpProxy(server.port);
  try {
    const schema = freshSchema();
    const through = new URL(server.url);
    through.port = String(proxy.port);
    const store = await openStore({ connectionString: through.href, schema, statementTimeout: 3_000, patience: "30s" });
    using load = new Load(store).start(4, 3);
    load.forgetful = true;
    const actions: Record<string, () => Promise<void>> = {
      restart: async () => {
        await server.halt((["fast", "immediate", "kill"] as const)[Math.floor(random() * 3)] ?? "fast");
        await wait(random() * 500);
        await server.resume();
      },
      cut: async () => proxy.cut(),
      slow: async () => {
        proxy.delay(random() * 40);
        await wait(500);
        proxy.heal();
      },
      end: async () => {
        const raw = await rawClient(server.url);
        await raw.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and random() < 0.5",
        );
        await raw.end().catch(() => undefined);
      },
      vanish: async () => {
        // Claims and is never heard of again: its jobs are taken from it.
        const me = await store.register(worker, 300).catch(() => null);
        if (me !== null) await store.claim(me, { wants: [{ queue: "q", limit: 5 }], names }).catch(() => undefined);
        await wait(400);
        await store.rescue(100).catch(() => undefined);
      },
    };
    const until = performance.now() + 60_000;
    let counted = 0;
    while (performance.now() < until) {
      const [name = "", act] = Object.entries(actions)[Math.floor(random() * 5)] ?? [];
      t.diagnostic(`${++counted}: ${name}`);
      await act?.();
      await load.more(20);
    }
    await wait(400);
    await store.rescue(1_000);
    await load.finish();
    await assertAllOnce(server.url, schema, load.accepted);
    t.diagnostic(`${load.accepted.length} accepted, ${load.refusals} refused or unknown`);
    assert.equal((await store.enqueue([newJob()])).length, 1);
    await store.close();
  } finally {
    await proxy.close();
    await server.dispose();
  }
});
