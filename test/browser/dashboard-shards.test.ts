/** The dashboard over a store of several databases, in a real browser. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import type { Browser } from "playwright-core";
import { silentLogger } from "../../src/telemetry/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { newJob, openSharded, Place, process1, TTL, wants } from "../store/sharded/support.ts";
import { startBrowser, usePage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { serveDashboard } from "../support/serve-dashboard.ts";

let browser: Browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser.close());

const REFUSED = /^console: Failed to load resource/;

it("shows the jobs of all databases as one list, opens each, and names the database that is away", async () => {
  const { store, places, clock } = await openSharded({ names: ["a", "b"] });
  for (let n = 0; n < 90; n++) {
    await store.enqueue([newJob({ queue: n % 2 ? "at-a" : "at-b", name: `job-${String(n).padStart(2, "0")}` })]);
    await clock.advance(10);
  }
  const me = await store.register(process1, TTL * 1_000);
  await store.claim(me, wants("at-a", "at-b"));
  await using served = await serveDashboard({ store, path: "/jobs" });
  await usePage(browser, async (page) => {
    await page.goto(`${served.url}jobs?state=ready`);
    const names = () => page.locator("tbody a.name").allInnerTexts();
    await eventually(async () => assert.ok((await names()).length > 20));
    const first = await names();
    assert.deepEqual(first, first.toSorted().toReversed());
    await page
      .getByRole("link", { name: "Older" })
      .or(page.getByRole("button", { name: "Older" }))
      .first()
      .click();
    await eventually(async () => assert.notEqual((await names())[0], first[0]));
    const second = await names();
    assert.ok((second[0] ?? "") < (first.at(-1) ?? ""), `${second[0]} follows ${first.at(-1)}`);
    await page.locator("tbody a.name").first().click();
    await page.waitForURL(/job\?id=[ab]\./);
    await page
      .getByText(second[0] ?? "", { exact: true })
      .first()
      .waitFor();
    await page.goto(served.url);
    const databases = page.locator("section.card", { hasText: "Databases" });
    await databases.waitFor();
    assert.equal(await databases.getByText("online", { exact: true }).count(), 2);
    places["b"]?.cut();
    await store.counts();
    await databases.getByText("away", { exact: true }).waitFor();
    await page.goto(served.url);
    await databases.getByText("away", { exact: true }).waitFor();
    await page
      .locator("section.card", { hasText: "The store needs care" })
      .getByText(/Shard b .* is away/)
      .waitFor();
    for (const address of ["", "schedules", "jobs?state=awaiting"]) {
      await page.goto(served.url + address);
      if (address !== "") await page.getByText(/^No .+ on the databases that answer\.$/).waitFor();
      await page.getByText("The database b is away: what lives there is missing on these pages").waitFor();
    }
    await page.goto(`${served.url}instances`);
    await page.getByText("one", { exact: true }).first().waitFor();
  });
  await store.close();
});

it("says of a job on a database that is away which one that is and since when, and shows the job when it is back", async () => {
  const { store, places, clock } = await openSharded({ names: ["a", "b"] });
  const [id = ""] = await store.enqueue([newJob({ queue: "at-b", name: "report.sales" })]);
  await using served = await serveDashboard({ store, path: "/jobs" });
  places["b"]?.cut();
  await store.counts();
  await clock.advance(180_000);
  await usePage(
    browser,
    async (page) => {
      await page.goto(`${served.url}job?id=${id}`);
      const since =
        /^What you asked for lives on a database that cannot be reached: b, since 1 Jan 2026.* \(3 min ago\)\.$/;
      await page.getByText(since).waitFor();
      await page.getByText("This page goes on trying by itself.").waitFor();
      assert.equal(await page.getByText("The log has the details").count(), 0);
      places["b"]?.heal();
      await page.getByRole("heading", { name: "report.sales" }).waitFor({ timeout: 20_000 });
    },
    { allowed: REFUSED },
  );
  await store.close();
});

it("says of the only store which one cannot be reached and when it last answered", async () => {
  const place = new Place();
  await place.store.open({ clock: new VirtualClock(), logger: silentLogger });
  await using served = await serveDashboard({ store: place.store, path: "/jobs" });
  await usePage(
    browser,
    async (page) => {
      await page.goto(served.url);
      await page.waitForSelector(".live-live");
      place.cut();
      await page.getByRole("link", { name: "Instances", exact: true }).click();
      const said =
        /^The store cannot be reached: memory, this process\. It last answered 1 Jan 2026.* The log has the details\.$/;
      await page.getByText(said).waitFor();
      place.heal();
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("heading", { name: "Instances" }).waitFor();
    },
    { allowed: REFUSED },
  );
  await place.data.close();
});
