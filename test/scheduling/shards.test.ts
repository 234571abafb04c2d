/** The scheduler over a store of several databases, of which one goes away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cron } from "../../src/time/index.ts";
import { makeSharded } from "../store/sharded/support.ts";
import { declare, greet, START, tick, world } from "./harness.ts";

const LIST = { names: ["a", "b"], queues: { default: "a", mail: "b" } };
const minutes = (at: number) => (at - Date.parse(START)) / 60_000;
const every = cron("* * * * *");

test("a schedule lives beside its queue, and fires while the other database is away, each occurrence once", async () => {
  const { store, places } = makeSharded(LIST);
  await using w = await world([tick, greet], store);
  const here = declare({ id: "here", trigger: every, job: tick });
  const there = declare({ id: "there", trigger: every, job: greet, input: { name: "Ada" }, misfire: "run-all" });
  for (const by of ["one", "two"]) await w.scheduler({ declared: [here, there], by });
  await w.clock.advance("3m");
  assert.equal((await places["b"]?.data.getSchedules(["here", "there"]))?.map(({ id }) => id).join(), "there");
  places["b"]?.cut();
  await w.clock.advance("4m");
  const during = await w.history("here").then((all) => all.map(({ at }) => minutes(at)));
  assert.deepEqual(during, [0, 1, 2, 3, 4, 5, 6, 7]);
  places["b"]?.heal();
  await w.clock.advance("3m");
  for (const id of ["here", "there"]) {
    const fired = (await w.history(id)).filter(({ what }) => what === "fired");
    assert.deepEqual(
      fired.map(({ at }) => minutes(at)),
      Array.from({ length: 11 }, (_, n) => n),
      id,
    );
    assert.equal(new Set(fired.map(({ job }) => job)).size, 11);
    assert.ok(fired.every(({ job }) => job?.startsWith(id === "here" ? "a." : "b.")));
  }
});

test("schedules of the other databases go on firing while the one that elects leaders is away", async () => {
  const { store, places } = makeSharded({ ...LIST, leader: "a" });
  await using w = await world([tick, greet], store);
  const there = declare({ id: "there", trigger: every, job: greet, input: { name: "Ada" } });
  for (const by of ["one", "two"]) await w.scheduler({ declared: [there], by });
  await w.clock.advance("3m");
  places["a"]?.cut();
  await assert.rejects(store.campaign("r", "one", 60_000), { code: "NS_STORE_UNAVAILABLE" });
  await w.clock.advance("4m");
  // What an outage may cost: a look at the schedules that failed is repeated soon after.
  await w.clock.advance("5s");
  const fired = (await w.history("there")).filter(({ what }) => what === "fired");
  assert.deepEqual(
    fired.map(({ at }) => minutes(at)),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  assert.equal(new Set(fired.map(({ job }) => job)).size, 8);
});

test("a schedule created at run time follows its job to another queue, and its jobs run there", async () => {
  const { store, places } = makeSharded(LIST);
  await using w = await world([tick, greet], store);
  await w.scheduler();
  await w.schedules.create({ id: "s", trigger: every, job: tick });
  await w.clock.advance("2m");
  await w.schedules.update("s", { job: greet, input: { name: "Ada" } });
  await w.clock.advance("2m");
  assert.equal((await places["b"]?.data.getSchedules(["s"]))?.length, 1);
  const history = (await w.history("s")).filter(({ what }) => what === "fired");
  const places_ = history.map(({ at, job }) => [minutes(at), job?.split(".")[0]]);
  assert.deepEqual(places_, [
    [0, "a"],
    [1, "a"],
    [2, "a"],
    [3, "b"],
    [4, "b"],
  ]);
});
