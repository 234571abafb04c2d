import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { freshSchema, rawClient, startPostgres } from "../../support/postgres.ts";
import { startPgBouncer } from "../pgbouncer.ts";
import { assertAllOnce, Load, openStore } from "../postgres-support.ts";

test("behind PgBouncer in transaction mode, killed and cut off under load, every accepted job succeeds once", async (t) => {
  await using ends = new AsyncDisposableStack();
  const server = ends.adopt(await startPostgres(), (started) => started.dispose());
  const bouncer = ends.adopt(await startPgBouncer(server.port), (started) => started.dispose());
  const schema = freshSchema();
  const open = () => openStore({ connectionString: bouncer.url, schema, pooler: true });
  const [store, other] = [await open(), await open()];
  using load = new Load(store).start(4, 3);
  using more = new Load(other).start(2, 2);
  for (let round = 0; round < 3; round++) {
    await load.more(200);
    await bouncer.killAndStart();
    await more.more(100);
    const raw = await rawClient(server.url);
    await raw.query("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()");
    await raw.end();
  }
  await Promise.all([load.finish(), more.finish()]);
  const accepted = [...load.accepted, ...more.accepted];
  await assertAllOnce(server.url, schema, accepted);
  t.diagnostic(`${accepted.length} accepted, ${load.refusals + more.refusals} refused or unknown`);
  let polled = 0;
  other.subscribe(({ what }) => what === "unknown" && polled++);
  await eventually(() => assert.ok(polled > 1));
  await store.close();
  await other.close();
});
