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
import { triggerFromJSON, withHashKey } from "../../src/time/index.ts";
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

  it("may have a trigger of any kind, with readings of its zone's clock for instants", async () => {
    const { expression: _, dialect: __, timeZone, ...rest } = DRAFT;
    const cases: [object, string][] = [
      [
        { type: "interval", every: "90m", start: "2030-01-01T09:00", timeZone },
        "every 5400000ms from 2030-01-01T08:00:00.000Z",
      ],
      [{ type: "once", at: "2030-07-01T17:00", timeZone }, "once at 2030-07-01T15:00:00.000Z"],
      [
        { type: "calendar-interval", amount: 2, unit: "month", start: "2030-01-31T09:00", timeZone },
        "every 2 month from 2030-01-31T09:00:00 in Europe/Oslo",
      ],
      [
        { type: "daily-interval", every: "10m", from: "09:00", to: "17:00", weekdays: ["MON"], timeZone },
        "every 600000ms from 09:00 to 17:00 on MON in Europe/Oslo",
      ],
      [
        { type: "recurrence", rule: "FREQ=MONTHLY;BYDAY=-1FR", start: "2030-01-01T09:00", timeZone },
        "FREQ=MONTHLY;BYDAY=-1FR from 2030-01-01T09:00:00 in Europe/Oslo",
      ],
      [{ type: "any-of", triggers: [{ type: "interval", every: 60_000 }] }, "any of [every 60000ms]"],
      [
        { type: "cron", expression: "H 3 * * *", timeZone },
        String(withHashKey(cron("H 3 * * *", { timeZone }), "digest")),
      ],
    ];
    for (const [written, expected] of cases) {
      const trigger = JSON.stringify(written);
      assert.equal((await change("create", { ...rest, trigger })).status, 200, trigger);
      const stored = (await app.host.schedules.get("digest"))?.settings?.trigger;
      assert.ok(stored);
      assert.equal(String(triggerFromJSON(stored)), expected);
      const plan = await read<SchedulePreview>(`schedules/preview?id=digest&trigger=${encodeURIComponent(trigger)}`);
      assert.deepEqual(plan.problems, []);
      const next = await app.host.schedules.preview("digest", plan.fires.length);
      assert.deepEqual(
        plan.fires.map(({ at }) => at),
        next.map((at) => at.getTime()),
        trigger,
      );
      const { schedule } = await read<ScheduleFormView>("schedules/form?id=digest");
      assert.equal(String(triggerFromJSON(JSON.parse(schedule?.trigger ?? ""))), expected);
      await app.host.schedules.remove("digest");
    }
  });

  it("are told what is wrong with a trigger at the field that it is about", async () => {
    const { expression: _, dialect: __, timeZone, ...rest } = DRAFT;
    const cases: [unknown, string, RegExp][] = [
      [{ type: "interval", every: "soon" }, "every", /interval\(\) is "soon"/],
      [{ type: "recurrence", rule: "FREQ=DAYLY", start: "2030-01-01T09:00" }, "rule", /Did you mean "DAILY"/],
      [{ type: "once", at: "tomorrow" }, "start", /"tomorrow"/],
      [{ type: "once", at: "2030-02-30T09:00" }, "start", /2030-02-30T09:00/],
      [{ type: "once", at: "2001-01-01T09:00" }, "expression", /never fire/],
      [{ type: "interval", every: "1h", timeZone: "Mars/Olympus", start: "2030-01-01T09:00" }, "timeZone", /Mars/],
      [{ type: "intervall" }, "expression", /Did you mean "interval"/],
      [["interval"], "expression", /has no type/],
    ];
    for (const [written, field, message] of cases) {
      const answer = await refused("create", { ...rest, trigger: JSON.stringify(written) });
      assert.deepEqual([answer.status, answer.fields[0]?.[0]], [400, field], JSON.stringify(written));
      assert.match(answer.message, message);
    }
    assert.equal((await refused("create", { ...rest, trigger: "{" })).fields[0]?.[0], "expression");
    assert.equal((await refused("create", { ...DRAFT, trigger: "{}" })).status, 400, "an expression and a trigger");
    assert.equal(await app.host.schedules.get("digest"), null);
  });

  it("keep a trigger that a change leaves out, and take another kind", async () => {
    await change("create", DRAFT);
    await app.host.schedules.update("digest", { trigger: interval("5m") });
    const { schedule } = await read<ScheduleFormView>("schedules/form?id=digest");
    assert.equal(schedule?.expression, null);
    assert.equal((await change("update", { id: "digest", revision: schedule?.revision, overlap: "skip" })).status, 200);
    assert.equal((await app.host.schedules.get("digest"))?.settings?.trigger.type, "interval");
    const trigger = JSON.stringify({ type: "once", at: "2030-01-01T00:00:00Z" });
    await change("update", { id: "digest", revision: await revisionOf("digest"), trigger });
    assert.equal((await app.host.schedules.get("digest"))?.settings?.trigger.type, "once");
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
