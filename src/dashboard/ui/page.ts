/** What a page is, and what the application lends it. */
import type { AboutView, OperateApi, OverviewView } from "../api.ts";
import type { Child } from "./dom.ts";

/** What a page may use. */
export interface PageContext {
  /** The query of its address: all of a page's lasting state. */
  readonly params: URLSearchParams;
  readonly about: AboutView;
  /** The newest live numbers, once there are some. */
  overview(): OverviewView | null;
  /** The store's time now, as well as it is known. */
  now(): number;
  /** Shows the page anew, after its own state changed. */
  update(): void;
  /** Goes to an address of the dashboard. */
  go(href: string): void;
  /** Shows a message for a few seconds. */
  say(text: string): void;
  /** Does something, says how it went, and loads the page anew. */
  act<P extends keyof OperateApi>(
    path: P,
    body: OperateApi[P]["body"],
    done: string | ((answer: OperateApi[P]["answer"]) => string),
  ): Promise<void>;
}

/** A page that is shown. */
export interface Page {
  readonly title: string;
  /** Gets what it shows; called again while it is shown, to keep it fresh. */
  load(signal: AbortSignal): Promise<void>;
  view(): Child;
}

/** Makes a page for an address. */
export type PageFactory = (context: PageContext) => Page;

/** An address of the dashboard. */
export function hrefTo(page: string, query: Readonly<Record<string, string | null | undefined>> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value);
  const text = parameters.toString();
  return `${page === "" ? "./" : page}${text === "" ? "" : `?${text}`}`;
}
