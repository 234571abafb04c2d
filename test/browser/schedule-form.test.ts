/** Writing schedules on the dashboard, as a person does it: in a real browser, against a running application. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { cron, recurrence, triggerFromJSON } from "../../src/time/index.ts";
import { startBrowser, usePage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { HOSTILE_TEXTS } from "../support/hostile-texts.ts";
import { type ScheduleApp, scheduleApp } from "../support/schedule-app.ts";

/** The browser itself says that a request was refused. */
const REFUSED = /^console: Failed to load resource: .* 4(?:00|09)/;

async function withApp(browser: Browser, test: (page: Page, app: ScheduleApp) => Promise<void>, width = 1280) {
  await using app = await scheduleApp();
  await eventually(async () => assert.ok(await app.host.schedules.get("nightly")));
  await usePage(browser, (page) => test(page, app), { width, allowed: REFUSED });
}

const field = (page: Page, label: string) => page.getByLabel(label, { exact: true });

describe("writing schedules in a browser", () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());

  it("pauses and resumes a group, which takes what is added to it along", async () => {
    await withApp(browser, async (page, app) => {
      const { url, host } = app;
      const common = { trigger: cron("0 6 * * *"), group: "reports" };
      await host.schedules.create({ id: "weekly", overlap: "skip", ...common, job: app.cleanUp });
      await page.goto(`${url}schedule?id=weekly`);
      await page.getByText("The next one is left out.").waitFor();
      await page.getByText("One job for all that was missed").waitFor();
      await page.getByRole("link", { name: "reports" }).click();
      await page.getByRole("button", { name: "Pause group" }).click();
      await page.getByText("reports: 1 schedule paused.").waitFor();
      await page.getByText("paused as a whole").waitFor();
      assert.equal((await host.schedules.create({ id: "monthly", ...common, job: app.cleanUp })).paused, true);

      await page.getByRole("link", { name: "All schedules" }).click();
      await page.getByText("Paused as a whole: reports.").getByRole("link", { name: "reports" }).click();
      await page.getByRole("button", { name: "Resume group" }).click();
      await page.getByText("reports: 2 schedules resumed.").waitFor();
      await page.getByRole("button", { name: "Pause group" }).waitFor();
      assert.deepEqual(await host.schedules.pausedGroups(), []);
      assert.equal((await host.schedules.get("monthly"))?.paused, false);
    });
  });

  it("makes one, sees it fire, changes it and removes it", async () => {
    await withApp(browser, async (page, { url, host }) => {
      await page.goto(`${url}schedules`);
      await page.getByRole("link", { name: "New schedule" }).click();
      await page.getByRole("heading", { name: "New schedule" }).waitFor();
      await field(page, "Id").fill("digest:kari");
      await field(page, "Job").selectOption("email.digest");
      await field(page, "Input").fill('{ "to": 5 }');
      await field(page, "Cron expression").fill("61 * * * *");
      await page.getByText('"61 * * * *": minute is 0-59, got 61 at column 1.').waitFor();
      await field(page, "Cron expression").fill("* * * * * *");
      await page.locator(".next .fires li").nth(4).waitFor();
      assert.match(await page.locator(".next .fires").innerText(), /\+0[12]:00/);

      await page.getByRole("button", { name: "Create schedule" }).click();
      await page.getByText('The input of job "email.digest" is not valid: to: Expected text.').waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.id), "field-input");
      assert.equal(await host.schedules.get("digest:kari"), null);
      await field(page, "Input").fill('{ "to": "kari" }');
      await page.getByRole("button", { name: "Create schedule" }).click();

      await page.getByRole("heading", { name: "digest:kari" }).waitFor();
      await page.getByRole("link", { name: "its job" }).first().waitFor();
      assert.match(await page.locator(".facts").innerText(), /at run time/);

      await page.getByRole("link", { name: "Edit" }).click();
      await page.getByRole("heading", { name: "Edit digest:kari" }).waitFor();
      // It fires all the while: that alone makes no change stale.
      const opened = (await host.schedules.get("digest:kari"))?.revision ?? 0;
      await eventually(async () => assert.ok(((await host.schedules.get("digest:kari"))?.revision ?? 0) > opened));
      await field(page, "Cron expression").fill("0 3 * * MON");
      await field(page, "Time zone").fill("America/New_York");
      await field(page, "When the previous job is not over").selectOption("skip");
      await page.locator(".next .fires").getByText("-05:00").or(page.getByText("-04:00")).first().waitFor();
      await page.getByRole("button", { name: "Save changes" }).click();
      await page.getByText("digest:kari was changed.").waitFor();
      const { settings } = (await host.schedules.get("digest:kari")) ?? {};
      assert.deepEqual([settings?.overlap, settings?.input], ["skip", { to: "kari" }]);

      await page.getByRole("button", { name: "Remove" }).click();
      await page.getByRole("button", { name: "Keep it" }).click();
      await page.getByRole("button", { name: "Remove" }).click();
      await page.getByRole("button", { name: "Yes, remove it and its history" }).click();
      await page.getByRole("heading", { name: "Schedules", exact: true }).waitFor();
      await page.getByText("digest:kari was removed.").waitFor();
      assert.equal(await host.schedules.get("digest:kari"), null);
      assert.equal(await page.getByRole("link", { name: "digest:kari" }).count(), 0);
    });
  });

  it("says plainly that somebody else was faster, and lets the person choose", async () => {
    await withApp(browser, async (page, { url, host }) => {
      await page.goto(`${url}newschedule`);
      await field(page, "Id").fill("sweep");
      await field(page, "Cron expression").fill("0 3 * * *");
      await page.getByLabel(/Start paused/).check();
      await page.getByRole("button", { name: "Create schedule" }).click();
      await page.locator("h1", { hasText: "paused" }).waitFor();
      await page.goto(`${url}editschedule?id=sweep`);
      await field(page, "Description").fill("mine");
      await host.schedules.update("sweep", { overlap: "replace" });
      await page.getByRole("button", { name: "Save changes" }).click();
      await page
        .getByText(/Somebody changed this schedule since you opened it: what becomes of overlaps\. Nothing was saved/)
        .waitFor();
      assert.equal((await host.schedules.get("sweep"))?.settings?.description, null);
      await page.getByRole("button", { name: "Start from the newer one" }).click();
      assert.equal(await field(page, "When the previous job is not over").inputValue(), "replace");
      assert.equal(await field(page, "Description").inputValue(), "");
      await field(page, "Description").fill("mine after all");
      await page.getByRole("button", { name: "Save changes" }).click();
      await page.getByText("sweep was changed.").waitFor();
      assert.equal((await host.schedules.get("sweep"))?.settings?.overlap, "replace");
    });
  });

  it("changes the input only when asked to", async () => {
    await withApp(browser, async (page, { url, host }) => {
      await page.goto(`${url}newschedule`);
      await field(page, "Id").fill("digest");
      await field(page, "Job").selectOption("email.digest");
      await field(page, "Input").fill('{ "to": "kari" }');
      await field(page, "Cron expression").fill("0 3 * * *");
      await page.getByRole("button", { name: "Create schedule" }).click();
      await page.getByRole("link", { name: "Edit" }).click();
      await page.getByRole("button", { name: "Change the input" }).click();
      await eventually(async () => assert.match(await field(page, "Input").inputValue(), /"kari"/));
      const revision = (await host.schedules.get("digest"))?.revision;
      await page.getByRole("button", { name: "Save changes" }).click();
      await page.getByRole("link", { name: "Edit" }).click();
      assert.equal((await host.schedules.get("digest"))?.revision, revision, "what was only looked at is not written");
      await page.getByRole("button", { name: "Change the input" }).click();
      await field(page, "Input").fill('{ "to": "ola" }');
      await host.schedules.update("digest", { misfire: "skip" });
      await page.getByRole("button", { name: "Save changes" }).click();
      await page.getByText(/Somebody changed this schedule since you opened it/).waitFor();
      await page.getByRole("button", { name: "Save my changes on top" }).click();
      await page.getByRole("heading", { name: "digest" }).waitFor();
      await eventually(async () =>
        assert.deepEqual((await host.schedules.get("digest"))?.settings?.input, { to: "ola" }),
      );
    });
  });

  it("writes triggers of every kind, keeps what has no field, and opens them again as they were written", async () => {
    await withApp(browser, async (page, { url, host }) => {
      const kinds: [string, Record<string, string>, RegExp][] = [
        ["interval", { Every: "90m", From: "2030-01-01T09:00" }, /^every 5400000ms from 2030-01-01T08:00:00\.000Z$/],
        [
          "calendar-interval",
          { Every: "2", From: "2030-01-31T09:00" },
          /^every 2 day from 2030-01-31T09:00:00 in Europe\/Oslo$/,
        ],
        [
          "daily-interval",
          { Every: "10m", On: "mon, tue" },
          /^every 600000ms from 09:00 to 17:00 on MON,TUE in Europe\/Oslo$/,
        ],
        [
          "recurrence",
          { Rule: "FREQ=MONTHLY;BYDAY=-1FR", From: "2030-01-01T09:00" },
          /^FREQ=MONTHLY;BYDAY=-1FR from 2030-01-01T09:00:00 in/,
        ],
        ["once", { At: "2030-07-01T17:00" }, /^once at 2030-07-01T15:00:00\.000Z$/],
        ["json", { Trigger: '{ "type": "any-of", "triggers": [{ "type": "interval", "every": 60000 }] }' }, /^any of/],
      ];
      const triggerOf = async (id: string) => {
        const stored = (await host.schedules.get(id))?.settings?.trigger;
        return stored === undefined ? "" : String(triggerFromJSON(stored));
      };
      for (const [kind, fields, expected] of kinds) {
        await page.goto(`${url}newschedule`);
        await field(page, "Id").fill(kind);
        await field(page, "Kind").selectOption(kind);
        await page.getByRole("button", { name: "Create schedule" }).click();
        await page.locator(".problem:not([hidden])").first().waitFor();
        for (const [label, value] of Object.entries(fields)) await field(page, label).fill(value);
        await page.locator(".next .fires li").first().waitFor();
        await page.getByRole("button", { name: "Create schedule" }).click();
        await page.getByRole("heading", { name: kind }).waitFor();
        assert.match(await triggerOf(kind), expected);
        await page.goto(`${url}editschedule?id=${kind}`);
        await field(page, "Description").fill("looked at");
        const revision = (await host.schedules.get(kind))?.revision;
        await page.getByRole("button", { name: "Save changes" }).click();
        await page.getByText(`${kind} was changed.`).waitFor();
        assert.match(await triggerOf(kind), expected, "what was not touched is not changed");
        assert.notEqual((await host.schedules.get(kind))?.revision, revision);
      }
      const exact = recurrence("FREQ=DAILY", { start: "2030-01-01T09:00:30", exclude: ["2030-01-02"] });
      await host.schedules.update("recurrence", { trigger: exact });
      await page.goto(`${url}editschedule?id=recurrence`);
      await field(page, "Rule").fill("FREQ=WEEKLY");
      await page.getByRole("button", { name: "Save changes" }).click();
      await page.getByText("recurrence was changed.").waitFor();
      assert.equal(await triggerOf("recurrence"), "FREQ=WEEKLY from 2030-01-01T09:00:30 exclude 2030-01-02");
    });
  });

  it("says why a schedule of the code cannot be edited", async () => {
    await withApp(browser, async (page, { url }) => {
      await page.goto(`${url}schedule?id=nightly`);
      await page.getByText(/Declared in the application's code, so it is edited and removed there/).waitFor();
      assert.equal(await page.getByRole("link", { name: "Edit" }).count(), 0);
      assert.equal(await page.getByRole("button", { name: "Remove" }).count(), 0);
      await page.goto(`${url}editschedule?id=nightly`);
      await page.getByText("This schedule is declared in code.").waitFor();
    });
  });

  it("S7: shows what was typed and what is wrong with it as text, and fits a phone", async () => {
    await withApp(
      browser,
      async (page, { url }) => {
        await page.goto(`${url}newschedule`);
        for (const text of HOSTILE_TEXTS) {
          await field(page, "Id").fill(text.slice(0, 200));
          await field(page, "Input").fill(text);
          await field(page, "Time zone").fill(text);
          await field(page, "Cron expression").fill(text);
          await page.getByRole("button", { name: "Create schedule" }).click();
          await page.locator(".problem:not([hidden]), .form-failure").first().waitFor();
        }
        const [planted, wide, screen] = await page.evaluate(() => [
          document.querySelectorAll("main :is(script, img, iframe, svg, style, object, a[href^=http])").length,
          document.documentElement.scrollWidth,
          window.innerWidth,
        ]);
        assert.equal(planted, 0);
        assert.ok((wide ?? 0) <= (screen ?? 0), `${wide} wide on ${screen}`);
      },
      360,
    );
  });
});
