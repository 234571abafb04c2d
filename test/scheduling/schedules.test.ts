import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NightshiftError } from "../../src/errors/index.ts";
import { createSchedules } from "../../src/scheduling/index.ts";
import { cron, interval, once, weeklyCalendar } from "../../src/time/index.ts";
import { declare, greet, START, tick, world } from "./harness.ts";

const start = Date.parse(START);
const code = (wanted: string) => (error: unknown) => error instanceof NightshiftError && error.code === wanted;

describe("schedules.create", () => {
  it("makes a schedule that fires from then on, and that people can read", async () => {
    await using w = await world();
    await w.scheduler();
    const trigger = cron("0 7 * * MON", { timeZone: "Europe/Oslo" });
    const options = {
      id: "report",
      trigger,
      job: greet,
      input: { name: "Ada" },
      group: "reports",
      attempts: 3,
    } as const;
    const made = await w.schedules.create({ ...options, description: "The weekly report" });
    assert.equal(new Date(made.nextAt ?? 0).toISOString(), "2026-01-05T06:00:00.000Z");
    assert.deepEqual(made.settings?.input, { name: "Ada" });
    assert.match(made.settings?.times ?? "", /Europe\/Oslo/);
    await w.clock.advance("8d");
    assert.equal((await w.schedules.get("report"))?.lastAt, Date.parse("2026-01-05T06:00:00Z"));
    const [occurrence] = (await w.schedules.occurrences("report")).items;
    assert.deepEqual([occurrence?.late, occurrence?.by], [0, "a"]);
  });

  it("wakes a scheduler that would have slept longer", async () => {
    await using w = await world();
    await w.scheduler({ timing: { poll: 86_400_000, upkeep: 86_400_000 } });
    await w.clock.advance("1h");
    await w.schedules.create({ id: "soon", trigger: once(new Date(w.clock.now() + 1_000)), job: tick });
    await w.clock.advance("1s");
    assert.equal((await w.history("soon")).length, 1);
    assert.equal((await w.schedules.get("soon"))?.nextAt, null);
  });

  it("refuses an id that is taken, an unknown job, a wrong input and what would never fire", async () => {
    await using w = await world();
    const good = declare({ id: "s", trigger: interval("1h"), job: tick });
    await w.schedules.create(good);
    await assert.rejects(w.schedules.create(good), code("NS_SCHEDULE_DUPLICATE"));
    const past = once("2025-01-01T00:00:00Z");
    await assert.rejects(w.schedules.create({ id: "p", trigger: past, job: tick }), code("NS_SCHEDULE_INVALID"));
    const wrong = { ...good, id: "x", input: { not: "wanted" } };
    await assert.rejects(w.schedules.create(wrong as unknown as typeof good), code("NS_JOB_INPUT"));
    const stranger = { ...tick, name: "stranger" };
    await assert.rejects(w.schedules.create({ ...good, id: "y", job: stranger }), code("NS_JOB_UNKNOWN"));
  });

  it("takes `once(now)` for now", async () => {
    await using w = await world();
    await w.scheduler();
    await w.schedules.create({ id: "now", trigger: once(new Date(w.clock.now() - 500)), job: tick });
    await w.clock.advance("1s");
    assert.equal((await w.history("now")).length, 1);
  });

  it("keeps to start, end and maxCount", async () => {
    await using w = await world();
    await w.scheduler();
    const trigger = interval("1h");
    const [from, to] = ["2026-01-01T02:30:00Z", "2026-01-01T06:00:00+01:00"];
    await w.schedules.create({ id: "window", trigger, job: tick, start: from, end: new Date(to) });
    await w.schedules.create({ id: "counted", trigger, job: tick, maxCount: 2 });
    assert.equal((await w.schedules.preview("counted")).length, 2);
    await w.clock.advance("1d");
    const hours = async (id: string) => (await w.history(id)).map(({ at }) => (at - start) / 3_600_000);
    assert.deepEqual(await hours("window"), [3, 4, 5]);
    assert.deepEqual(await hours("counted"), [0, 1]);
    assert.deepEqual(await w.schedules.preview("counted"), []);
  });
});

describe("schedules.update", () => {
  it("changes what is given, keeps the rest, and takes away what is null", async () => {
    await using w = await world();
    await w.schedules.create({
      id: "s",
      trigger: interval("1h"),
      job: greet,
      input: { name: "Ada" },
      queue: "slow",
      jitter: "1m",
    });
    const changed = await w.schedules.update("s", { trigger: interval("2h"), queue: null, misfire: "skip" });
    assert.equal(changed.settings?.queue, "mail");
    assert.equal(changed.settings?.jitter, 60_000);
    assert.equal(changed.settings?.misfire, "skip");
    assert.deepEqual(changed.settings?.input, { name: "Ada" });
    await w.clock.advance("1m");
    const later = await w.schedules.update("s", { input: { name: "Grace" } });
    assert.deepEqual(later.settings?.input, { name: "Grace" });
    assert.equal(later.nextAt, changed.nextAt);
  });

  it("with a revision refuses when somebody else was first", async () => {
    await using w = await world();
    const { revision } = await w.schedules.create({ id: "s", trigger: interval("1h"), job: tick });
    await w.schedules.pause("s");
    await assert.rejects(w.schedules.update("s", { priority: 3 }, { revision }), code("NS_SCHEDULE_STALE"));
    await assert.rejects(w.schedules.update("nobody", { priority: 3 }), code("NS_SCHEDULE_NOT_FOUND"));
  });

  it("refuses a schedule that code declares, since the next start would undo it", async () => {
    await using w = await world();
    await w.scheduler({ declared: [declare({ id: "s", trigger: interval("1h"), job: tick })] });
    await assert.rejects(w.schedules.update("s", { priority: 3 }), code("NS_SCHEDULE_INVALID"));
  });

  it("refuses a `maxCount` that is used up, and does not wake what is over", async () => {
    await using w = await world();
    await w.scheduler();
    await w.schedules.create({ id: "s", trigger: interval("1m"), job: tick, maxCount: 3 });
    await w.clock.advance("61s");
    await assert.rejects(w.schedules.update("s", { maxCount: 2 }), code("NS_SCHEDULE_INVALID"));
    await w.clock.advance("1m");
    const over = await w.schedules.update("s", { trigger: interval("2m"), description: "over" });
    assert.equal(over.nextAt, null);
    assert.equal((await w.schedules.update("s", { maxCount: 4 })).nextAt, start + 240_000);
    await w.clock.advance("1h");
    assert.equal((await w.history("s")).length, 4);
  });

  it("names every wrong option at once", async () => {
    await using w = await world();
    await w.schedules.create({ id: "s", trigger: interval("1h"), job: tick });
    const wrong = { prioritty: 3, overlap: "wait", misfire: "catchup", jitter: "soon", start: "2026-01-01" };
    await assert.rejects(w.schedules.update("s", wrong as object), (error: NightshiftError) => {
      for (const text of ['"priority"', "overlap", '"catch-up"', "jitter", "offset"])
        assert.ok(error.message.includes(text), text);
      return error.code === "NS_BUILD_INVALID";
    });
  });
});

describe("a paused schedule", () => {
  it("fires nothing; on resuming the occurrences of the pause are left out, with a line that says so", async () => {
    await using w = await world();
    await w.scheduler();
    await w.schedules.create({ id: "s", trigger: interval("1m"), job: tick, misfire: "run-all" });
    await w.clock.advance("90s");
    await w.schedules.pause("s");
    await w.clock.advance("1h");
    assert.equal((await w.history("s")).length, 2);
    await w.schedules.resume("s");
    await w.clock.advance("1m");
    const history = await w.history("s");
    assert.deepEqual(
      history.slice(2).map(({ what, reason }) => [what, reason?.slice(0, 26) ?? null]),
      [
        ["skipped", "paused: 60 occurrences unt"],
        ["fired", null],
      ],
    );
  });

  it("goes through its misfire policy on resuming when asked to", async () => {
    await using w = await world();
    await w.scheduler();
    await w.schedules.create({ id: "s", trigger: interval("1m"), job: tick, misfire: "run-all", paused: true });
    await w.clock.advance("10m");
    await w.schedules.resume("s", { missed: "policy" });
    await w.clock.advance("1s");
    assert.equal((await w.history("s")).length, 11);
  });

  it("can be one of a group that is paused and resumed together", async () => {
    await using w = await world();
    for (const id of ["a", "b", "c"]) {
      await w.schedules.create({ id, trigger: interval("1m"), job: tick, group: id === "c" ? "" : "g" });
    }
    await w.schedules.pause("a");
    assert.equal(await w.schedules.pauseGroup("g"), 1);
    assert.deepEqual(await w.schedules.groups(), [
      { group: "", schedules: 1, paused: 0, startsPaused: false },
      { group: "g", schedules: 2, paused: 2, startsPaused: true },
    ]);
    assert.equal(await w.schedules.resumeGroup("g"), 2);
    const paused = await w.schedules.list({ limit: 10, paused: true });
    assert.deepEqual(paused.items, []);
  });

  it("starts paused in a group that is paused as a whole, however it comes into it, until the group is resumed", async () => {
    await using w = await world();
    const pausedOf = async (id: string) => (await w.schedules.get(id))?.paused;
    assert.equal(await w.schedules.pauseGroup("g"), 0, "a group that nobody is in yet");
    const made = await w.schedules.create({ id: "made", trigger: interval("1m"), job: tick, group: "g" });
    assert.equal(made.paused, true);
    await w.schedules.create({ id: "moved", trigger: interval("1m"), job: tick });
    assert.equal((await w.schedules.update("moved", { group: "g" })).paused, true);
    const declared = declare({ id: "declared", trigger: interval("1m"), job: tick, group: "g" });
    await (await w.scheduler({ declared: [declared] }))();
    assert.equal(await pausedOf("declared"), true);
    await w.schedules.resume("made");
    await w.schedules.update("made", { description: "changed within the group" });
    assert.equal(await pausedOf("made"), false, "resumed alone, it stays so");
    assert.equal(await w.schedules.resumeGroup("g"), 2);
    assert.equal(
      (await w.schedules.create({ id: "later", trigger: interval("1m"), job: tick, group: "g" })).paused,
      false,
    );
    assert.equal((await w.schedules.groups()).find(({ group }) => group === "g")?.startsPaused, false);
    assert.deepEqual(await w.schedules.calendars(), [], "the mark is no calendar");
  });

  it("is paused also when its group was paused while it was being written", async () => {
    await using w = await world();
    const { store } = w;
    const save = store.saveSchedules.bind(store);
    store.saveSchedules = async (...given) => {
      store.saveSchedules = save;
      await w.schedules.pauseGroup("g");
      return save(...given);
    };
    const made = await w.schedules.create({ id: "s", trigger: interval("1m"), job: tick, group: "g" });
    assert.deepEqual([made.paused, (await w.schedules.get("s"))?.paused], [true, true]);
  });

  it("may be in a group with as long a name as there is, and no calendar may take a group's mark away", async () => {
    await using w = await world();
    const group = "ø".repeat(200);
    await w.schedules.pauseGroup(group);
    const mark = (await w.store.listCalendars())[0]?.name ?? "";
    assert.equal(await w.schedules.removeCalendar(mark), false);
    await assert.rejects(w.schedules.saveCalendar(mark, weeklyCalendar()), { code: "NS_CALENDAR_INVALID" });
    assert.equal((await w.schedules.create({ id: "s", trigger: interval("1m"), job: tick, group })).paused, true);
  });
});

describe("schedules.trigger", () => {
  it("makes a job now, with another input if given, and leaves the times alone", async () => {
    await using w = await world();
    await w.schedules.create({ id: "s", trigger: cron("0 3 * * *"), job: greet, input: { name: "Ada" }, paused: true });
    const nextAt = (await w.store.getSchedules(["s"]))[0]?.nextAt;
    const plain = await w.schedules.trigger("s");
    const other = await w.schedules.trigger<typeof greet>("s", { input: { name: "Grace" } });
    assert.deepEqual((await w.jobs.get(plain.id))?.input, { name: "Ada" });
    const details = await w.jobs.get(other.id);
    assert.deepEqual(details?.input, { name: "Grace" });
    assert.equal(details?.meta["manual"], true);
    assert.equal((await w.store.getSchedules(["s"]))[0]?.nextAt, nextAt);
    assert.deepEqual(
      (await w.history("s")).map(({ what, job }) => [what, job]),
      [
        ["manual", plain.id],
        ["manual", other.id],
      ],
    );
  });

  it("never takes the place of an occurrence, even at its very time, and as often as it is asked", async () => {
    await using w = await world();
    await w.scheduler();
    await w.schedules.create({ id: "s", trigger: interval("1m"), job: tick, start: "2026-01-01T00:01:00Z" });
    await w.clock.advance("59999ms");
    const made = await Promise.all(Array.from({ length: 60 }, () => w.schedules.trigger("s")));
    assert.equal(new Set(made.map(({ id }) => id)).size, 60);
    await w.clock.advance("1m");
    const history = await w.history("s");
    assert.equal(history.filter(({ what }) => what === "manual").length, 60);
    assert.equal(history.filter(({ what }) => what === "fired").length, 1);
  });
});

it("what calls are given beside a schedule is checked before anything is done: misspelt options, endless previews", async () => {
  await using w = await world();
  const { schedules } = w;
  await schedules.create({ id: "s", trigger: cron("* * * * *"), job: greet, input: { name: "Ada" } });
  await schedules.pause("s");
  const [unknown, invalid] = [code("NS_OPTION_UNKNOWN"), code("NS_OPTION_INVALID")];
  await assert.rejects(schedules.trigger("s", { inputs: { name: "Bea" } } as object), unknown);
  await assert.rejects(schedules.update("s", { description: "x" }, { revison: 1 } as object), unknown);
  await assert.rejects(schedules.resume("s", { missed: "polcy" as "policy" }), /Did you mean "policy"\?/);
  await assert.rejects(schedules.resumeGroup("g", { missed: null as unknown as "skip" }), invalid);
  await assert.rejects(schedules.update("s", {}, 3 as unknown as object), invalid);
  await assert.rejects(schedules.update("s", undefined as unknown as object), invalid);
  await assert.rejects(schedules.update("s", { trigger: null } as object), /cannot be without a trigger/);
  await assert.rejects(schedules.list({ grup: "g" } as object), unknown);
  await assert.rejects(schedules.list({ paused: "yes" } as object), invalid);
  await assert.rejects(schedules.list({ source: "kode" } as object), invalid);
  const nothing = undefined as unknown as string;
  for (const call of [
    "get",
    "pause",
    "resume",
    "remove",
    "trigger",
    "preview",
    "occurrences",
    "removeCalendar",
  ] as const) {
    await assert.rejects(async () => schedules[call](nothing), invalid, call);
  }
  for (const call of ["pauseGroup", "resumeGroup"] as const) {
    for (const group of [nothing, 3 as unknown as string, "a\0b", "ø".repeat(201)]) {
      await assert.rejects(schedules[call](group), invalid, call);
    }
  }
  for (const calendar of [undefined, null, {}, weeklyCalendar().toJSON(), "weekly"]) {
    await assert.rejects(schedules.saveCalendar("c", calendar as never), code("NS_CALENDAR_INVALID"));
  }
  for (const n of [Number.POSITIVE_INFINITY, Number.NaN, -1, 1.5, 10_001]) {
    await assert.rejects(schedules.preview("s", n), invalid, String(n));
  }
  await assert.rejects(schedules.preview("s", 1, new Date(Number.NaN)), invalid);
  await assert.rejects(schedules.update("s", { startingDeadline: 0 }), /would leave out every occurrence/);
  assert.deepEqual(await w.history("s"), []);
  assert.equal((await schedules.get("s"))?.paused, true);
});

it("schedules.remove takes the history along and leaves the jobs", async () => {
  await using w = await world();
  await w.schedules.create({ id: "s", trigger: interval("1h"), job: tick });
  const { id } = await w.schedules.trigger("s");
  assert.equal(await w.schedules.remove("s"), true);
  assert.equal(await w.schedules.remove("s"), false);
  assert.equal(await w.schedules.get("s"), null);
  assert.equal(await w.jobs.state(id), "ready");
});

it("createSchedules manages the schedules that another process fires, and closes its store", async () => {
  await using w = await world();
  await w.scheduler();
  const elsewhere = createSchedules({ store: w.store, jobs: [tick], clock: w.clock });
  await elsewhere.create({ id: "s", trigger: interval("1m"), job: tick });
  await w.clock.advance("1m");
  assert.equal((await elsewhere.occurrences("s")).items.length, 2);
  await elsewhere[Symbol.asyncDispose]();
  await assert.rejects(elsewhere.get("s"), code("NS_STORE_CLOSED"));
  assert.throws(() => createSchedules({ store: w.store, jobs: [tick], clok: 1 } as never), code("NS_OPTION_UNKNOWN"));
});
