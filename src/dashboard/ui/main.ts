/** The application in the browser: finds the page for the address, keeps it fresh, and follows links without loading anew. */
import type { AboutView, OperateApi, OverviewView } from "../api.ts";
import { operate, read } from "./client.ts";
import { render } from "./dom.ts";
import { type LiveState, startLive } from "./live.ts";
import type { Page, PageContext, PageFactory } from "./page.ts";
import { jobPage } from "./pages/job.ts";
import { jobsPage } from "./pages/jobs.ts";
import { overviewPage } from "./pages/overview.ts";
import { instancesPage, servicesPage } from "./pages/processes.ts";
import { editSchedulePage, newSchedulePage } from "./pages/schedule-form.ts";
import { schedulePage, schedulesPage } from "./pages/schedules.ts";
import { awayNote, Notices, topBar, troublePage } from "./shell.ts";

const PAGES: ReadonlyMap<string, PageFactory> = new Map([
  ["", overviewPage],
  ["jobs", jobsPage],
  ["job", jobPage],
  ["schedules", schedulesPage],
  ["schedule", schedulePage],
  ["newschedule", newSchedulePage],
  ["editschedule", editSchedulePage],
  ["services", servicesPage],
  ["instances", instancesPage],
]);
/** Between two loads of a page on which something moves, and of one on which nothing seems to. */
const FRESH = 2_000;
const STALE = 10_000;

const top = element("top");
const away = element("away");
const content = element("content");
const notices = new Notices(element("notices"));

let about: AboutView | null = null;
let overview: OverviewView | null = null;
/** What the store's clock is ahead of this browser's. */
let ahead = 0;
let live: LiveState = "connecting";
/** What is shown, and what takes its place once it is loaded. */
let page: Page | null = null;
let coming: Page | null = null;
let trouble: { readonly error: unknown } | null = null;
let loading: AbortController | undefined;
let loadedAt = 0;
let changed = false;

/** The last part of the address: pages lie side by side. */
function pageName(): string {
  return location.pathname.slice(location.pathname.lastIndexOf("/") + 1);
}

function show(): void {
  render(top, topBar(about, pageName(), live));
  render(away, awayNote(overview));
  if (trouble !== null)
    render(
      content,
      troublePage(trouble.error, { about, overview, now: Date.now() + ahead }, () => void load()),
    );
  else if (page !== null) render(content, page.view());
  const title = about?.title ?? "Nightshift";
  document.title = page === null ? title : `${page.title} · ${title}`;
}

/** Loads what the page shows. A load that is overtaken by another one is dropped. */
async function load(): Promise<void> {
  loading?.abort();
  const mine = new AbortController();
  loading = mine;
  content.setAttribute("aria-busy", "true");
  try {
    // The numbers bring the store's time, without which no page can say how long ago something was.
    const [known, numbers] = await Promise.all([
      about ?? read("api/about", {}, mine.signal),
      overview ?? read("api/overview", {}, mine.signal),
    ]);
    about = known;
    if (overview === null) take(numbers);
    const wanted = coming ?? page ?? makePage(about);
    coming = wanted;
    await wanted.load(mine.signal);
    if (loading !== mine) return;
    page = wanted;
    coming = null;
    trouble = null;
  } catch (error) {
    if (loading !== mine) return;
    trouble = { error };
  }
  loading = undefined;
  loadedAt = performance.now();
  changed = false;
  content.removeAttribute("aria-busy");
  show();
}

function contextFor(known: AboutView): PageContext {
  return {
    params: new URLSearchParams(location.search),
    about: known,
    overview: () => overview,
    now: () => Date.now() + ahead,
    update: show,
    go: navigate,
    say: (text) => notices.show(text),
    act,
  };
}

async function act<P extends keyof OperateApi>(
  path: P,
  body: OperateApi[P]["body"],
  done: string | ((answer: OperateApi[P]["answer"]) => string),
): Promise<void> {
  try {
    const answer = await operate(path, body);
    notices.show(typeof done === "string" ? done : done(answer));
    take(await read("api/overview", {}));
  } catch (error) {
    notices.show(error instanceof Error ? error.message : String(error), true);
  }
  await load();
}

function navigate(href: string): void {
  const target = new URL(href, location.href);
  if (target.href !== location.href) history.pushState(null, "", target);
  open();
  window.scrollTo(0, 0);
}

/** Shows the page of the present address, once it has something to show; what was there stays until then. */
function open(): void {
  coming = about === null ? null : makePage(about);
  render(top, topBar(about, pageName(), live));
  void load();
}

function makePage(known: AboutView): Page {
  return (PAGES.get(pageName()) ?? overviewPage)(contextFor(known));
}

function onBeat(next: OverviewView): void {
  changed ||= overview === null || movement(next) !== movement(overview);
  take(next);
  show();
  const age = performance.now() - loadedAt;
  if (loading === undefined && (changed ? age > FRESH : age > STALE)) void load();
}

function take(numbers: OverviewView): void {
  overview = numbers;
  ahead = numbers.now - Date.now();
}

/** What changes when any job moves. */
function movement({ queues, finished, retried }: OverviewView): string {
  return JSON.stringify([queues, finished, retried]);
}

document.addEventListener("click", (event) => {
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!plain || link === null || link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  navigate(link.href);
  content.focus({ preventScroll: true });
});
window.addEventListener("popstate", open);

open();
startLive(onBeat, (state) => {
  live = state;
  render(top, topBar(about, pageName(), live));
});

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element ${id}.`);
  return found;
}
