/** Schedules that are written on the dashboard: previewed, made, changed and removed, and refused field by field. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  type ApiError,
  Dashboard,
  type ScheduleFormView,
  type SchedulePreview,
  type StoredJsonView,
} from "../../src/dashboard/index.ts";
import { cron, interval } from "../../src/index.ts";
import { get, json, post } from "../support/ask-dashboard.ts";
import { eventually } from "../support/eventually.ts";
import { type ScheduleApp, scheduleApp } from "../support/schedule-app.ts";

const DRAFT = {
  id: "digest",
  job: "email.digest",
  expression: "0 7 * * MON",
  dialect: "unix",
  timeZone: "Europe/Oslo",
  input: '{"to":"kari"}',
  misfire: "skip",
  overlap: "queue",
  description: "",
  paused: false,
};

describe("schedules written on the dashboard", () => {
  let app: ScheduleApp;
  let dashboard: Dashboard;
  const read = async <T>(path: string) => (await (await get(dashboard, `/jobs/api/${path}`)).json()) as T;
  const change = (path: string, body: object) => post(dashboard, `/jobs/api/schedules/${path}`, body);
  const refused = async (path: string, body: object) => {
    const answer = await change(path, body);
    const { error } = (await answer.json()) as ApiError;
    return { status: answer.status, ...error, fields: (error.problems ?? []).map(({ field, code }) => [field, code]) };
  };
  const revisionOf = async (id: string) => (await app.host.schedules.get(id))?.revision ?? -1;

  before(async () => {
    app = await scheduleApp();
    dashboard = app.host.services.get(Dashboard);
    await eventually(async () => assert.ok(await app.host.schedules.get("nightly")));
  });
  after(() => app[Symbol.asyncDispose]());
  beforeEach(() => app.host.schedules.remove("digest"));

  it("start from the jobs that the process knows", async () => {
    const { jobs, timeZones, schedule } = await read<ScheduleFormView>("schedules/form");
    assert.deepEqual(jobs, [
      { name: "clean-up", takesInput: false },
      { name: "email.digest", takesInput: true },
    ]);
    assert.ok(timeZones.includes("UTC") && timeZones.includes("Europe/Oslo"));
    assert.equal(schedule, null);
  });

  it("are previewed with offsets and turns of the clock, and mistakes are told at their fields", async () => {
    const plan = await read<SchedulePreview>("schedules/preview?expression=30+2+*+*+*&timeZone=Europe/Oslo");
    assert.equal(plan.fires.length, 5);
    for (const { local, offset } of plan.fires) {
      assert.match(local, /T02:30:00$|T03:00:00$/);
      assert.match(offset, /^\+0[12]:00$/);
    }
    assert.match(plan.warnings.join(), /does not exist and fires once, at 03:00/);
    const wrong = await read<SchedulePreview>("schedules/preview?expression=61+2+*+*+*");
    assert.deepEqual(wrong.problems, [
      {
        field: "expression",
        code: "NS_CRON_SYNTAX",
        message: '"61 2 * * *": minute is 0-59, got 61 at column 1.',
      },
    ]);
    const nowhere = await read<SchedulePreview>("schedules/preview?expression=@daily&timeZone=Europe/Olso");
    assert.deepEqual([nowhere.problems[0]?.field, nowhere.fires], ["timeZone", []]);
    assert.match(nowhere.problems[0]?.message ?? "", /Did you mean "Europe\/Oslo"\?/);
    const hashed = await read<SchedulePreview>("schedules/preview?expression=H+2+*+*+*&id=digest");
    assert.equal(hashed.fires.length, 5);
    assert.match((await read<SchedulePreview>("schedules/preview?expression=0+0+30+2+*")).warnings[0] ?? "", /never/);
  });

  it("are made as they were written", async () => {
    assert.equal((await change("create", { ...DRAFT, paused: true, description: "Monday mail" })).status, 200);
    const made = await app.host.schedules.get("digest");
    assert.deepEqual(
      [made?.source, made?.job, made?.paused, made?.settings?.description],
      ["dynamic", "email.digest", true, "Monday mail"],
    );
    assert.deepEqual([made?.settings?.misfire, made?.settings?.overlap], ["skip", "queue"]);
    assert.deepEqual(made?.settings?.input, { to: "kari" });
    assert.equal(made?.settings?.trigger["timeZone"], "Europe/Oslo");
  });

  it("are refused at the fields that are wrong, in the library's words, and nothing is written", async () => {
    const cases: [object, [string | null, string][], RegExp][] = [
      [{ expression: "0 25 * * *" }, [["expression", "NS_CRON_SYNTAX"]], /hour is 0-23, got 25 at column 3/],
      [{ expression: "0 0 30 2 *" }, [["expression", "NS_SCHEDULE_INVALID"]], /never fire/],
      [{ timeZone: "Mars/Olympus" }, [["timeZone", "NS_TIME_ZONE_UNKNOWN"]], /Mars/],
      [{ input: '{"to":5}' }, [["input", "NS_JOB_INPUT"]], /to: Expected text/],
      [{ input: "" }, [["input", "NS_JOB_INPUT"]], /to: Expected text/],
      [{ input: "{to}" }, [["input", "NS_JOB_INPUT"]], /is not JSON/],
      [{ input: '{"to":"x","n":9007199254740993}' }, [["input", "NS_JOB_INPUT"]], /9007199254740993.*as text/],
      [{ job: "email.digset" }, [["job", "NS_JOB_UNKNOWN"]], /not registered|is registered in this process/],
      [{ id: "nightly" }, [["id", "NS_SCHEDULE_DUPLICATE"]], /exists already/],
      [{ id: "" }, [["id", "NS_DASHBOARD_REQUEST"]], /not empty/],
      [
        { expression: "x", input: "[" },
        [
          ["expression", "NS_CRON_SYNTAX"],
          ["input", "NS_JOB_INPUT"],
        ],
        /2 fields are wrong/,
      ],
    ];
    const ids = async () => (await app.host.schedules.list()).items.map(({ id, revision }) => [id, revision]);
    const before = await ids();
    for (const [wrong, fields, message] of cases) {
      const answer = await refused("create", { ...DRAFT, ...wrong });
      assert.deepEqual(answer.fields, fields, JSON.stringify(wrong));
      assert.match(answer.message, message);
      assert.ok(answer.status === 400 || answer.status === 409);
    }
    assert.deepEqual(await ids(), before);
  });

  it("keep what a change leaves out", async () => {
    const trigger = cron("30 2 * * *", { timeZone: "Europe/Oslo", gap: "skip" });
    const job = { job: "email.digest", misfire: "run-once" } as const;
    await change("create", DRAFT);
    await app.host.schedules.update("digest", { trigger, misfire: { policy: "catch-up", max: 3 } });
    const when = { expression: "45 2 * * *", dialect: "unix", timeZone: "Europe/Oslo" };
    const first = { id: "digest", revision: await revisionOf("digest"), ...when };
    assert.equal((await change("update", first)).status, 200);
    const changed = await app.host.schedules.get("digest");
    assert.deepEqual(
      [changed?.settings?.trigger["expression"], changed?.settings?.trigger["gap"]],
      ["45 2 * * *", "skip"],
    );
    assert.deepEqual(changed?.settings?.misfire, { policy: "catch-up", max: 3 });
    assert.deepEqual(changed?.settings?.input, { to: "kari" });
    const second = { id: "digest", revision: await revisionOf("digest"), ...job, input: '{"to":"ola"}' };
    assert.equal((await change("update", second)).status, 200);
    const again = await app.host.schedules.get("digest");
    assert.deepEqual([again?.settings?.misfire, again?.settings?.input], ["run-once", { to: "ola" }]);
  });

  it("are changed only by those who saw how they stand", async () => {
    await change("create", DRAFT);
    const revision = await revisionOf("digest");
    await app.host.schedules.update("digest", { overlap: "replace" });
    const answer = await refused("update", { id: "digest", revision, overlap: "skip" });
    assert.deepEqual([answer.status, answer.code], [409, "NS_SCHEDULE_STALE"]);
    assert.match(answer.message, /was changed meanwhile/);
    assert.equal((await app.host.schedules.get("digest"))?.settings?.overlap, "replace");
  });

  it("are removed, and then are gone", async () => {
    await change("create", DRAFT);
    assert.equal((await change("remove", { id: "digest" })).status, 200);
    assert.equal(await app.host.schedules.get("digest"), null);
    assert.equal((await refused("remove", { id: "digest" })).status, 404);
    assert.equal((await refused("update", { id: "digest", revision: 1, overlap: "skip" })).status, 404);
  });

  it("leave alone what code declares, and say why", async () => {
    const revision = await revisionOf("nightly");
    for (const [path, body] of [
      ["update", { id: "nightly", revision, overlap: "skip" }],
      ["remove", { id: "nightly" }],
    ] as const) {
      const answer = await refused(path, body);
      assert.equal(answer.status, 409);
      assert.match(answer.message, /declared in code/);
    }
    assert.equal(await revisionOf("nightly"), revision);
    assert.equal((await read<ScheduleFormView>("schedules/form?id=nightly")).schedule?.source, "code");
  });

  it("keep a trigger that is no cron expression, and say that it is none", async () => {
    await change("create", DRAFT);
    await app.host.schedules.update("digest", { trigger: interval("5m") });
    const { schedule } = await read<ScheduleFormView>("schedules/form?id=digest");
    assert.equal(schedule?.expression, null);
    assert.equal((await change("update", { id: "digest", revision: schedule?.revision, overlap: "skip" })).status, 200);
    assert.equal((await app.host.schedules.get("digest"))?.settings?.trigger.type, "interval");
  });

  it("S23: show their input only when asked, hide what is redacted, and never save what was hidden", async () => {
    await change("create", { ...DRAFT, input: '{"to":"kari","token":"s3cr3t"}' });
    const form = await (await get(dashboard, "/jobs/api/schedules/form?id=digest")).text();
    const page = await (await get(dashboard, "/jobs/api/schedule?id=digest")).text();
    assert.doesNotMatch(form + page, /kari|s3cr3t/);
    const { text, redacted } = await read<StoredJsonView>("schedule/input?id=digest");
    assert.deepEqual([redacted, JSON.parse(text)], [1, { to: "kari", token: "[redacted]" }]);
    const answer = await refused("update", { id: "digest", revision: await revisionOf("digest"), input: text });
    assert.deepEqual(answer.fields, [["input", "NS_JOB_INPUT"]]);
    assert.match(answer.message, /"token" is \[redacted\]: write its real value/);
    assert.deepEqual((await app.host.schedules.get("digest"))?.settings?.input, { to: "kari", token: "s3cr3t" });
  });

  it("S22: are logged with who changed what, and without their inputs", async () => {
    const before = app.logger.entries.length;
    await change("create", DRAFT);
    await change("remove", { id: "digest" });
    const audits = app.logger.entries.slice(before).flatMap(({ facts }) => ("audit" in facts ? [facts["audit"]] : []));
    assert.deepEqual(audits, [
      { user: null, action: "schedules/create", target: { ...DRAFT, input: "(not logged)" } },
      { user: null, action: "schedules/remove", target: { id: "digest" } },
    ]);
  });

  it("need a process that knows jobs", async () => {
    assert.equal((await json(get(dashboard, "/jobs/api/about")))["role"], "operate");
    const { has } = await read<{ has: object }>("about");
    assert.deepEqual(has, { services: true, schedules: true, scheduleEditor: true });
  });
});
