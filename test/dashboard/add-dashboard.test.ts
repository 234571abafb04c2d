/** The dashboard as a part of an application: listening or mounted, with its services and schedules, and stopping well. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AddDashboardOptions,
  Dashboard,
  type InstancesView,
  type ScheduleView,
  type ServicesView,
} from "../../src/dashboard/index.ts";
import { type Application, createHost, cron, defineJob } from "../../src/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { type CapturingLogger, capturingLogger } from "../../src/telemetry/index.ts";
import { get, json, LOOPBACK, post } from "../support/ask-dashboard.ts";
import { eventually } from "../support/eventually.ts";

const cleanUp = defineJob({ name: "clean-up", run: () => "swept" });

/** Stopped and disposed at the end of its block: a test that fails must not leave a host behind. */
interface Shop extends AsyncDisposable {
  readonly host: Application;
}

function shop(options: AddDashboardOptions, logger: CapturingLogger = capturingLogger()): Shop {
  const builder = createHost({ name: "shop", logger, signals: false });
  builder.addJobs({ store: memory(), jobs: [cleanUp] });
  builder.addSchedule({ id: "nightly", trigger: cron("0 3 * * *", { timeZone: "Europe/Oslo" }), job: cleanUp });
  const broken = {
    execute() {
      throw new Error("no disk");
    },
  };
  builder.addHostedService(broken, { name: "broken", restart: { policy: "never", escalate: "give-up" } });
  builder.addDashboard(options);
  const host = builder.build();
  return {
    host,
    async [Symbol.asyncDispose]() {
      await host.stop();
      await host[Symbol.asyncDispose]();
    },
  };
}

function urlOf(logger: CapturingLogger): string {
  const line = logger.entries.find((entry) => entry.message.startsWith("The dashboard is at"));
  assert.ok(line, "the dashboard says where it is");
  return String(line.facts["url"]);
}

describe("a dashboard in an application", () => {
  it("listens on loopback, under its path, and is gone when the host has stopped", async () => {
    const logger = capturingLogger();
    await using made = shop({ port: 0, path: "/jobs" }, logger);
    const { host } = made;
    await host.start();
    const url = urlOf(logger);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/jobs\/$/);
    const about = (await (await fetch(`${url}api/about`)).json()) as { title: string; has: object };
    assert.equal(about.title, "shop");
    assert.deepEqual(about.has, { services: true, schedules: true, scheduleEditor: true });
    const stream = await fetch(`${url}api/live`);
    await stream.body?.getReader().read();
    await host.stop();
    await assert.rejects(fetch(url));
  });

  it("says at the start that nobody else may use it, where it listens to all and has no authorize", async () => {
    const cases: readonly (readonly [AddDashboardOptions, boolean])[] = [
      [{ host: "0.0.0.0" }, true],
      [{ host: "0.0.0.0", authorize: () => "read" }, false],
      [{}, false],
    ];
    for (const [options, warned] of cases) {
      const logger = capturingLogger();
      await using made = shop({ port: 0, ...options }, logger);
      await made.host.start();
      const said = logger
        .messages("warn")
        .filter((message) => /answers other machines with 403.*authorize/.test(message));
      assert.equal(said.length, warned ? 1 : 0, JSON.stringify(options));
    }
  });

  it("does not listen without a port: its handler is in the container", async () => {
    const logger = capturingLogger();
    await using made = shop({ path: "/admin" }, logger);
    const { host } = made;
    await host.start();
    assert.ok(!logger.messages().some((message) => message.startsWith("The dashboard is at")));
    const dashboard = host.services.get(Dashboard);
    const page = await dashboard.fetch(new Request("http://localhost/admin/"), LOOPBACK);
    assert.match(await page.text(), /<main id="content"/);
    assert.equal((await dashboard.fetch(new Request("http://localhost/admin/"))).status, 403);
    const live = await get(dashboard, "/admin/api/live");
    const reader = live.body?.getReader();
    await reader?.read();
    await host.stop();
    // The stream ends with the stop, or a server that carries it could not stop.
    while (!(await reader?.read())?.done);
    assert.equal((await get(dashboard, "/admin/")).status, 503);
  });

  it("shows the services of its process, failures and all", async () => {
    await using made = shop({});
    const { host } = made;
    await host.start();
    const dashboard = host.services.get(Dashboard);
    await eventually(async () => {
      const { items, process: where } = (await (await get(dashboard, "/api/services")).json()) as ServicesView;
      assert.equal(where.pid, process.pid);
      const broken = items.find((service) => service.name === "broken");
      assert.equal(broken?.lastError?.message, "no disk");
      assert.ok(items.some((service) => service.name === "jobs.worker" && service.mood === "good"));
      assert.ok(items.some((service) => service.name === "dashboard"));
    });
    const { items } = (await (await get(dashboard, "/api/instances")).json()) as InstancesView;
    assert.equal(items[0]?.pid, process.pid);
  });

  it("plans, pauses, resumes and triggers the application's schedules", async () => {
    await using made = shop({});
    const { host } = made;
    await host.start();
    const dashboard = host.services.get(Dashboard);
    const schedule = async () => (await (await get(dashboard, "/api/schedule?id=nightly")).json()) as ScheduleView;
    await eventually(async () => assert.equal((await schedule()).id, "nightly"));
    const before = await schedule();
    assert.equal(before.trigger, "At 03:00 (Europe/Oslo)");
    assert.equal(before.expression, "0 3 * * *");
    assert.equal(before.upcoming.length, 10);
    const hours = before.upcoming.map((at) => new Date(at).toLocaleTimeString("en-GB", { timeZone: "Europe/Oslo" }));
    assert.deepEqual([...new Set(hours)], ["03:00:00"]);
    assert.equal((await post(dashboard, "/api/schedules/pause", { id: "nightly" })).status, 200);
    assert.equal((await schedule()).paused, true);
    assert.equal((await post(dashboard, "/api/schedules/resume", { id: "nightly" })).status, 200);
    assert.equal((await schedule()).paused, false);
    const { job } = await json(post(dashboard, "/api/schedules/trigger", { id: "nightly" }));
    await eventually(async () => {
      assert.equal((await json(get(dashboard, `/api/job?id=${String(job)}`)))["state"], "succeeded");
    });
    assert.deepEqual(
      (await schedule()).occurrences.map((each) => [each.what, each.job]),
      [["manual", job]],
    );
    await host.stop();
  });

  it("reports all that is wrong with its options when the application is built", () => {
    const builder = createHost({ name: "shop" });
    builder.addDashboard({ port: 70_000, path: "jobs", tittle: "x" } as AddDashboardOptions);
    const text = String(assertThrows(() => builder.build()));
    for (const part of [/port is 70000/, /path is "jobs"/, /Did you mean "title"/, /Call addJobs/])
      assert.match(text, part);
  });

  it("says what to do when its port is taken", async () => {
    const logger = capturingLogger();
    await using first = shop({ port: 0 }, logger);
    await first.host.start();
    const port = Number(new URL(urlOf(logger)).port);
    await using second = shop({ port });
    await assert.rejects(second.host.start(), {
      code: "NS_DASHBOARD_LISTEN",
      message: /stop it, or choose another port/,
    });
  });
});

function assertThrows(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}
