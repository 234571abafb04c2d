import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobId } from "../../../src/store/contract.ts";
import { eventually } from "../../support/eventually.ts";
import { freshSchema } from "../../support/postgres.ts";
import { takeNumbers } from "../lost-numbers.ts";
import { assertAllOnce, Load, names, newJob, openStore, worker } from "../postgres-support.ts";
import { at, caughtUp, jobsOf, primaryAndReplica, promote } from "../replicas.ts";

test("a failover under load to a replica that commits wait for loses no accepted job, and none succeeds twice", async (t) => {
  await using pair = await primaryAndReplica("sync");
  const { primary, replica, proxy } = pair;
  const schema = freshSchema();
  const store = await openStore({ connectionString: at(proxy.port), schema, statementTimeout: 5_000 });
  using load = new Load(store).start(4, 3);
  load.forgetful = true;
  await load.more(500);
  await primary.halt("kill");
  await promote(replica);
  proxy.retarget(replica.port);
  const asked = performance.now();
  await load.more(1);
  t.diagnostic(`accepts jobs again after ${Math.round(performance.now() - asked)} ms`);
  await load.more(500);
  await load.finish();
  await assertAllOnce(replica.url, schema, load.accepted);
  await assertIdsAreUnique(load.accepted);
  t.diagnostic(`${load.accepted.length} accepted, ${load.refusals} refused or unknown`);
  await store.close();
});

test("a failover to a replica that was behind loses the jobs whose commits it never had, and harms no other", async (t) => {
  await using pair = await primaryAndReplica("async");
  const { primary, stream, replica, proxy } = pair;
  const schema = freshSchema();
  const store = await openStore({ connectionString: at(proxy.port), schema });
  using load = new Load(store).start(4, 3);
  // A worker whose lease the replica has, and one whose lease it never hears of: both live on.
  const early = await store.register(worker, 900_000);
  await load.more(300);
  // Counted first: what is accepted while the replica catches up may be behind it.
  const safe = load.accepted.length;
  await caughtUp(primary, replica);
  stream.swallow("down");
  const late = await store.register(worker, 900_000);
  await load.more(300);
  const [lost] = await store.enqueue([newJob({ queue: "aside" })]);
  const want = { wants: [{ queue: "aside", limit: 1 }], names };
  const [lease] = await store.claim(early, want);
  assert.ok(lease);
  assert.equal(lease.jobs[0]?.id, lost);
  load.forgetful = true;
  await primary.halt("kill");
  await promote(replica);
  const kept = await jobsOf(replica, schema);
  const until = load.accepted.length;
  proxy.retarget(replica.port);
  await load.more(500);
  // A zombie of the old time line: its outcome is of a job that there is not, and is refused.
  const outcome = { job: lost as JobId, type: "succeeded", ms: 1 } as const;
  const { refused } = await store.settle(early, [{ lease: lease.id, outcomes: [outcome] }]);
  assert.deepEqual(refused, [lease.id]);
  assert.equal((await store.heartbeat(late, 60_000)).alive, false, "its instance was lost: it must register again");
  assert.equal((await store.heartbeat(early, 60_000)).alive, true);
  await load.finish();
  const now = await jobsOf(replica, schema);
  const before = load.accepted.slice(0, safe);
  const between = load.accepted.slice(safe, until);
  const after = load.accepted.slice(until);
  assert.deepEqual(
    before.filter((id) => !kept.has(id)),
    [],
    "accepted before the stream broke off",
  );
  assert.deepEqual(
    after.filter((id) => !now.has(id)),
    [],
    "accepted after the failover",
  );
  const lostOnes = between.filter((id) => !kept.has(id));
  assert.ok(lostOnes.length > 0);
  const alive = [...before, ...between.filter((id) => kept.has(id)), ...after];
  await assertAllOnce(replica.url, schema, alive);
  await assertIdsAreUnique(load.accepted);
  t.diagnostic(
    `${load.accepted.length} accepted, ${lostOnes.length} of them never reached the replica; none of their ids was given again`,
  );
  await store.close();
});

test("after a failover to a replica that was behind, who slept through it hands back what it had settled, and numbers mean what they meant", async () => {
  await using pair = await primaryAndReplica("async");
  const { primary, stream, replica, proxy } = pair;
  const schema = freshSchema();
  const store = await openStore({ connectionString: at(proxy.port), schema });
  const me = await store.register(worker, 900_000);
  const [known] = await store.enqueue([newJob()]);
  const want = { wants: [{ queue: "q", limit: 1 }], names };
  const [lease] = await store.claim(me, want);
  // A claim does not wait for the disk: what is accepted after it takes it there.
  await store.enqueue([newJob({ queue: "aside" })]);
  await caughtUp(primary, replica);
  stream.swallow("down");
  await store.settle(me, [{ lease: lease?.id ?? "", outcomes: [{ job: known as JobId, type: "succeeded", ms: 1 }] }]);
  // A queue, a job, an instance, a term and a revision that the replica never hears of.
  const [lost] = await store.enqueue([newJob({ queue: "lost" })]);
  const assertNotGivenAgain = await takeNumbers(store);
  await primary.halt("kill");
  await promote(replica);
  proxy.retarget(replica.port);

  // Nobody asked anything meanwhile: no call failed.
  const newcomer = await openStore({ connectionString: replica.url, schema });
  const [other] = await newcomer.enqueue([newJob({ queue: "other" })]);
  assert.notEqual(other, lost);
  const [again] = await store.enqueue([newJob({ queue: "lost" })]);
  assert.equal((await store.getJob(again as JobId))?.queue, "lost", "not a queue that was given its number");
  assert.equal(await store.getJob(lost as JobId), null);
  await assertNotGivenAgain(newcomer);

  assert.equal((await store.getJob(known as JobId))?.state, "running", "its outcome is lost");
  const [second] = await store.claim(me, want);
  assert.equal(second?.jobs[0]?.id, known);
  await Promise.all([store.close(), newcomer.close()]);
});

test("an old primary that comes back as a replica is named as one that cannot be written, until clients reach the new one", async () => {
  await using pair = await primaryAndReplica("async");
  const { primary, replica, proxy } = pair;
  const schema = freshSchema();
  const store = await openStore({ connectionString: at(proxy.port), schema, patience: "1s" });
  await store.enqueue([newJob()]);
  await caughtUp(primary, replica);
  await primary.halt("kill");
  await promote(replica);
  // The name still leads to the old one.
  primary.becomeStandby();
  await primary.resume();
  await assert.rejects(store.enqueue([newJob()]), (error: { code: string; message: string }) => {
    assert.match(error.code, /^NS_STORE_(UNAVAILABLE|READ_ONLY)$/, error.message);
    assert.match(error.message, /read-only/);
    return true;
  });
  // The sessions with the old one are alive: the store leaves them by itself.
  proxy.retarget(replica.port);
  await eventually(async () => assert.equal((await store.enqueue([newJob()])).length, 1), 20_000);
  const me = await store.register(worker, 60_000);
  const [lease] = await store.claim(me, { wants: [{ queue: "q", limit: 10 }], names });
  assert.equal(lease?.jobs.length, 2);
  await store.close();
});

/** The sequences of the new time line do not give again what the old one had given. */
async function assertIdsAreUnique(accepted: readonly JobId[]): Promise<void> {
  const seen = new Set<JobId>();
  assert.deepEqual(
    accepted.filter((id) => seen.has(id) || !seen.add(id)),
    [],
    "two accepted jobs have one id",
  );
}
