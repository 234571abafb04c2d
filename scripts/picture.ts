/** Makes the README's picture of the dashboard, in a real browser, from a store that is the same each time. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openPage, startBrowser } from "../test/support/browser.ts";
import { busyStore } from "../test/support/busy-store.ts";
import { serveDashboard } from "../test/support/serve-dashboard.ts";

const target = join(dirname(dirname(fileURLToPath(import.meta.url))), "docs", "images", "dashboard.png");
const busy = await busyStore();
await using served = await serveDashboard({ store: busy.store, path: "/jobs", title: "shop" });
await using browser = await startBrowser();
const { page, trouble } = await openPage(browser, { scale: 2 });
await page.goto(served.url);
await page.waitForSelector(".live-live");
await page.evaluate("document.fonts.ready");
mkdirSync(dirname(target), { recursive: true });
// Down to the end of the queues.
await page.screenshot({ path: target, animations: "disabled", clip: { x: 0, y: 0, width: 1280, height: 802 } });
if (trouble.length > 0) throw new Error(`The page misbehaved: ${trouble.join("; ")}`);
console.log(`Wrote ${target}`);
