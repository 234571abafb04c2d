/** What surrounds every page: the top bar, messages about what was done, and the page of errors. */
import type { AboutView, OverviewView } from "../api.ts";
import { ApiFailure } from "./client.ts";
import { type Child, h, render } from "./dom.ts";
import { absoluteTime, relative } from "./format.ts";
import type { LiveState } from "./live.ts";
import { hrefTo } from "./page.ts";
import { awayNames, awayShards, button } from "./parts.ts";

const MENU = [
  ["", "Overview"],
  ["jobs", "Jobs"],
  ["schedules", "Schedules"],
  ["services", "Services"],
  ["instances", "Instances"],
] as const;
/** Pages that belong to an entry of the menu without being it. */
const UNDER: Readonly<Record<string, string>> = {
  job: "jobs",
  schedule: "schedules",
  newschedule: "schedules",
  editschedule: "schedules",
};
const LIVE: Readonly<Record<LiveState, { readonly text: string; readonly title: string }>> = {
  connecting: { text: "connecting", title: "Connecting to the live numbers." },
  live: { text: "live", title: "The numbers move by themselves." },
  polling: {
    text: "every 5 s",
    title: "The live stream does not get through; the numbers are asked for every five seconds.",
  },
  hidden: { text: "resting", title: "Nothing is asked for while this page is hidden." },
  lost: {
    text: "no connection",
    title: "The application does not answer, or cannot reach its store; its log says why. The page goes on trying.",
  },
};
const NOTICE_FOR = 6_000;

/** The top bar. */
export function topBar(about: AboutView | null, page: string, live: LiveState): Child {
  const here = UNDER[page] ?? page;
  return [
    h("a", { href: hrefTo(""), class: "brand" }, logo(), h("span", null, about?.title ?? "Nightshift")),
    h(
      "nav",
      { "aria-label": "Pages", class: "menu" },
      MENU.map(([address, label]) =>
        h("a", { key: address, href: hrefTo(address), "aria-current": address === here ? "page" : undefined }, label),
      ),
    ),
    h(
      "div",
      { class: "status" },
      about !== null &&
        h("span", { class: "where", title: `${about.store.kind}: ${about.store.location}` }, about.store.kind),
      about?.role === "read" &&
        h("span", { class: "where", title: "You may look, but not change anything." }, "read only"),
      h("span", { class: `live live-${live}`, title: LIVE[live].title }, h("span", { class: "dot" }), LIVE[live].text),
    ),
  ];
}

function logo(): Child {
  return h(
    "svg",
    { viewBox: "0 0 32 32", width: 22, height: 22, "aria-hidden": "true", class: "logo" },
    h("rect", { width: 32, height: 32, rx: 7, class: "logo-sky" }),
    h("path", { d: "M21.5 20.6A9 9 0 0 1 12 7.6a9.2 9.2 0 1 0 11.6 12 9 9 0 0 1-2.1 1z", class: "logo-moon" }),
  );
}

/** Above every page while a database is away, since an empty list below would say that there is nothing. */
export function awayNote(overview: OverviewView | null): Child {
  const names = awayNames(overview);
  const which = names.length === 1 ? `The database ${names[0]} is` : `The databases ${names.join(", ")} are`;
  return (
    names.length > 0 &&
    h("p", { class: "away" }, `${which} away: what lives there is missing on these pages and in every number.`)
  );
}

/** Instead of a page that could not be loaded; it is loaded again with the next numbers that come. */
export function troublePage(error: unknown, known: Known, again: () => void): Child {
  return [
    h("h1", null, "This did not work"),
    h(
      "section",
      { class: "card" },
      h(
        "div",
        { class: "empty" },
        h("p", { class: "empty-title", role: "alert" }, reasonOf(error, known)),
        isPassing(error) && h("p", null, "This page goes on trying by itself."),
        h("p", { class: "empty-action" }, button("Try again", again)),
      ),
    ),
  ];
}

/** What the page knows besides the error: nothing, when it could load nothing so far. */
export interface Known {
  readonly about: AboutView | null;
  readonly overview: OverviewView | null;
  readonly now: number;
}

/** The server's message names no place, since it may go to anybody; what the page was shown before may be named here. */
function reasonOf(error: unknown, { about, overview, now }: Known): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ApiFailure) || error.code !== "NS_STORE_UNAVAILABLE" || about === null || overview === null)
    return message;
  const since = (at: number) => `${absoluteTime(at)} (${relative(at, now)})`;
  const away = awayShards(overview);
  if (away.length > 0) {
    const each = away.map((shard) => `${shard.name}, since ${since(shard.since)}`).join("; ");
    const where =
      away.length === 1 ? "a database that cannot be reached" : "one of the databases that cannot be reached";
    return `What you asked for lives on ${where}: ${each}.`;
  }
  const { kind, location } = about.store;
  return `The store cannot be reached: ${kind}, ${location}. It last answered ${since(overview.now)}. The log has the details.`;
}

/** Whether trying again may help without anybody doing anything here. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiFailure && (error.status === 0 || error.status === 503);
}

/** Shows short messages below, each for a few seconds. */
export class Notices {
  readonly #element: Element;
  readonly #shown = new Map<number, { readonly text: string; readonly bad: boolean }>();
  #next = 0;

  constructor(element: Element) {
    this.#element = element;
  }

  show(text: string, bad = false): void {
    const id = this.#next++;
    this.#shown.set(id, { text, bad });
    this.#render();
    setTimeout(() => this.#close(id), bad ? NOTICE_FOR * 2 : NOTICE_FOR);
  }

  #close(id: number): void {
    if (this.#shown.delete(id)) this.#render();
  }

  #render(): void {
    render(
      this.#element,
      [...this.#shown].map(([id, { text, bad }]) =>
        h("p", { key: String(id), class: bad ? "notice bad" : "notice", role: bad ? "alert" : undefined }, text),
      ),
    );
  }
}
