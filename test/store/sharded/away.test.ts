import assert from "node:assert/strict";
import { test } from "node:test";
import { NightshiftError } from "../../../src/errors/index.ts";
import type { Wake } from "../../../src/store/contract.ts";
import { newJob, newSchedule, openSharded, process1, TTL, wants } from "./support.ts";

const AB = { names: ["a", "b"] };
const NOBODY = { names: new Set<string>(), queues: new Set<string>() };
const succeeded = (job: string) => ({ job, type: "succeeded", ms: 1 }) as const;

test("with one shard away the queues of the others are enqueued to, claimed from and settled", async () => {
  const { store, places, logger } = await openSharded(AB);
  const me = await store.register(process1, TTL);
  places["b"]?.cut();
  await assert.rejects(store.enqueue([newJob({ queue: "at-b" })]), { code: "NS_STORE_UNAVAILABLE" });
  const [id = ""] = await store.enqueue([newJob()]);
  const [lease, ...others] = await store.claim(me, wants("at-a", "at-b"));
  assert.deepEqual([lease?.jobs[0]?.id, others], [id, []]);
  assert.deepEqual(await store.settle(me, [{ lease: lease?.id ?? "", outcomes: [succeeded(id)] }]), { refused: [] });
  assert.equal((await store.heartbeat(me, TTL)).alive, true);
  assert.equal((await store.counts()).finished.succeeded, 1);
  assert.equal((await store.promote(NOBODY, 10)).moved, 0);
  assert.match(
    logger.messages("error").join("\n"),
    /Shard b is away, and its queues wait; those of the other shards go on/,
  );
  assert.match(store.info().location, /b: this process \(away\)/);
  assert.match(store.info().shards?.find(({ name }) => name === "b")?.away?.error ?? "", /taken away/);
});

test("a shard that is away is found by those who ask how the store is, without waiting for it", async () => {
  const { store, places } = await openSharded(AB);
  assert.deepEqual(await store.findings(), []);
  places["b"]?.cut();
  await assert.rejects(store.enqueue([newJob({ queue: "at-b" })]), { code: "NS_STORE_UNAVAILABLE" });
  const [finding, ...others] = await store.findings();
  assert.deepEqual([finding?.what, finding?.severity, others], ["shard away", "warning", []]);
  assert.match(finding?.message ?? "", /^Shard b \(this process\) is away: .*The queues that live there wait/);
});

test("with all shards away every call fails and says so", async () => {
  const { store, places } = await openSharded(AB);
  const me = await store.register(process1, TTL);
  for (const place of Object.values(places)) place.cut();
  const calls = [
    () => store.heartbeat(me, TTL),
    () => store.claim(me, wants("at-a")),
    () => store.counts(),
    () => store.promote(NOBODY, 1),
    () => store.rescue(1),
    () => store.dueSchedules(1),
    () => store.now(),
  ];
  for (const call of calls) await assert.rejects(call(), { code: "NS_STORE_UNAVAILABLE" }, String(call));
});

test("outcomes for a shard that is away are named as unsettled, are settled later, and stand once", async () => {
  const { store, places, clock } = await openSharded(AB);
  const me = await store.register(process1, TTL);
  const [a = ""] = await store.enqueue([newJob()]);
  const [b = ""] = await store.enqueue([newJob({ queue: "at-b" })]);
  const leases = await store.claim(me, wants("at-a", "at-b"));
  const settlements = leases.map(({ id, jobs }) => ({ lease: id, outcomes: jobs.map((job) => succeeded(job.id)) }));
  places["b"]?.cut();
  const first = await store.settleAndClaim(me, settlements, wants("at-a"));
  assert.deepEqual(first, { refused: [], leases: [], unsettled: [leases[1]?.id] });
  assert.deepEqual(await store.settle(me, settlements.slice(1)), { refused: [], unsettled: [leases[1]?.id] });
  places["b"]?.heal();
  await clock.advance("2s");
  assert.deepEqual(await store.settle(me, settlements.slice(1)), { refused: [] });
  assert.deepEqual(
    await store.statesOf([a, b]),
    new Map([
      [a, "succeeded"],
      [b, "succeeded"],
    ]),
  );
  assert.equal((await store.counts()).finished.succeeded, 2);
});

test("a shard that gives no answer does not keep a turn with the others waiting, and its claim is not lost", async () => {
  const { store, places, clock } = await openSharded(AB);
  const me = await store.register(process1, TTL);
  await store.enqueue([newJob()]);
  const [b = ""] = await store.enqueue([newJob({ queue: "at-b" })]);
  const heard: Wake[] = [];
  using _ = store.subscribe((wake) => heard.push(wake));
  places["b"]?.silence();
  const turn = store.claim(me, wants("at-a", "at-b"));
  await clock.advance("1s");
  assert.deepEqual(
    (await turn).map(({ queue }) => queue),
    ["at-a"],
  );
  // While that claim is under way the shard is not asked again.
  assert.deepEqual(await store.claim(me, wants("at-b")), []);
  places["b"]?.heal();
  await clock.advance(1);
  assert.ok(heard.some((wake) => wake.what === "work" && wake.queues.includes("at-b")));
  const [late] = await store.claim(me, wants("at-b"));
  assert.deepEqual(
    late?.jobs.map(({ id }) => id),
    [b],
  );
  assert.deepEqual(await store.settle(me, [{ lease: late?.id ?? "", outcomes: [succeeded(b)] }]), { refused: [] });
});

test("a shard that gives no answer keeps neither pages nor signs of life nor the time waiting for long", async () => {
  for (const silent of ["a", "b"]) {
    const { store, places, clock } = await openSharded(AB);
    const me = await store.register(process1, TTL);
    await store.enqueue([newJob()]);
    await store.enqueue([newJob({ queue: "at-b" })]);
    places[silent]?.silence();
    const other = silent === "a" ? "at-b" : "at-a";
    const calls = Promise.all([
      store.now(),
      store.heartbeat(me, TTL).then(({ alive }) => alive),
      store.counts().then(({ queues }) => queues.map(({ queue }) => queue)),
      store.listJobs({ state: "ready", limit: 9 }).then(({ items }) => items.map(({ queue }) => queue)),
      store.countJobs({ state: "ready", upTo: 9 }),
      store.throughput(0, 60_000, 60_000).then(({ length }) => length),
      store.listInstances().then(({ length }) => length),
      store.dueSchedules(1).then(({ due }) => due),
    ]);
    await clock.advance("2s");
    const [now, ...others] = await calls;
    assert.ok(now > 0);
    assert.deepEqual(others, [true, [other], [other], { count: 1, exact: false }, 1, 1, []]);
    places[silent]?.heal();
  }
});

test("while no shard has answered, none is taken for silent", async () => {
  const { store, places, clock } = await openSharded(AB);
  await store.enqueue([newJob()]);
  for (const place of Object.values(places)) place.silence();
  const counting = store.counts();
  await clock.advance("30s");
  for (const place of Object.values(places)) place.heal();
  assert.equal((await counting).queues[0]?.ready, 1);
});

test("a claim whose answer was lost with its shard is handed back before the next one", async () => {
  const { store, places, clock } = await openSharded(AB);
  const me = await store.register(process1, TTL);
  const [b = ""] = await store.enqueue([newJob({ queue: "at-b" })]);
  const place = places["b"];
  const real = place?.data.claim.bind(place.data);
  if (place && real) {
    place.data.claim = async (...args) => {
      await real(...args);
      place.cut();
      throw new NightshiftError("NS_STORE_UNAVAILABLE", "The answer was lost.");
    };
  }
  assert.deepEqual(await store.claim(me, wants("at-a", "at-b")), []);
  if (place && real) place.data.claim = real;
  place?.heal();
  await clock.advance("2s");
  const [lease] = await store.claim(me, wants("at-b"));
  assert.deepEqual(
    lease?.jobs.map(({ id, attempt }) => [id, attempt]),
    [[b, 1]],
  );
});

test("a shard that gave this process up voids its own leases and no others", async () => {
  const { store, places, clock } = await openSharded(AB);
  const me = await store.register(process1, TTL);
  await store.enqueue([newJob()]);
  await store.enqueue([newJob({ queue: "at-b" })]);
  const [first, second] = await store.claim(me, wants("at-a", "at-b"));
  places["b"]?.cut();
  const beats: unknown[] = [];
  for (let third = 0; third < 4; third++) {
    await clock.advance(TTL / 3);
    const beat = await store.heartbeat(me, TTL);
    beats.push(beat.alive && (beat.lost ?? []));
  }
  assert.deepEqual(beats, [[], [], [second?.id], []]);
  places["b"]?.heal();
  await clock.advance("2s");
  assert.deepEqual(await store.heartbeat(me, TTL), { alive: true, cancelled: [] });
  assert.equal((await store.listInstances()).length, 1);
  const outcome = (lease: typeof first) => ({
    lease: lease?.id ?? "",
    outcomes: lease?.jobs.map(({ id }) => succeeded(id)) ?? [],
  });
  assert.deepEqual(await store.settle(me, [outcome(first), outcome(second)]), { refused: [second?.id] });
  const [again] = await store.claim(me, wants("at-b"));
  assert.equal(again?.jobs.length, 1);
});

test("a process starts while a shard is away, and serves it when it is there", async () => {
  const before = await openSharded(AB);
  const [b = ""] = await before.store.enqueue([newJob({ queue: "at-b" })]);
  await before.store.close();
  before.places["b"]?.cut();
  const { store, places, clock } = await openSharded(AB, before);
  const me = await store.register(process1, TTL);
  assert.deepEqual(await store.claim(me, wants("at-a", "at-b")), []);
  places["b"]?.heal();
  await clock.advance("2s");
  await store.heartbeat(me, TTL);
  const [lease] = await store.claim(me, wants("at-a", "at-b"));
  assert.equal(lease?.jobs[0]?.id, b);
});

test("schedules of the other shards fire while one is away, and its own afterwards", async () => {
  const { store, places, clock } = await openSharded(AB);
  const at = clock.now();
  await store.saveSchedules([
    newSchedule({ id: "on-a", nextAt: at, queue: "at-a" }),
    newSchedule({ id: "on-b", nextAt: at, queue: "at-b" }),
  ]);
  places["b"]?.cut();
  const due = await store.dueSchedules(10);
  assert.deepEqual(
    due.due.map(({ id }) => id),
    ["on-a"],
  );
  await assert.rejects(store.getSchedules(["on-b"]), /may be on a shard that is away \(b\)/);
  await assert.rejects(store.saveSchedules([newSchedule({ id: "new", queue: "at-a" })]), {
    code: "NS_STORE_UNAVAILABLE",
  });
  places["b"]?.heal();
  await clock.advance("2s");
  assert.deepEqual(
    (await store.dueSchedules(10)).due.map(({ id }) => id),
    ["on-a", "on-b"],
  );
});

test("schedules of several shards that one of them does not take are told with where they are saved and where not", async () => {
  const { store, places, clock } = await openSharded(AB);
  const both = ["at-a", "at-b"].map((queue) => newSchedule({ id: `on-${queue}`, queue, nextAt: clock.now() }));
  const saved = (await store.saveSchedules(both)).map((schedule) => schedule?.revision ?? 0);
  // It goes just now: where the schedules live was known before.
  const b = places["b"];
  assert.ok(b);
  const save = b.data.saveSchedules.bind(b.data);
  b.data.saveSchedules = async () => {
    throw new NightshiftError("NS_STORE_UNAVAILABLE", "The server went away.");
  };
  await assert.rejects(store.saveSchedules(both, saved), {
    code: "NS_STORE_UNAVAILABLE",
    message:
      /: What lives there of the schedules is saved on shard a, and perhaps on shard b, which did not say.* again/,
    details: { done: ["a"], not: [], unknown: ["b"] },
  });
  b.data.saveSchedules = save;
});

test("pausing a queue is on all shards, or says where it may not be", async () => {
  const { store, places, clock } = await openSharded(AB);
  places["b"]?.cut();
  await assert.rejects(store.pauseQueue("at-a", "deploy"), /is paused on shard a, and perhaps on shard b/);
  places["b"]?.heal();
  await clock.advance("2s");
  await store.pauseQueue("at-a", "deploy");
  assert.equal((await store.counts()).queues[0]?.paused?.reason, "deploy");
});

test("a shard that says that this process has expired there voids its own leases, and takes it in anew", async () => {
  const { store, places } = await openSharded(AB);
  const me = await store.register(process1, TTL);
  await store.enqueue([newJob()]);
  await store.enqueue([newJob({ queue: "at-b" })]);
  const [first, second] = await store.claim(me, wants("at-a", "at-b"));
  const heard: Wake[] = [];
  using _ = store.subscribe((wake) => heard.push(wake));
  for (const { id } of (await places["b"]?.data.listInstances()) ?? []) await places["b"]?.data.deregister(id);
  assert.deepEqual(await store.heartbeat(me, TTL), { alive: true, cancelled: [], lost: [second?.id] });
  assert.ok(
    heard.some(({ what }) => what === "cancellation"),
    "the next beat is asked for at once",
  );
  assert.deepEqual(await store.heartbeat(me, TTL), { alive: true, cancelled: [] });
  const [again] = await store.claim(me, wants("at-b"));
  assert.equal(again?.jobs.length, 1);
  const outcomes = first?.jobs.map(({ id }) => succeeded(id)) ?? [];
  assert.deepEqual(await store.settle(me, [{ lease: first?.id ?? "", outcomes }]), { refused: [] });
});

test("a process that has expired on all shards is told so", async () => {
  const { store, clock } = await openSharded(AB);
  const me = await store.register(process1, TTL);
  await clock.advance(TTL + 1);
  assert.deepEqual(await store.heartbeat(me, TTL), { alive: false });
  assert.deepEqual(await store.heartbeat(me, TTL), { alive: false });
});
