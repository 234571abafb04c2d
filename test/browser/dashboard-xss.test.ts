/** S7, S9: hostile texts wherever a user's text can be, seen on every page as nothing but text. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import type { NewJob, Store } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { systemClock } from "../../src/time/index.ts";
import { startBrowser, usePage } from "../support/browser.ts";
import { HOSTILE_TEXTS } from "../support/hostile-texts.ts";
import { serveDashboard } from "../support/serve-dashboard.ts";

/** A store in which every text of a user is hostile, in every state that a job can have here. */
async function hostileStore(): Promise<{ store: Store; ids: readonly string[] }> {
  const store = memory();
  await store.open({ clock: systemClock, logger: silentLogger });
  const jobs = HOSTILE_TEXTS.map(
    (text): NewJob => ({
      name: text,
      queue: text,
      priority: 0,
      input: JSON.stringify({ [text]: text, list: [text] }),
      meta: JSON.stringify({ [text]: text }),
      maxAttempts: 3,
      maxCrashes: 3,
    }),
  );
  const [worst = ""] = HOSTILE_TEXTS;
  const instance = await store.register(
    { name: worst, host: worst, pid: 1, version: worst, queues: HOSTILE_TEXTS, names: HOSTILE_TEXTS, concurrency: 5 },
    3_600_000,
  );
  await store.campaign(worst, worst, 3_600_000);
  const ids: string[] = [];
  const claim = () =>
    store.claim(instance, {
      wants: HOSTILE_TEXTS.map((queue) => ({ queue, limit: 1 })),
      names: new Set(HOSTILE_TEXTS),
    });
  for (const what of ["dead", "succeeded", "retry"] as const) {
    ids.push(...(await store.enqueue(jobs)));
    for (const lease of await claim()) {
      await store.settle(instance, [
        {
          lease: lease.id,
          outcomes: lease.jobs.map(({ id, name }) => {
            const error = JSON.stringify({
              name,
              message: name,
              code: name,
              stack: name,
              cause: { name, message: name, stack: name },
            });
            if (what === "succeeded") return { job: id, type: what, ms: 1, result: JSON.stringify({ [name]: name }) };
            return what === "dead"
              ? { job: id, type: what, ms: 1, error }
              : { job: id, type: what, ms: 1, in: 3_600_000, error };
          }),
        },
      ]);
    }
  }
  ids.push(...(await store.enqueue(jobs)));
  await store.cancel(ids.slice(-5), worst);
  for (const queue of HOSTILE_TEXTS) await store.pauseQueue(queue, queue);
  await store.saveSchedules(
    HOSTILE_TEXTS.map((text) => ({
      id: text,
      group: text,
      source: "dynamic",
      job: text,
      definition: JSON.stringify(text),
      nextAt: 4_102_444_800_000,
      paused: false,
    })),
  );
  for (const schedule of HOSTILE_TEXTS) {
    const occurrences = [{ at: 1, what: "skipped" as const, reason: schedule }];
    await store.fire([{ schedule, revision: 1, occurrences, nextAt: 4_102_444_800_000 }], schedule);
  }
  return { store, ids };
}

describe("S7, S9: hostile texts in a browser", () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());

  it("are shown as text on every page, and nothing else comes of them", async () => {
    const { store, ids } = await hostileStore();
    const [worst = ""] = HOSTILE_TEXTS;
    const services = () =>
      HOSTILE_TEXTS.map((text) => ({
        name: text,
        state: text,
        mood: "bad" as const,
        since: 0,
        restarts: 1,
        lastError: { at: 0, message: text },
        facts: { [text]: text },
      }));
    const schedules = {
      describe: () => ({
        trigger: worst,
        expression: worst,
        timeZone: worst,
        misfire: worst,
        overlap: worst,
        queue: worst,
      }),
      upcoming: async () => [1_800_000_000_000],
      pause: async () => undefined,
      resume: async () => undefined,
      pausedGroups: async () => [worst],
      pauseGroup: async () => 0,
      resumeGroup: async () => 0,
      trigger: async () => null,
    };
    await using served = await serveDashboard({ store, title: worst, services, schedules });
    const step = HOSTILE_TEXTS.length;
    const someJobs = [3, 12, 25, 33].flatMap((n) => [ids[n], ids[step + n], ids[2 * step + n]]);
    const addresses = [
      "",
      ...["ready", "scheduled", "succeeded", "dead", "cancelled"].map((state) => `jobs?state=${state}`),
      `jobs?state=dead&queue=${encodeURIComponent(worst)}&name=${encodeURIComponent(worst)}`,
      ...someJobs.map((id) => `job?id=${id}`),
      "schedules",
      ...HOSTILE_TEXTS.slice(0, 3).map((id) => `schedule?id=${encodeURIComponent(id)}`),
      "services",
      "instances",
    ];
    await usePage(browser, async (page) => {
      for (const address of addresses) {
        await page.goto(served.url + address);
        await page.waitForSelector("main .card");
        await page.evaluate(() => {
          for (const details of document.querySelectorAll("details")) details.open = true;
        });
        if (address.startsWith("job?")) await page.locator(".data pre").first().waitFor();
        const planted = await page.evaluate(() => ({
          elements: [
            ...document.body.querySelectorAll(
              "script, img, iframe, object, embed, link, meta, base, style, audio, video, animate, math",
            ),
          ].length,
          handlers: [...document.querySelectorAll("*")].filter((each) =>
            each.getAttributeNames().some((name) => name.startsWith("on") || name === "style"),
          ).length,
          links: [...document.querySelectorAll("a")]
            .map((link) => link.href)
            .filter((href) => !href.startsWith(location.origin)),
          polluted: Object.keys(Object.prototype).length,
        }));
        assert.deepEqual(planted, { elements: 0, handlers: 0, links: [], polluted: 0 }, address);
      }
      await page.goto(`${served.url}services`);
      await page.waitForSelector("td .name");
      const shown = new Set(await page.locator("td .name").allTextContents());
      assert.deepEqual(
        HOSTILE_TEXTS.filter((text) => !shown.has(text)),
        [],
        "each is there, letter by letter",
      );
    });
    await store.close();
  });
});
