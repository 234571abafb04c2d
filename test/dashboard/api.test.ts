/** What the dashboard's API answers and does, over the memory store. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  createDashboard,
  type Dashboard,
  type InstancesView,
  type JobCount,
  type JobDataView,
  type JobsView,
  type JobView,
  type OverviewView,
  type ScheduleDesk,
} from "../../src/dashboard/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { newJob } from "../../src/testing/store-conformance/worker.ts";
import { openSharded, process1, TTL } from "../store/sharded/support.ts";
import { TestFolder } from "../store/sqlite/files.ts";
import { get, json, post } from "../support/ask-dashboard.ts";
import { type BusyStore, busyStore } from "../support/busy-store.ts";
import { eventually } from "../support/eventually.ts";

describe("the dashboard's API", () => {
  let busy: BusyStore;
  let dashboard: Dashboard;
  const read = async <T>(path: string) => (await (await get(dashboard, `/${path}`)).json()) as T;

  beforeEach(async () => {
    busy = await busyStore();
    dashboard = createDashboard({ store: busy.store, title: "shop" });
  });
  afterEach(async () => {
    await dashboard.close();
    await busy.store.close();
  });

  it("tells counts per queue, the last hour by minute, and how old the oldest ready job is", async () => {
    const overview = await read<OverviewView>("api/overview");
    const mail = overview.queues.find((queue) => queue.queue === "mail");
    assert.equal(mail?.running, 3);
    assert.equal(mail?.oldestReadyAt, overview.now - 13_000);
    assert.equal(
      overview.queues.find((queue) => queue.queue === "search")?.paused?.reason,
      "The index is being rebuilt",
    );
    assert.equal(overview.queues.find((queue) => queue.queue === "photos")?.parked, 1);
    assert.equal(overview.throughput.length, 60);
    const gaps = overview.throughput.slice(1).map((point, index) => point.at - (overview.throughput[index]?.at ?? 0));
    assert.ok(gaps.every((gap) => gap === 60_000));
    assert.ok((overview.throughput.at(-1)?.at ?? 0) <= overview.now);
    assert.ok(overview.finished.succeeded > 1_000);
    assert.deepEqual([overview.instances, overview.expired], [2, 0]);
  });

  it("tells what the store finds wrong with itself, and nothing when all is well", async () => {
    assert.deepEqual(await json(get(dashboard, "/api/findings")), { items: [] });
    const finding = { what: "large log", severity: "warning", message: "The log has 900 MB.", details: { bytes: 9e8 } };
    const store = new Proxy(memory(), {
      get: (target, key) => {
        if (key === "findings") return async () => [finding];
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const troubled = createDashboard({ store });
    const { what, severity, message } = finding;
    assert.deepEqual(await json(get(troubled, "/api/findings")), { items: [{ what, severity, message }] });
    await troubled.close();
  });

  it("shows queues that are served though they have no job", async () => {
    const store = memory();
    const quiet = createDashboard({ store });
    assert.deepEqual((await json(get(quiet, "/api/overview")))["queues"], []);
    const about = { name: "a", host: "h", pid: 1, version: "1", names: [], concurrency: 1 };
    await store.register({ ...about, queues: ["mail", "default"] }, 60_000);
    await store.enqueue([{ name: "n", queue: "mail", priority: 0, input: "{}", maxAttempts: 1, maxCrashes: 1 }]);
    const { queues } = (await json(get(quiet, "/api/overview"))) as { queues: { queue: string; ready: number }[] };
    assert.deepEqual(
      queues.map(({ queue, ready }) => [queue, ready]),
      [
        ["default", 0],
        ["mail", 1],
      ],
    );
    await quiet.close();
  });

  it("counts who serves a queue among the living alone, and what is claimed beyond a process's slots", async () => {
    const { store, clock } = busy;
    const about = { name: "a", host: "h", pid: 1, version: "1", names: ["n"], concurrency: 2, queues: ["lone"] };
    const id = await store.register(about, 1_000);
    const queueAndAhead = async () => {
      const { queues, ahead } = await read<OverviewView>("api/overview");
      return [queues.find(({ queue }) => queue === "lone")?.servedBy, ahead];
    };
    assert.deepEqual(await queueAndAhead(), [1, 0]);
    await store.enqueue(Array.from({ length: 5 }, () => newJob({ name: "n", queue: "lone" })));
    await store.claim(id, { wants: [{ queue: "lone", limit: 5 }], names: new Set(["n"]) });
    assert.deepEqual(await queueAndAhead(), [1, 3]);
    await clock.advance(2_000);
    assert.deepEqual(await queueAndAhead(), [0, 3]);
  });

  it("pages through jobs of a state without losing or repeating one, while new ones arrive", async () => {
    const seen = new Set<string>();
    let cursor = "";
    for (let pages = 0; pages < 100; pages++) {
      const page = await read<JobsView>(`api/jobs?state=succeeded&limit=200${cursor}`);
      for (const job of page.items) {
        assert.ok(!seen.has(job.id), `${job.id} twice`);
        assert.equal(job.state, "succeeded");
        seen.add(job.id);
      }
      if (page.next === null) break;
      cursor = `&cursor=${encodeURIComponent(page.next)}`;
      await busy.work();
    }
    const { finished } = await busy.store.counts();
    assert.ok(seen.size > 1_900 && seen.size <= finished.succeeded);
  });

  it("shows who leads, and not the roles that only tell which version of an application lives", async () => {
    await busy.store.campaign("schedules:shop:0123456789ab:42", "shop@web-1", 60_000);
    const { leaders } = await read<InstancesView>("api/instances");
    assert.deepEqual(leaders, [{ role: "scheduler", holder: "shop@web-1" }]);
  });

  it("tells who works while the database that keeps who leads is away or silent, and that it does not know that", async () => {
    for (const how of ["cut", "silence"] as const) {
      const { store, places, clock } = await openSharded({ names: ["a", "b"], leader: "a" });
      await store.register(process1, TTL);
      places["a"]?.[how]();
      const over = createDashboard({ store, clock });
      const answers: Response[] = [];
      void get(over, "/api/instances").then((response) => answers.push(response));
      await eventually(async () => {
        await clock.advance("1s");
        assert.equal(answers.length, 1);
      });
      const { items, leaders } = (await (answers[0] as Response).json()) as InstancesView;
      assert.deepEqual([items.map(({ name }) => name), leaders], [["one"], null]);
      places["a"]?.heal();
      await over.close();
      await store.close();
    }
  });

  it("filters jobs by queue and name", async () => {
    const page = await read<JobsView>("api/jobs?state=dead&queue=mail&name=email.receipt&limit=5");
    assert.equal(page.items[0]?.id, busy.dead);
    assert.ok(page.items.every((job) => job.queue === "mail" && job.name === "email.receipt"));
    assert.equal(page.items[0]?.error?.name, "SmtpError");
  });

  it("counts what it would list, up to ten thousand or as many as it is asked for", async () => {
    const { items } = await read<JobsView>("api/jobs?state=dead&queue=mail&name=email.receipt&limit=200");
    const count = (query: string) => read<JobCount>(`api/jobs/count?${query}`);
    const filter = "state=dead&queue=mail&name=email.receipt";
    assert.deepEqual(await count(filter), { count: items.length, exact: true });
    assert.deepEqual(await count(`${filter}&upTo=1`), { count: 1, exact: items.length === 1 });
    for (const query of ["state=done", "queue=mail", "state=dead&upTo=0", "state=dead&upTo=1000001"]) {
      assert.equal((await get(dashboard, `/api/jobs/count?${query}`)).status, 400);
    }
  });

  it("goes on where few match, and says that there is more where it gave up", async () => {
    let looks = 0;
    const store = memory();
    store.listJobs = async () => {
      looks++;
      return { items: [], next: `page ${looks}` };
    };
    const sparse = createDashboard({ store });
    const page = (await json(get(sparse, "/api/jobs?state=succeeded&name=rare"))) as unknown as JobsView;
    assert.deepEqual([page.items, page.next, looks], [[], "page 20", 20]);
    await sparse.close();
    await using folder = new TestFolder();
    const file = await folder.open({ durability: "normal" });
    await file.enqueue([newJob({ name: "rare" })]);
    await file.enqueue(Array.from({ length: 11_000 }, () => newJob()));
    const look = { state: "ready", name: "rare", limit: 50 } as const;
    assert.deepEqual((await file.listJobs(look)).items, [], "the store's own page ends before it");
    const large = createDashboard({ store: file });
    const found = (await json(get(large, "/api/jobs?state=ready&name=rare"))) as unknown as JobsView;
    assert.deepEqual([found.items.length, found.next], [1, null]);
    await large.close();
  });

  it("tells a job's whole story, errors with stack and causes included", async () => {
    const job = await read<JobView>(`api/job?id=${busy.retried}`);
    assert.equal(job.state, "succeeded");
    assert.deepEqual(
      job.history.map((entry) => [entry.what, entry.attempt]),
      [
        ["retry", 1],
        ["retry", 2],
        ["succeeded", 3],
      ],
    );
    const [first] = job.history;
    assert.equal(first?.error?.code, "ERATES");
    assert.match(first?.error?.stack ?? "", /rates\.ts:21/);
    assert.match(first?.error?.causes[0]?.message ?? "", /ECONNREFUSED/);
    assert.equal(job.hasResult, true);
  });

  it("shows a job's data digit for digit, and hides what is redacted", async () => {
    const data = await read<JobDataView>(`api/job/data?id=${busy.dead}`);
    assert.match(data.input.text, /"order": 9007199254740993,/);
    assert.match(data.input.text, /"token": "\[redacted\]"/);
    assert.equal(data.input.redacted, 1);
    assert.equal(data.result, null);
  });

  it("cancels what waits, asks what runs, retries what died, and runs what is scheduled", async () => {
    const scheduled = (await read<JobsView>("api/jobs?state=scheduled")).items[0]?.id ?? "";
    const ready = (await read<JobsView>("api/jobs?state=ready&queue=mail")).items[0]?.id ?? "";
    const ids = [ready, busy.running, busy.dead, "no such job"];
    const cancelled = await json(post(dashboard, "/api/jobs/cancel", { ids, reason: "not wanted" }));
    assert.deepEqual(cancelled["results"], ["cancelled", "requested", "final", "missing"]);
    assert.equal((await read<JobView>(`api/job?id=${busy.running}`)).cancelRequested, "not wanted");
    assert.equal((await read<JobView>(`api/job?id=${ready}`)).history.at(-1)?.error?.message, "not wanted");
    assert.deepEqual(await json(post(dashboard, "/api/jobs/retry", { ids: [busy.dead, scheduled] })), {
      done: [busy.dead],
    });
    assert.equal((await read<JobView>(`api/job?id=${busy.dead}`)).state, "ready");
    assert.deepEqual(await json(post(dashboard, "/api/jobs/run-now", { ids: [scheduled] })), { done: [scheduled] });
    assert.equal((await read<JobView>(`api/job?id=${scheduled}`)).state, "ready");
  });

  it("pauses and resumes a queue, and says who did it", async () => {
    const named = createDashboard({ store: busy.store, authorize: () => ({ role: "operate", user: "kari" }) });
    assert.equal((await post(named, "/api/queues/pause", { queue: "mail" })).status, 200);
    const paused = (await read<OverviewView>("api/overview")).queues.find((queue) => queue.queue === "mail")?.paused;
    assert.equal(paused?.reason, "Paused from the dashboard, by kari");
    assert.equal((await post(named, "/api/queues/resume", { queue: "mail" })).status, 200);
    assert.equal(
      (await read<OverviewView>("api/overview")).queues.find((queue) => queue.queue === "mail")?.paused,
      null,
    );
    await named.close();
  });

  it("lists schedules from the store alone, and says that nothing here can change them", async () => {
    const list = await json(get(dashboard, "/api/schedules"));
    assert.deepEqual(
      (list["items"] as { id: string }[]).map(({ id }) => id),
      ["clean-up", "sales-report"],
    );
    assert.equal((await post(dashboard, "/api/schedules/pause", { id: "clean-up" })).status, 409);
    assert.equal((await post(dashboard, "/api/schedules/remove", { id: "clean-up" })).status, 409);
    assert.equal((await get(dashboard, "/api/schedule?id=none")).status, 404);
  });

  it("describes, pauses, resumes and triggers schedules through what knows them", async () => {
    const did: string[] = [];
    const desk: ScheduleDesk = {
      describe: () => ({
        trigger: "At 03:00 (Europe/Oslo)",
        expression: "0 3 * * *",
        timeZone: "Europe/Oslo",
        misfire: "run-once",
        overlap: "skip",
        queue: "default",
      }),
      upcoming: async (schedule, count) => Array.from({ length: count }, (_, n) => (schedule.nextAt ?? 0) + n),
      pause: async (id) => void did.push(`pause ${id}`),
      resume: async (id) => void did.push(`resume ${id}`),
      pausedGroups: async () => ["reports"],
      pauseGroup: async (group) => did.push(`pause all of ${group}`),
      resumeGroup: async (group) => did.push(`resume all of ${group}`),
      trigger: async (id) => `job of ${id}`,
    };
    const knowing = createDashboard({ store: busy.store, schedules: desk });
    const schedule = await json(get(knowing, "/api/schedule?id=clean-up"));
    assert.equal(schedule["timeZone"], "Europe/Oslo");
    assert.equal((schedule["upcoming"] as number[]).length, 10);
    assert.equal((await post(knowing, "/api/schedules/pause", { id: "clean-up" })).status, 200);
    assert.equal((await post(knowing, "/api/schedules/resume", { id: "clean-up" })).status, 200);
    assert.deepEqual(await json(post(knowing, "/api/schedules/trigger", { id: "clean-up" })), {
      job: "job of clean-up",
    });
    assert.equal((await post(knowing, "/api/schedules/trigger", { id: "none" })).status, 404);
    assert.deepEqual((await json(get(knowing, "/api/schedules?group=none")))["items"], []);
    assert.deepEqual((await json(get(knowing, "/api/schedules")))["pausedGroups"], ["reports"]);
    assert.deepEqual(await json(post(knowing, "/api/schedules/pause-group", { group: "reports" })), { schedules: 3 });
    assert.deepEqual(await json(post(knowing, "/api/schedules/resume-group", { group: "reports" })), { schedules: 4 });
    assert.equal((await post(knowing, "/api/schedules/pause-group", { group: "" })).status, 400);
    assert.deepEqual(did, ["pause clean-up", "resume clean-up", "pause all of reports", "resume all of reports"]);
    await knowing.close();
  });

  it("is at home under any path, and only there", async () => {
    const below = createDashboard({ store: busy.store, path: "/admin/jobs" });
    assert.equal((await get(below, "/admin/jobs")).headers.get("location"), "./jobs/");
    for (const page of [
      "",
      "jobs",
      "job",
      "schedules",
      "schedule",
      "newschedule",
      "editschedule",
      "services",
      "instances",
    ]) {
      const answer = await get(below, `/admin/jobs/${page}`);
      assert.match(answer.headers.get("content-type") ?? "", /html/, page);
    }
    assert.equal((await get(below, "/admin/jobs/api/overview")).status, 200);
    assert.equal((await get(below, "/admin/jobs/assets/main.js")).status, 200);
    assert.equal((await get(below, "/")).status, 404);
    await below.close();
  });

  it("answers an unchanged file with 304", async () => {
    const first = await get(dashboard, "/assets/app.css");
    const again = await get(dashboard, "/assets/app.css", { "if-none-match": first.headers.get("etag") ?? "" });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), "");
  });

  it("answers 404 for a job that is not there", async () => {
    const answer = await get(dashboard, "/api/job?id=none");
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /NS_JOB_NOT_FOUND/);
  });

  it("refuses wrong options at once", () => {
    const store = memory();
    assert.throws(() => createDashboard({ store, path: "jobs" }), { code: "NS_OPTION_INVALID" });
    assert.throws(() => createDashboard({ store, path: "/a/../b" }), { code: "NS_OPTION_INVALID" });
    assert.throws(() => createDashboard({ store, titel: "x" } as never), /Did you mean "title"/);
    assert.throws(() => createDashboard({ store, path: "x", redact: [1] } as never), { code: "NS_BUILD_INVALID" });
  });

  it("answers 503 once it is closed, and lets the store go", async () => {
    await get(dashboard, "/api/overview");
    await dashboard.close();
    await dashboard.close();
    assert.equal((await get(dashboard, "/api/overview")).status, 503);
    await busy.store.now();
  });
});
