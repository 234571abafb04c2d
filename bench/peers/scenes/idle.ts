/** What a worker costs that has nothing to do: processor time of Node and of the server, and what it asks the server. */

import type { Stage } from "../stage.ts";
import { now, pause } from "../system.ts";
import type { Scene } from "./index.ts";

/** A server tells the transactions of an idle connection ten seconds late: what a worker does in its first seconds would be counted as what it idles with. */
const SETTLE = 15_000;

export const idle: Scene = {
  seconds: 36,
  once: true,
  takesPart: ({ only }) => only === undefined,
  async play(stage: Stage) {
    const { onPostgres, servers } = stage;
    // Its workers look into every database now and then, and their transactions would count as ours.
    if (onPostgres) await servers.autovacuum(false);
    try {
      await rest(stage);
    } finally {
      if (onPostgres) await servers.autovacuum(true);
    }
  },
};

async function rest(stage: Stage) {
  const { place, scale, measure } = stage;
  const worker = await stage.process();
  // It has worked before: idle is not the same as new.
  await stage.store(worker.ask("fill", { jobs: 5 }));
  await worker.ask("start", { ms: 600_000 });
  await pause(scale.idle > SETTLE ? SETTLE : scale.idle);
  const read = async () => ({
    at: now(),
    node: await worker.ask("cpu", {}),
    server: place.serverTime(),
    transactions: await place.transactions?.(),
  });
  const before = await read();
  await pause(scale.idle);
  const after = await read();
  const seconds = (after.at - before.at) / 1_000;
  const perSecond = (of: "node" | "server" | "transactions") => ((after[of] ?? NaN) - (before[of] ?? NaN)) / seconds;
  measure("idleNode", perSecond("node"));
  measure("idleServer", perSecond("server"));
  measure("idleStatements", perSecond("transactions"));
  await stage.stop([worker]);
}
