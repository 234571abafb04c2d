import assert from "node:assert/strict";
import { test } from "node:test";
import type { Wake } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { capturingLogger } from "../../src/testing/index.ts";
import { type Clock, systemClock, VirtualClock } from "../../src/time/index.ts";
import { eventually } from "../support/eventually.ts";
import { pooler } from "../support/pooler.ts";
import { freshSchema, postgresUrl } from "../support/postgres.ts";
import { assertAllOnce, Load, newJob, openStore } from "./postgres-support.ts";

async function behindPooler(size: number) {
  const url = await postgresUrl();
  const pool = await pooler(Number(new URL(url).port), size);
  const through = new URL(url);
  through.port = String(pool.port);
  return { url, through: through.href, pool, schema: freshSchema(), [Symbol.asyncDispose]: () => pool.close() };
}

test("twelve connections behind a pooler of two in transaction mode do all their work once, wake-ups by polling", async () => {
  await using given = await behindPooler(2);
  const { url, through, pool, schema } = given;
  const open = () => openStore({ connectionString: through, schema, pooler: true });
  const [store, other] = [await open(), await open()];
  using load = new Load(store).start(4, 3);
  using more = new Load(other).start(2, 2);
  await load.more(150);
  await more.more(50);
  await Promise.all([load.finish(), more.finish()]);
  await assertAllOnce(url, schema, [...load.accepted, ...more.accepted]);
  assert.equal(pool.mostLent(), 2);
  let polled = 0;
  other.subscribe(({ what }) => what === "unknown" && polled++);
  await store.enqueue([newJob()]);
  await eventually(() => assert.ok(polled > 0), 5_000);
  await store.close();
  await other.close();
});

test("wake-ups go past the pooler where a direct connection for them is given", async () => {
  await using given = await behindPooler(2);
  const { url, through, schema } = given;
  const open = () => openStore({ connectionString: through, schema, pooler: true, listenConnectionString: url });
  const [store, other] = [await open(), await open()];
  const heard = new Promise<void>((resolve) => {
    other.subscribe((wake) => wake.what === "work" && wake.queues.includes("q") && resolve());
  });
  await store.enqueue([newJob()]);
  await heard;
  await store.close();
  await other.close();
});

test("a pooler that was not told of is named at once, with what to say", async () => {
  await using given = await behindPooler(2);
  const store = postgres({ connectionString: given.through, schema: given.schema });
  const logger = capturingLogger();
  // A clock that stands still: nothing is tried again.
  const opening = store.open({ clock: new VirtualClock(), logger });
  await assert.rejects(opening, { code: "NS_OPTION_INVALID", message: /is a pooler, PgBouncer say.*pooler: true/ });
  assert.deepEqual(logger.messages("warn"), []);
});

/** Timers run twenty times as fast. */
const hasty: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  setTimer: (delay, then, options) => systemClock.setTimer(delay / 20, then, options),
};

test("a LISTEN that is silently dead is found out before anybody relies on it, and polling goes on meanwhile", async () => {
  await using given = await behindPooler(3);
  const { through, schema } = given;
  const logger = capturingLogger();
  // What nobody should do: LISTEN through a pooler. It is answered as if all were well.
  const store = postgres({
    connectionString: through,
    schema,
    pooler: true,
    listenConnectionString: through,
    patience: "5s",
  });
  await store.open({ clock: hasty, logger });
  const wakes: Wake[] = [];
  store.subscribe((wake) => wakes.push(wake));
  await eventually(() => assert.match(logger.messages("warn").join(), /does not hear wake-ups from PostgreSQL; polls/));
  const found = await store.findings();
  assert.deepEqual(
    found.map(({ what, severity }) => [what, severity]),
    [["no wake-ups", "warning"]],
  );
  const before = wakes.length;
  await eventually(() => assert.ok(wakes.length > before + 20), 10_000);
  assert.deepEqual(
    logger.messages("info").filter((text) => /again/.test(text)),
    [],
  );
  assert.equal((await store.enqueue([newJob()])).length, 1);
  // With a way of its own, it hears itself and nothing is wrong.
  const direct = postgres({ connectionString: given.url, schema });
  await direct.open({ clock: hasty, logger: silentLogger });
  await eventually(async () => assert.deepEqual(await direct.findings(), []));
  await direct.close();
  await store.close();
});
