import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../../src/store/memory/index.ts";
import { moveStore } from "../../../src/store/operations/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { makeSharded, newJob, newSchedule, openSharded, process1, type Sharded, TTL, wants } from "./support.ts";

const NAMES = Array.from({ length: 40 }, (_, n) => `queue-${n}`);

async function drainAll(store: Sharded["store"], queues: readonly string[]): Promise<string[]> {
  const me = await store.register(process1, TTL);
  const done: string[] = [];
  for (;;) {
    const leases = await store.claim(me, wants(...queues));
    if (leases.length === 0) return done;
    for (const { id, jobs } of leases) {
      done.push(...jobs.map(({ input }) => input));
      const outcomes = jobs.map((job) => ({ job: job.id, type: "succeeded", ms: 1 }) as const);
      assert.deepEqual(await store.settle(me, [{ lease: id, outcomes }]), { refused: [] });
    }
  }
}

test("jobs of queues that moved to a new shard are worked off where they are, and new ones go to the new home", async () => {
  const before = await openSharded({ names: ["a", "b"] });
  for (const queue of NAMES) await before.store.enqueue([newJob({ queue, input: `"old ${queue}"` })]);
  await before.store.close();
  const after = await openSharded({ names: ["a", "b", "c"] }, before);
  let moved = 0;
  for (const queue of NAMES) {
    const [id = ""] = await after.store.enqueue([newJob({ queue, input: `"new ${queue}"` })]);
    if (id.startsWith("c.")) moved++;
  }
  assert.ok(moved > 0, "some queues moved");
  const done = await drainAll(after.store, NAMES);
  assert.deepEqual(done.sort(), NAMES.flatMap((queue) => [`"new ${queue}"`, `"old ${queue}"`]).sort());
  assert.match(after.logger.messages("info").join("\n"), /The list of shards has changed/);
});

test("jobs that a process with an older list enqueues are found by their wake-up", async () => {
  const old = await openSharded({ names: ["a", "b"], queues: { moves: "a" } });
  const now = await openSharded({ names: ["a", "b"], queues: { moves: "b" } }, old);
  await old.store.enqueue([newJob({ queue: "moves", input: "1" })]);
  assert.deepEqual(await drainAll(now.store, ["moves"]), ["1"]);
  // And it is not asked for ever: home alone is, once the old place has nothing more.
  const asked = now.places["a"]?.calls.get("claim");
  await drainAll(now.store, ["moves"]);
  assert.equal(now.places["a"]?.calls.get("claim"), asked);
  await old.clock.advance("1m");
  assert.match(old.logger.messages("warn").join("\n"), /Another process has another list of shards/);
});

test("a backlog at the old home and new work at the new one take turns", async () => {
  const old = await openSharded({ names: ["a", "b"], queues: { moves: "a" } });
  await old.store.enqueue(Array.from({ length: 40 }, () => newJob({ queue: "moves", input: '"old"' })));
  const now = await openSharded({ names: ["a", "b"], queues: { moves: "b" } }, old);
  await now.store.enqueue(Array.from({ length: 40 }, () => newJob({ queue: "moves", input: '"new"' })));
  const done = await drainAll(now.store, ["moves"]);
  assert.equal(done.length, 80);
  const firstHalf = done.slice(0, 40);
  assert.ok(firstHalf.includes('"old"') && firstHalf.includes('"new"'), firstHalf.join());
});

test("a list that lacks a shard is refused, unless that shard was draining", async () => {
  const before = await openSharded({ names: ["a", "b"] });
  await assert.rejects(openSharded({ names: ["a"] }, before), {
    code: "NS_STORE_SHARDS",
    message: /lacks "b", which may still have jobs.*draining: true/,
  });
  await openSharded({ names: ["a", "b"], draining: ["b"] }, before);
  const { store } = await openSharded({ names: ["a"] }, before);
  assert.equal((await store.enqueue([newJob({ queue: "any" })]))[0]?.startsWith("a."), true);
});

test("what is left on a shard that was taken out moves into the others, with its history and without its marks", async () => {
  const queues = { "at-b": "b" };
  const before = await openSharded({ names: ["a", "b"], queues });
  const ids = await before.store.enqueue(["1", "2"].map((input) => newJob({ queue: "at-b", input })));
  await before.store.saveSchedules([
    newSchedule({ queue: "at-b" }),
    newSchedule({ id: "removed later", queue: "at-b" }),
  ]);
  await drainAll(before.store, ["at-b"]);
  const draining = await openSharded({ names: ["a", "b"], draining: ["b"] }, before);
  await draining.clock.advance("1m");
  for (const schedule of [newSchedule({ queue: "any" }), newSchedule({ id: "removed later", queue: "any" })]) {
    await draining.store.saveSchedules([schedule]);
  }
  await draining.store.removeSchedules(["removed later"]);
  await draining.store.close();
  await before.store.close();
  const { places } = draining;
  const source = places["b"]?.data;
  const target = places["a"]?.data;
  if (source === undefined || target === undefined) return assert.fail();
  await source.open(before);
  await before.clock.advance("1h");

  await assert.rejects(moveStore(source, target), { code: "NS_STORE_SHARDS", message: /Give all of them/ });
  const { store } = await openSharded({ names: ["a"] }, before);
  assert.equal(await store.getJob(ids[0] ?? ""), null);
  const moved = new Map<string, string>();
  const report = await moveStore(source, store, { finished: true, onJob: (from, to) => moved.set(`b.${from}`, to) });
  assert.deepEqual([report.jobs, report.verified, report.schedules, report.calendars], [2, 2, 0, 0]);
  const { items } = await store.listJobs({ state: "succeeded", limit: 9 });
  assert.deepEqual(items.map(({ id }) => id).sort(), ids.map((id) => moved.get(id)).sort());
  const job = await store.getJob(moved.get(ids[0] ?? "") ?? "");
  assert.deepEqual([job?.input, job?.queue, job?.history.map(({ what }) => what)], ["1", "at-b", ["succeeded"]]);
  assert.deepEqual(
    (await store.listSchedules({ limit: 9 })).items.map(({ id, paused }) => [id, paused]),
    [["s", false]],
  );
  // The list of shards is still that of "a": it opens again.
  await openSharded({ names: ["a"] }, before);
});

/** What a store warns of, and is not there for all that is said by memory. */
const warnings = async ({ store }: Sharded) => (await store.findings()).map(({ what, details }) => [what, details]);
const behind = [["jobs left behind", { shard: "b" }]];

test("a shard that is taken out with jobs in it is warned of by everybody, until it is back and seen empty", async () => {
  const before = await openSharded({ names: ["a", "b"] });
  await before.store.enqueue([newJob({ queue: "at-b", input: '"left"' })]);
  const draining = await openSharded({ names: ["a", "b"], draining: ["b"] }, before);
  assert.deepEqual(await warnings(draining), []);
  const without = await openSharded({ names: ["a"] }, before);
  const second = await openSharded({ names: ["a"] }, before);
  for (const one of [without, second]) {
    assert.deepEqual(await warnings(one), behind);
    const [said, ...more] = one.logger.messages("warn");
    assert.match(said ?? "", /^Shard b was taken out .* before it was seen empty/);
    assert.deepEqual(more, []);
  }

  const back = await openSharded({ names: ["a", "b"], draining: ["b"] }, before);
  const twin = await openSharded({ names: ["a", "b"], draining: ["b"] }, before);
  assert.deepEqual(await warnings(back), []);
  assert.deepEqual(await drainAll(back.store, ["at-b"]), ['"left"']);
  await back.clock.advance("1m");
  for (const { logger } of [back, twin]) assert.deepEqual(logger.messages("warn"), []);
  assert.deepEqual(await warnings(await openSharded({ names: ["a"] }, before)), []);
  await without.clock.advance("1m");
  assert.deepEqual(await warnings(without), []);
});

test("an empty shard is taken out without a warning, and one that was never looked at with one", async () => {
  const before = await openSharded({ names: ["a", "b", "c"] });
  before.places["c"]?.cut();
  await openSharded({ names: ["a", "b", "c"], draining: ["b", "c"] }, before);
  const after = await openSharded({ names: ["a"] }, before);
  assert.deepEqual(await warnings(after), [["jobs left behind", { shard: "c" }]]);
});

test("a shard that was taken out with jobs in it is not warned of once they have been moved into the others", async () => {
  const before = await openSharded({ names: ["a", "b"] });
  await before.store.enqueue([newJob({ queue: "at-b" })]);
  await openSharded({ names: ["a", "b"], draining: ["b"] }, before);
  const without = await openSharded({ names: ["a"] }, before);
  const source = before.places["b"]?.data ?? assert.fail();
  assert.deepEqual(await warnings(without), behind);
  const target = makeSharded({ names: ["a"], queues: { "at-a": "a" } }, before);
  assert.equal((await moveStore(source, target.store)).jobs, 1);
  await without.clock.advance("1m");
  assert.deepEqual(await warnings(without), []);
});

/** A shard that was taken out too early, with a schedule that has fired once. */
async function leftWithSchedule() {
  const before = await openSharded({ names: ["a", "b"] });
  const [saved] = await before.store.saveSchedules([newSchedule({ nextAt: 1_000, queue: "at-b" })]);
  const occurrences = [{ at: 1_000, what: "skipped", reason: "on b" }] as const;
  await before.store.fire([{ schedule: "s", revision: saved?.revision ?? 0, occurrences, nextAt: 2_000 }], "me");
  await before.store.close();
  before.places["b"]?.cut(); // nobody can take its schedules off it
  const draining = await openSharded({ names: ["a", "b"], draining: ["b"] }, before);
  await draining.store.close();
  before.places["b"]?.heal();
  return { before, source: before.places["b"]?.data ?? assert.fail() };
}

test("a shard that comes back after its schedules were moved out of it has none of them a second time", async () => {
  const { before, source } = await leftWithSchedule();
  assert.equal((await moveStore(source, makeSharded({ names: ["a"] }, before).store)).schedules, 1);
  const { store } = await openSharded({ names: ["a", "b"] }, before);
  const listed = async () => (await store.listSchedules({ limit: 9 })).items.map(({ id, paused }) => [id, paused]);
  assert.deepEqual(await listed(), [["s", false]]);
  const [live] = await store.getSchedules(["s"]);
  await store.saveSchedules([newSchedule({ nextAt: 1_000, queue: "at-b" })], [live?.revision ?? 0]);
  assert.deepEqual(await listed(), [["s", false]]);
  assert.deepEqual(
    (await source.getSchedules(["s"])).map(({ paused }) => paused),
    [false],
  );
});

test("a schedule of which the others have another one is named by a move, and the shard keeps all that its own was and did", async () => {
  const { before, source } = await leftWithSchedule();
  await source.open({ clock: before.clock, logger: silentLogger });
  const [own] = await source.getSchedules(["s"]);
  const { store: without } = await openSharded({ names: ["a"] }, before);
  await without.saveSchedules([
    newSchedule({ source: "dynamic", definition: '{"another":1}', nextAt: 5_000, queue: "at-a" }),
  ]);
  await without.saveSchedules([newSchedule({ id: "code", source: "code", definition: "{}", queue: "at-a" })]);
  await source.saveSchedules([newSchedule({ id: "code", source: "code", definition: '{"older":1}' })]);
  for (let run = 1; run <= 2; run++) {
    const report = await moveStore(source, makeSharded({ names: ["a"] }, before).store);
    assert.deepEqual([report.schedules, report.keptSchedules, report.otherSchedules], [0, 2, ["s"]], `run ${run}`);
  }
  const [mark] = await source.getSchedules(["s"]);
  assert.equal(JSON.parse(mark?.definition ?? "")["nightshift:moved"].schedule.definition, own?.definition);
  const { store } = await openSharded({ names: ["a", "b"] }, before);
  const listed = (await store.listSchedules({ limit: 9 })).items.map(({ id, definition }) => [id, definition]);
  assert.deepEqual(listed, [
    ["code", "{}"],
    ["s", '{"another":1}'],
  ]);
  const { items } = await store.listOccurrences("s", { limit: 9 });
  assert.deepEqual(
    items.map(({ at, reason }) => [at, reason]),
    [[1_000, "on b"]],
  );
  assert.deepEqual(await store.removeSchedules(["s"]), ["s"]);
  assert.deepEqual(await source.getSchedules(["s"]), []);
});

test("a schedule that was moved out of a shard to somewhere else can be created anew when the shard is back", async () => {
  const { before, source } = await leftWithSchedule();
  assert.equal((await moveStore(source, memory())).schedules, 1);
  const { store } = await openSharded({ names: ["a", "b"] }, before);
  assert.deepEqual(await store.getSchedules(["s"]), []);
  const [saved] = await store.saveSchedules([newSchedule({ nextAt: 9_000, queue: "at-a" })], [0]);
  assert.deepEqual([saved?.nextAt, saved?.paused], [9_000, false]);
  assert.equal((await store.listSchedules({ limit: 9 })).items.length, 1);
});

test("databases that changed names are refused before anything is written", async () => {
  const before = await openSharded({ names: ["a", "b"] });
  const { a, b } = before.places;
  if (a === undefined || b === undefined) return assert.fail();
  const swapped = { clock: before.clock, places: { a: b, b: a } };
  await assert.rejects(openSharded({ names: ["a", "b"] }, swapped), /The database of shard "a" is known as shard "b"/);
  const renamed = { clock: before.clock, places: { a, z: b } };
  await assert.rejects(openSharded({ names: ["a", "z"] }, renamed), { code: "NS_STORE_SHARDS" });
  await assert.rejects(
    openSharded({ names: ["a", "b"] }, { clock: before.clock, places: { a, b: a } }),
    { code: "NS_STORE_SHARDS" },
    "one database under two names",
  );
});

test("a wrong database that comes up later stays away", async () => {
  const before = await openSharded({ names: ["a", "b"] });
  const foreign = await openSharded({ names: ["z"] });
  const { z } = foreign.places;
  const { a } = before.places;
  if (a === undefined || z === undefined) return assert.fail();
  z.cut();
  const { store, clock, logger } = await openSharded(
    { names: ["a", "b"] },
    { clock: before.clock, places: { a, b: z } },
  );
  z.heal();
  await clock.advance("2s");
  assert.match(logger.messages("error").join("\n"), /Shard b stays away: .*known as shard "z"/);
  await assert.rejects(store.enqueue([newJob({ queue: "at-b" })]), { code: "NS_STORE_UNAVAILABLE" });
});

test("a new shard learns the pauses and calendars of the others", async () => {
  const before = await openSharded({ names: ["a"] });
  await before.store.pauseQueue("moves", "incident");
  await before.store.saveCalendar("holidays", "{}");
  const after = await openSharded({ names: ["a", "b"], queues: { moves: "b" } }, before);
  await after.store.enqueue([newJob({ queue: "moves" })]);
  assert.deepEqual(await drainAll(after.store, ["moves"]), []);
  assert.deepEqual(await after.places["b"]?.data.listCalendars().then((all) => all.map(({ name }) => name)), [
    "holidays",
    "nightshift:shards",
  ]);
  assert.deepEqual(await after.store.listCalendars(), [{ name: "holidays", definition: "{}" }]);
  await assert.rejects(after.store.saveCalendar("nightshift:shards", "{}"), { code: "NS_OPTION_INVALID" });
});

test("a schedule whose queue moves goes along: with its history, its last job, and every occurrence once", async () => {
  const { store, places, clock } = await openSharded({ names: ["a", "b"] });
  const [saved] = await store.saveSchedules([newSchedule({ nextAt: 1_000, queue: "at-a" })]);
  const fire = (revision: number, at: number, queue: string) =>
    store.fire(
      [{ schedule: "s", revision, nextAt: at + 1_000, occurrences: [{ at, what: "fired", job: newJob({ queue }) }] }],
      "me",
    );
  const [first] = await fire(saved?.revision ?? 0, 1_000, "at-a");
  const job = first?.stale === false ? first.jobs[0] : undefined;
  const [before] = await store.getSchedules(["s"]);
  const [moved] = await store.saveSchedules([newSchedule({ nextAt: 2_000, queue: "at-b" })], [before?.revision ?? 0]);
  assert.equal(moved?.nextAt, 2_000);
  const { due } = await store.dueSchedules(10);
  assert.deepEqual(
    due.map(({ id, lastJob, lastAt }) => [id, lastJob, lastAt]),
    [["s", job, 1_000]],
  );
  // Who decided before the move is too late; who decided on what it is now is not.
  const late = await fire(before?.revision ?? 0, 2_000, "at-a");
  const good = await fire(due[0]?.revision ?? 0, 2_000, "at-b");
  assert.deepEqual([late[0]?.stale, good[0]?.stale].filter((stale) => stale === false).length, 1);
  const page = await store.listOccurrences("s", { limit: 10 });
  assert.deepEqual(
    page.items.map(({ at }) => at),
    [2_000, 1_000],
  );
  assert.equal(
    (await store.counts()).queues.reduce((sum, { ready }) => sum + ready, 0),
    2,
  );
  assert.equal((await places["b"]?.data.getSchedules(["s"]))?.length, 1);
  assert.deepEqual(
    (await store.listSchedules({ limit: 10 })).items.map(({ id }) => id),
    ["s"],
  );
  assert.deepEqual(await store.removeSchedules(["s"]), ["s"]);
  assert.deepEqual(await store.getSchedules(["s"]), []);
  assert.deepEqual((await places["a"]?.data.listSchedules({ limit: 10 }))?.items, []);
  await clock.advance(1);
});

test("a move that was cut short is finished by whoever looks next, and its occurrence fires once", async () => {
  const { store, places, clock } = await openSharded({ names: ["a", "b"] });
  const [saved] = await store.saveSchedules([newSchedule({ nextAt: 1_000, queue: "at-a" })]);
  const b = places["b"];
  if (b === undefined) return assert.fail();
  const save = b.data.saveSchedules.bind(b.data);
  b.data.saveSchedules = async () => assert.fail("the process ends here");
  const change = newSchedule({ nextAt: 1_000, definition: '"new"', queue: "at-b" });
  await assert.rejects(store.saveSchedules([change], [saved?.revision ?? 0]));
  b.data.saveSchedules = save;
  const other = await openSharded({ names: ["a", "b"] }, { places, clock });
  assert.deepEqual((await other.store.dueSchedules(10)).due, []);
  const { due } = await other.store.dueSchedules(10);
  assert.deepEqual(
    due.map(({ id, definition }) => [id, definition]),
    [["s", '"new"']],
  );
  assert.deepEqual(
    (await store.dueSchedules(10)).due.map(({ id }) => id),
    ["s"],
  );
  assert.equal((await store.listSchedules({ limit: 10 })).items.length, 1);
});

test("a draining shard gives away its schedules, and its jobs are worked off", async () => {
  const before = await openSharded({ names: ["a", "b"] });
  const ids = Array.from({ length: 5 }, (_, n) => `s${n}`);
  await before.store.saveSchedules(ids.map((id) => newSchedule({ id, nextAt: 1_000, queue: "at-b" })));
  await before.store.enqueue([newJob({ queue: "at-b", input: '"late"' })]);
  const after = await openSharded({ names: ["a", "b"], draining: ["b"] }, before);
  assert.deepEqual(await drainAll(after.store, ["at-b"]), ['"late"']);
  assert.deepEqual((await after.places["a"]?.data.getSchedules(ids))?.length, 5);
  assert.deepEqual(
    (await after.store.dueSchedules(10)).due.map(({ id }) => id),
    ids,
  );
  const alone = await openSharded({ names: ["a"] }, after);
  assert.deepEqual(
    (await alone.store.dueSchedules(10)).due.map(({ id }) => id),
    ids,
  );
});

test("jobs of queues that live apart are refused in one call, whole, with their places", async () => {
  const { store } = await openSharded({ names: ["a", "b"] });
  await assert.rejects(store.enqueue([newJob(), newJob({ queue: "at-b" })]), {
    code: "NS_STORE_SHARDS",
    message: /"at-a" on a, "at-b" on b.*one call for each, or pin/,
  });
  assert.deepEqual((await store.counts()).queues, []);
  assert.equal((await store.enqueue([newJob(), newJob()])).length, 2);
});

test("ids of other shards, other stores and nobody are missing, and no crash", async () => {
  const { store } = await openSharded({ names: ["a", "b"] });
  const ids = ["1", "", ".", "a.", "a.x", "z.1", "b.9", "a.1.2", "%", "a.%zz,b.%"];
  assert.deepEqual(
    await store.cancel(ids, "no"),
    ids.map(() => "missing"),
  );
  assert.deepEqual([await store.retry(ids), await store.runNow(ids), (await store.statesOf(ids)).size], [[], [], 0]);
  for (const id of ids) {
    assert.equal(await store.getJob(id), null);
    assert.deepEqual(await store.heartbeat(id, TTL), { alive: false });
    assert.deepEqual(await store.claim(id, wants("at-a")), []);
    assert.deepEqual(await store.settle(id, [{ lease: id, outcomes: [] }]), { refused: [id] });
    await store.deregister(id);
    await store.reconcile(id, ids);
  }
});

test("jobs of all shards are listed as one, newest first, page by page", async () => {
  const { store, clock } = await openSharded({ names: ["a", "b", "c"] });
  const ids: string[] = [];
  for (let n = 0; n < 25; n++) {
    ids.push(...(await store.enqueue([newJob({ queue: `at-${"abc"[(n * 7) % 3]}` })])));
    await clock.advance(1);
  }
  const listed: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await store.listJobs({ state: "ready", limit: 4, ...(cursor ? { cursor } : {}) });
    listed.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== null);
  assert.deepEqual(listed, ids.toReversed());
});

test("a schedule that moved to a shard that this process does not know is not made a second time", async () => {
  const old = await openSharded({ names: ["a", "b"], queues: { moves: "b" } });
  const [saved] = await old.store.saveSchedules([newSchedule({ nextAt: 1_000, queue: "moves" })]);
  const now = await openSharded({ names: ["a", "b", "c"], queues: { moves: "c" } }, old);
  const moved = await now.store.saveSchedules([newSchedule({ nextAt: 1_000, queue: "moves" })], [saved?.revision ?? 0]);
  assert.equal(moved[0]?.nextAt, 1_000);
  assert.deepEqual(await old.store.saveSchedules([newSchedule({ nextAt: 1_000, queue: "moves" })], [0]), [null]);
  assert.deepEqual((await old.store.dueSchedules(10)).due, []);
  assert.equal((await now.store.dueSchedules(10)).due.length, 1);
});

test("a move whose end was not noted does not undo what its schedule did since", async () => {
  const { store, places } = await openSharded({ names: ["a", "b"] });
  const [saved] = await store.saveSchedules([newSchedule({ nextAt: 1_000, queue: "at-a" })]);
  const a = places["a"];
  if (a === undefined) return assert.fail();
  const save = a.data.saveSchedules.bind(a.data);
  let saves = 0;
  a.data.saveSchedules = (...args) => (++saves === 1 ? save(...args) : assert.fail("the process ends here"));
  await assert.rejects(store.saveSchedules([newSchedule({ nextAt: 1_000, queue: "at-b" })], [saved?.revision ?? 0]));
  const [live] = (await places["b"]?.data.getSchedules(["s"])) ?? [];
  const occurrences = [{ at: 1_000, what: "fired" as const, job: newJob({ queue: "at-b" }) }];
  await places["b"]?.data.fire([{ schedule: "s", revision: live?.revision ?? 0, occurrences, nextAt: 2_000 }], "other");
  a.data.saveSchedules = save;
  await store.dueSchedules(10);
  const { due } = await store.dueSchedules(10);
  assert.deepEqual(
    due.map(({ nextAt, lastAt }) => [nextAt, lastAt]),
    [[2_000, 1_000]],
  );
});
