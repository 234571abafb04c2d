/** The dashboard as a person meets it: in a real browser, over a real socket. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { CreateDashboardOptions } from "../../src/dashboard/index.ts";
import { newJob } from "../../src/testing/store-conformance/worker.ts";
import { type PageOptions, startBrowser, usePage } from "../support/browser.ts";
import { type BusyStore, busyStore } from "../support/busy-store.ts";
import { eventually } from "../support/eventually.ts";
import { serveDashboard } from "../support/serve-dashboard.ts";

/** A page on a dashboard over a busy store; whatever it did wrong fails the test at its end. */
async function withPage(
  browser: Browser,
  test: (page: Page, url: string, busy: BusyStore) => Promise<void>,
  options: Partial<CreateDashboardOptions> & PageOptions = {},
): Promise<void> {
  const { width, allowed, ...rest } = options;
  const busy = await busyStore();
  await using served = await serveDashboard({ store: busy.store, path: "/admin/jobs", title: "shop", ...rest });
  try {
    await usePage(browser, (page) => test(page, served.url, busy), { ...(width && { width }), allowed });
  } finally {
    await busy.store.close();
  }
}

const text = (page: Page, selector: string) => page.locator(selector).innerText();

describe("the dashboard in a browser", () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());

  it("moves its numbers by itself", async () => {
    await withPage(browser, async (page, url, busy) => {
      await page.goto(url);
      await page.waitForSelector(".live-live");
      const tile = "[data-tile=succeeded] .tile-value";
      const first = await text(page, tile);
      await busy.work();
      await eventually(async () => assert.notEqual(await text(page, tile), first));
      const { finished } = await busy.store.counts();
      assert.equal(await text(page, tile), finished.succeeded.toLocaleString("en"));
    });
  });

  it("says on the overview what is stuck and why, in words that need no pointer", async () => {
    await withPage(browser, async (page, url, { store, clock }) => {
      const one = await store.register(
        { name: "one", host: "h", pid: 1, version: "1", queues: ["mail"], names: ["m"], concurrency: 9 },
        1_000,
      );
      await store.enqueue(Array.from({ length: 4 }, () => newJob({ name: "m", queue: "stuck", maxAttempts: 1 })));
      const [lease] = await store.claim(one, { wants: [{ queue: "stuck", limit: 4 }], names: new Set(["m"]) });
      const outcomes = (lease?.jobs ?? []).map(({ id }, n) => {
        const error = JSON.stringify({ name: "Error", message: `connect ECONNREFUSED 10.0.0.${n}:25` });
        return { job: id, type: "dead", ms: 1, error } as const;
      });
      await store.settle(one, [{ lease: lease?.id ?? "", outcomes }]);
      await clock.advance(2_000);
      await page.goto(url);
      await page.waitForSelector(".live-live");
      assert.match(await text(page, "[data-tile=running] .tile-note"), /^2 instances, 1 expired$/);
      const row = (queue: string) => text(page, `table tr:has(.name:text-is("${queue}"))`);
      assert.match(await row("search"), /paused\s+The index is being rebuilt/);
      assert.match(await row("photos"), /1 parked\s+No process that claimed so far knows the names/);
      // Four that died alike are one line; their figures differ.
      assert.equal(await page.locator('tr:has-text("ECONNREFUSED")').count(), 1);
      assert.match(await text(page, 'tr:has-text("ECONNREFUSED")'), /^m × 4/);
    });
  });

  it("says which queue has jobs and nobody for them, on the overview and on the job's page, until somebody is", async () => {
    await withPage(browser, async (page, url, { store }) => {
      const [id = ""] = await store.enqueue([newJob({ name: "month.close", queue: "reports-eu" })]);
      await page.goto(url);
      await page.waitForSelector(".live-live");
      const row = page.locator('table tr:has(.name:text-is("reports-eu"))');
      await row.getByText("No running instance serves this queue: its jobs wait until one does.").waitFor();
      assert.equal(await page.locator('table tr:has(.name:text-is("mail"))').getByText("not served").count(), 0);
      await page.goto(`${url}job?id=${id}`);
      await page.getByText("It waits because no running instance serves the queue reports-eu.").waitFor();
      const process = { name: "eu", host: "h", pid: 1, version: "1", names: [], concurrency: 1 };
      await store.register({ ...process, queues: ["reports-eu"] }, 60_000);
      await page.getByText("It waits for a free worker of the queue reports-eu.").waitFor();
      await page.goto(url);
      await row.waitFor();
      assert.equal(await row.getByText("not served").count(), 0);
    });
  });

  it("tells what runs from what is claimed ahead of its slot", async () => {
    await withPage(browser, async (page, url, { store }) => {
      const queue = "narrow";
      const process = { name: "small", host: "h", pid: 1, version: "1", queues: [queue], names: ["m"], concurrency: 2 };
      const small = await store.register(process, 60_000);
      await store.enqueue(Array.from({ length: 5 }, () => newJob({ name: "m", queue })));
      await store.claim(small, { wants: [{ queue, limit: 5 }], names: new Set(["m"]) });
      await page.goto(url);
      await page.waitForSelector(".live-live");
      assert.match(await text(page, "[data-tile=running] .tile-note"), /^3 instances, 3 claimed ahead$/);
      await page.goto(`${url}jobs?state=running&queue=${queue}`);
      await page.getByText("of all, at least 3 claimed ahead").waitFor();
      await page.goto(`${url}instances`);
      const row = page.locator("tr", { hasText: "small" });
      assert.equal(await row.locator('[data-label="running"]').innerText(), "2 of 2 +3 ahead");
      await page.setViewportSize({ width: 1_010, height: 800 });
      await page.goto(url);
      await page.locator(".tile-note", { hasText: "3 claimed ahead" }).waitFor();
      const heightsOf = (selector: string) =>
        page.locator(selector).evaluateAll((all) => all.map((each) => each.clientHeight));
      assert.ok(new Set(await heightsOf(".tile-note")).size > 1, "a long note goes on in a second line");
      assert.equal(new Set(await heightsOf(".tile")).size, 1, "tiles of a row are of one height");
    });
  });

  it("counts a burst that is just over among what succeeded lately, and says how far it looked at failures", async () => {
    await withPage(browser, async (page, url, { store, clock }) => {
      await clock.advance(10 * 60_000);
      await page.goto(url);
      const note = "[data-tile=succeeded] .tile-note";
      await page.locator(note, { hasText: /^none since \d\d:\d\d$/ }).waitFor();
      const queue = "burst";
      const about = { name: "b", host: "h", pid: 1, version: "1", queues: [queue], names: ["m"], concurrency: 90 };
      const worker = await store.register(about, 60_000);
      await store.enqueue(Array.from({ length: 85 }, () => newJob({ name: "m", queue, maxAttempts: 1 })));
      const [lease] = await store.claim(worker, { wants: [{ queue, limit: 90 }], names: new Set(["m"]) });
      const outcomes = (lease?.jobs ?? []).map(({ id }, n) => {
        const error = JSON.stringify({ name: `Error${n < 67 ? "" : String.fromCodePoint(n)}`, message: "no" });
        return n < 25
          ? ({ job: id, type: "succeeded", ms: 1 } as const)
          : ({ job: id, type: "dead", ms: 1, error } as const);
      });
      await store.settle(worker, [{ lease: lease?.id ?? "", outcomes }]);
      await page.locator(note, { hasText: /^25 since \d\d:\d\d$/ }).waitFor();
      await page.goto(url);
      await page.getByText("Of the last 50 dead jobs; older ones are not looked at here.").waitFor();
      await page.getByText("The last 5 of ").waitFor();
    });
  });

  it("asks for nothing while it is hidden, and comes back", async () => {
    await withPage(browser, async (page, url) => {
      let requests = 0;
      page.on("request", () => requests++);
      await page.goto(url);
      await page.waitForSelector(".live-live");
      const hide = (hidden: boolean) =>
        page.evaluate((value) => {
          Object.defineProperty(document, "hidden", { value, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }, hidden);
      await hide(true);
      await page.waitForSelector(".live-hidden");
      requests = 0;
      const beat = await page.evaluate(
        () =>
          new Promise((resolve) => setTimeout(() => resolve(document.querySelector(".live-hidden") !== null), 2_500)),
      );
      assert.equal(beat, true);
      assert.equal(requests, 0);
      await hide(false);
      await page.waitForSelector(".live-live");
    });
  });

  it("pauses and resumes a queue", async () => {
    await withPage(browser, async (page, url, busy) => {
      await page.goto(url);
      await page.getByRole("button", { name: "Pause the queue mail" }).click();
      await page.getByRole("button", { name: "Resume the queue mail" }).waitFor();
      assert.notEqual((await busy.store.counts()).queues.find((queue) => queue.queue === "mail")?.paused, null);
      await page.getByRole("button", { name: "Resume the queue mail" }).click();
      await page.getByRole("button", { name: "Pause the queue mail" }).waitFor();
      assert.equal((await busy.store.counts()).queues.find((queue) => queue.queue === "mail")?.paused, null);
    });
  });

  it("tells a job's story, keeps its data closed until asked, and retries it", async () => {
    await withPage(browser, async (page, url, busy) => {
      await page.goto(`${url}jobs?state=dead`);
      await page.locator(`a[href="job?id=${busy.dead}"]`).first().click();
      await page.getByRole("heading", { name: "email.receipt" }).waitFor();
      assert.match(page.url(), new RegExp(`/admin/jobs/job\\?id=${busy.dead}$`));
      assert.match(
        await text(page, ".timeline"),
        /Enqueued[\s\S]*Attempt 1 failed for good[\s\S]*SmtpError \[EENVELOPE\]/,
      );
      assert.doesNotMatch(await page.content(), /kari@example|9007199254740993/);
      await page.locator("summary", { hasText: "Input" }).click();
      await page.getByText('"order": 9007199254740993').waitFor();
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "PRE", "the keyboard scrolls it");
      assert.match(await text(page, ".data pre"), /"token": "\[redacted\]"/);
      await page.getByRole("button", { name: "Retry" }).click();
      await page.locator("h1 .state-ready").waitFor();
      assert.equal((await busy.store.getJob(busy.dead))?.state, "ready");
      assert.ok(await page.locator("details.data[open]").count(), "what was open stays open");
    });
  });

  it("says of what runs by which process and since when, in the list and on the job's page", async () => {
    for (const width of [1_280, 390]) {
      await withPage(
        browser,
        async (page, url, { store, clock, running }) => {
          await page.goto(`${url}jobs?state=running`);
          const row = page.locator("tbody tr").filter({ has: page.locator(`a[href$="id=${running}"]`) });
          assert.match(await row.locator('[data-label="runs on"]').innerText(), /^shop@web-1\s+pid 4711 on web-1$/);
          assert.match(await row.locator('[data-label="claimed"]').innerText(), /ago$/);
          await row.locator("a").click();
          const standing = /^Claimed .+ ago by shop@web-1 pid 4711 on web-1\.$/;
          await page.locator(".standing", { hasText: standing }).waitFor();
          assert.match(await text(page, ".facts"), /Runs on\s+shop@web-1\s+pid 4711 on web-1/i);
          for (const { id } of await store.listInstances()) await store.heartbeat(id, 1);
          await clock.advance(2);
          await page.goto(`${url}jobs?state=running`);
          await row.locator('[data-label="runs on"]', { hasText: "expired" }).waitFor();
          await row.locator("a").click();
          await page.locator(".standing", { hasText: /4711 on web-1 expired\.$/ }).waitFor();
        },
        { width },
      );
    }
  });

  it("asks before it cancels", async () => {
    await withPage(browser, async (page, url, busy) => {
      await page.goto(`${url}job?id=${busy.running}`);
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "Keep it" }).click();
      await page.getByRole("button", { name: "Cancel" }).click();
      assert.equal((await busy.store.getJob(busy.running))?.cancelRequested, null);
      await page.getByRole("button", { name: "Yes, cancel it" }).click();
      await page.getByText("Asked to stop: Cancelled").waitFor();
      assert.match((await busy.store.getJob(busy.running))?.cancelRequested ?? "", /dashboard/);
    });
  });

  it("acts on several jobs at once, and pages on", async () => {
    await withPage(browser, async (page, url, busy) => {
      await page.goto(`${url}jobs?state=dead`);
      const dead = (await busy.store.counts()).finished.dead;
      const boxes = page.locator("tbody input[type=checkbox]");
      await boxes.nth(0).check();
      await boxes.nth(1).check();
      await page.getByRole("button", { name: "Retry 2 selected" }).click();
      await page.getByText("2 of 2 made ready again.").waitFor();
      assert.equal((await busy.store.listJobs({ state: "dead", limit: 500 })).items.length, dead - 2);
      await page.goto(`${url}jobs?state=ready&queue=reports`);
      await page.getByLabel("Select all on this page").check();
      const picked = await boxes.count();
      await page.getByRole("button", { name: `Cancel ${picked} selected` }).click();
      await page.getByRole("button", { name: "Keep them" }).click();
      assert.equal((await busy.store.counts()).finished.cancelled, 0);
      await page.getByRole("button", { name: `Cancel ${picked} selected` }).click();
      await page.getByRole("button", { name: `Yes, cancel ${picked}` }).click();
      await page.getByText(`${picked} cancelled.`).waitFor();
      assert.equal((await busy.store.counts()).finished.cancelled, picked);
      await page.goto(`${url}jobs?state=succeeded`);
      const first = await text(page, "tbody tr:first-child");
      await page.getByRole("link", { name: "Older" }).click();
      await page.getByRole("link", { name: "Newest" }).waitFor();
      assert.match(page.url(), /cursor=/);
      await page.goBack();
      await page.getByRole("link", { name: "Older" }).waitFor();
      await eventually(async () =>
        assert.equal((await text(page, "tbody tr:first-child")).split("\t")[1], first.split("\t")[1]),
      );
    });
  });

  it("says which of how many jobs it shows, and counts many when it is asked to", async () => {
    await withPage(browser, async (page, url, busy) => {
      const size = (expected: string) =>
        eventually(async () => assert.equal(await text(page, ".pager-size"), expected));
      const { finished } = await busy.store.counts();
      const all = finished.succeeded.toLocaleString("en");
      await page.goto(`${url}jobs?state=succeeded`);
      await size(`1–50 of ${all}`);
      await page.getByRole("link", { name: "Older" }).click();
      await size(`51–100 of ${all}`);
      await page.goto(`${url}jobs?state=dead&name=email.receipt`);
      await eventually(async () => {
        const shown = await page.locator("tbody tr").count();
        assert.ok(shown > 0);
        assert.equal(await text(page, ".pager-size"), `1–${shown} of ${shown}`);
      });
      assert.equal(await page.getByRole("button", { name: "Count them" }).count(), 0);
      await busy.store.enqueue(Array.from({ length: 10_050 }, () => newJob({ queue: "bulk" })));
      await page.goto(`${url}jobs?state=ready&queue=bulk`);
      await size("1–50 of more than 10,000");
      await page.getByRole("button", { name: "Count them" }).click();
      await size("1–50 of 10,050");
    });
  });

  it("keeps filters in the address, where back and reload find them", async () => {
    await withPage(browser, async (page, url) => {
      await page.goto(`${url}jobs?state=dead`);
      await page.waitForSelector(".live-live");
      await page.getByLabel("Name").fill("email.receipt");
      await page.getByRole("button", { name: "Filter" }).click();
      await page.waitForURL(/name=email\.receipt/);
      await page.getByLabel("Queue").selectOption("mail");
      await page.waitForURL(/queue=mail/);
      await page.reload();
      assert.equal(await page.getByLabel("Name").inputValue(), "email.receipt");
      assert.equal(await page.getByLabel("Queue").inputValue(), "mail");
      for (const row of await page.locator("tbody tr").allInnerTexts()) assert.match(row, /email\.receipt/);
      await page.goBack();
      await page.waitForURL((at) => !at.search.includes("queue="));
      await page.goto(`${url}jobs?state=dead&name=nobody`);
      await page.getByText("No dead job matches.").waitFor();
    });
  });

  it("can be used with the keyboard alone", async () => {
    await withPage(browser, async (page, url) => {
      await page.goto(url);
      await page.waitForSelector(".tiles");
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to the content");
      for (let presses = 0; presses < 4; presses++) await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Schedules");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Schedules", exact: true }).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.id), "content");
    });
  });

  it("keeps focus, text being typed and opened details through refreshes, and nothing jumps", async () => {
    await withPage(browser, async (page, url, busy) => {
      await page.goto(url);
      await page.waitForSelector(".live-live");
      await page.locator("summary", { hasText: "Figures" }).click();
      await page.getByRole("button", { name: "Pause the queue mail" }).focus();
      await page.evaluate(() => {
        const shifts: number[] = [];
        Object.assign(window, { shifts });
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) {
            shifts.push((entry as PerformanceEntry & { readonly value: number }).value);
          }
        }).observe({ type: "layout-shift" });
      });
      const before = await text(page, "[data-tile=ready] .tile-value");
      await busy.store.enqueue([
        { name: "email.welcome", queue: "mail", priority: 0, input: "{}", maxAttempts: 1, maxCrashes: 1 },
      ]);
      await eventually(async () => assert.notEqual(await text(page, "[data-tile=ready] .tile-value"), before));
      assert.equal(await page.locator("details.figures[open]").count(), 1);
      assert.equal(
        await page.evaluate(() => document.activeElement?.getAttribute("aria-label")),
        "Pause the queue mail",
      );
      assert.deepEqual(await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts), []);
      await page.goto(`${url}jobs?state=ready`);
      await page.getByLabel("Name").fill("half a na");
      const count = await text(page, ".tab.state-ready .tab-count");
      await busy.store.enqueue([
        { name: "email.welcome", queue: "mail", priority: 0, input: "{}", maxAttempts: 1, maxCrashes: 1 },
      ]);
      await eventually(async () => assert.notEqual(await text(page, ".tab.state-ready .tab-count"), count));
      assert.equal(await page.getByLabel("Name").inputValue(), "half a na");
    });
  });

  it("shows a reader no buttons that the server would refuse", async () => {
    await withPage(
      browser,
      async (page, url, busy) => {
        for (const path of ["", "jobs?state=dead", `job?id=${busy.dead}`, "schedules"]) {
          await page.goto(url + path);
          await page.waitForSelector("main .card");
          const names = await page.locator("main button").allInnerTexts();
          assert.deepEqual(
            names.filter((name) => name !== "Filter"),
            [],
            path,
          );
        }
        await page.getByText("read only").waitFor();
      },
      { authorize: () => "read" },
    );
  });

  it("breaks no word on a phone where a cell says several things", async () => {
    const facts = { doing: "waiting for the next occurrence", heartbeat: "12 s ago" };
    const row = { state: "running", mood: "good" as const, since: 0, restarts: 0, lastError: null };
    const services = () => [{ ...row, name: "jobs.scheduler", facts }];
    await withPage(
      browser,
      async (page, url) => {
        await page.goto(`${url}services`);
        const words = page.locator(".pair .quiet");
        await words.first().waitFor();
        const lines = await words.evaluateAll((all) => all.map((word) => word.getClientRects().length));
        assert.deepEqual(lines, [1, 1]);
      },
      { width: 390, services },
    );
  });

  it("fits a phone: no page is wider than the screen", async () => {
    const services = () => [
      {
        name: "TableMonitorWithALongName",
        state: "backing-off",
        mood: "bad" as const,
        since: 0,
        restarts: 12,
        lastError: { at: null, message: "x".repeat(300) },
        facts: { doing: "y".repeat(200) },
      },
    ];
    await withPage(
      browser,
      async (page, url, busy) => {
        for (const path of [
          "",
          "jobs?state=dead",
          `job?id=${busy.dead}`,
          "schedules",
          "schedule?id=clean-up",
          "services",
          "instances",
        ]) {
          await page.goto(url + path);
          await page.waitForSelector("main .card");
          const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
          assert.ok((wide ?? 0) <= (screen ?? 0), `${path} is ${wide} wide on ${screen}`);
        }
      },
      { width: 360, services },
    );
  });

  it("has on a phone a box to tick beside each job's name, and nothing that a finger misses", async () => {
    await withPage(
      browser,
      async (page, url, busy) => {
        await page.goto(`${url}jobs?state=dead`);
        const row = page.locator("tbody tr").first();
        await row.waitFor();
        const [tick, name] = await Promise.all([
          row.locator("label.tick").boundingBox(),
          row.locator("a.name").boundingBox(),
        ]);
        assert.ok(tick !== null && name !== null);
        const middle = (box: { readonly y: number; readonly height: number }) => box.y + box.height / 2;
        assert.ok(tick.x + tick.width <= name.x && Math.abs(middle(tick) - middle(name)) < 3, "on the name's own line");
        // In the corner of what a finger meets, beside the box itself.
        await page.mouse.click(tick.x + 2, tick.y + 2);
        assert.ok(await row.getByRole("checkbox").isChecked());
        for (const path of ["", "jobs?state=dead", `job?id=${busy.dead}`, "schedules", "schedule?id=clean-up"]) {
          await page.goto(url + path);
          await page.waitForSelector("main .card");
          const small = await page
            .locator(
              "#top a, main a, main button, main summary, main select, main input:not([type=checkbox]), main label",
            )
            .evaluateAll((all) =>
              all
                .map((each) => ({ text: each.outerHTML.slice(0, 80), box: each.getBoundingClientRect() }))
                .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24))
                .map(({ text, box }) => `${text}: ${box.width} x ${box.height}`),
            );
          assert.deepEqual(small, [], path);
        }
      },
      { width: 360 },
    );
  });

  it("says what is wrong when a job is gone or the server is, and finds back", async () => {
    await withPage(
      browser,
      async (page, url) => {
        await page.goto(`${url}job?id=none`);
        await page.getByText("There is no job none.").waitFor();
        await page.getByRole("link", { name: "Overview" }).click();
        await page.waitForSelector(".tiles");
        await page.route("**/api/**", (route) => route.abort());
        await page.getByRole("link", { name: "Instances", exact: true }).click();
        await page.getByText(`The application does not answer at ${new URL(url).host}.`).waitFor();
        await page.getByRole("button", { name: "Try again" }).waitFor();
        await page.unroute("**/api/**");
        await page.getByRole("button", { name: "Try again" }).click();
        await page.getByText("shop@web-1", { exact: true }).first().waitFor();
      },
      { allowed: /^console: Failed to load resource/ },
    );
  });
});
