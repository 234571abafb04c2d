/** The small parts that pages are put together from. */
import type { ErrorView, JobState, OverviewView, RunningOn } from "../api.ts";
import { type Child, h, type VNode } from "./dom.ts";
import { absoluteTime, relative } from "./format.ts";
import { hrefTo } from "./page.ts";

/** A column of a table. */
export interface Column<T> {
  readonly label: string;
  /**
   * `number` aligns right; `action` has buttons and `select` a box to tick, both without a visible heading; `wide` and
   * `middle` take what room there is.
   */
  readonly kind?: "text" | "number" | "action" | "select" | "wide" | "middle";
  cell(row: T): Child;
}

/** A table that becomes a list of cards on a narrow screen. */
export function table<T>(
  caption: string,
  columns: readonly Column<T>[],
  rows: readonly T[],
  keyOf: (row: T) => string,
): VNode {
  const head = columns.map((column) =>
    h(
      "th",
      { scope: "col", class: column.kind ?? "text" },
      column.kind === "action" || column.kind === "select"
        ? h("span", { class: "unseen" }, column.label)
        : column.label,
    ),
  );
  const body = rows.map((row) =>
    h(
      "tr",
      { key: keyOf(row) },
      columns.map((column) => h("td", { class: column.kind ?? "text", "data-label": column.label }, column.cell(row))),
    ),
  );
  return h(
    "div",
    { class: "table" },
    h(
      "table",
      null,
      h("caption", { class: "unseen" }, caption),
      h("thead", null, h("tr", null, head)),
      h("tbody", null, body),
    ),
  );
}

/** A moment: relative for the eye, absolute on hover and for machines. */
export function moment(at: number | null, now: number, none = "–"): VNode {
  if (at === null) return h("span", { class: "quiet" }, none);
  return h("time", { datetime: new Date(at).toISOString(), title: absoluteTime(at) }, relative(at, now));
}

const STATE_TITLES: Readonly<Record<JobState, string>> = {
  awaiting: "Waits for other jobs",
  scheduled: "Waits for its time; a retry's back-off included",
  blocked: "Waits for a place under its concurrency key",
  ready: "May be claimed now",
  running: "Claimed by a worker: its handler runs, or is the next to",
  succeeded: "Over",
  dead: "Attempts spent or a fatal error: needs a person",
  cancelled: "Over: somebody or something stopped it",
};

/** What a process holds beyond its slots: the store knows who holds a job, not whether its handler has begun. */
export const AHEAD = "Claimed ahead: they wait in their process for a free slot, and their handlers have not begun.";

/** A state in its colour; the word is always there, the colour only helps. */
export function stateBadge(state: JobState): VNode {
  return h("span", { class: `badge state-${state}`, title: STATE_TITLES[state] }, state);
}

/** A badge with a mood's colour. */
export function moodBadge(mood: "good" | "idle" | "bad" | "warn", text: string, title?: string): VNode {
  return h("span", { class: `badge mood-${mood}`, title }, text);
}

/** A job's name, leading to its page. */
export function jobLink(id: string, text: string): VNode {
  return h("a", { href: hrefTo("job", { id }), class: "name" }, text);
}

/** A process, so that a person finds it. */
export function processName({ name, host, pid }: RunningOn): VNode {
  return h("span", null, h("span", { class: "name" }, name), h("span", { class: "quiet" }, ` pid ${pid} on ${host}`));
}

/** A process that gave no sign in its time. */
export function expiredBadge(): VNode {
  return moodBadge("bad", "expired", "No heartbeat in time: its jobs are given to others.");
}

/** Who runs a job, and whether that process is still taken for alive. */
export function runsOn(instance: RunningOn, now: number): Child {
  return [processName(instance), instance.expiresAt < now && [" ", expiredBadge()]];
}

/** Nothing to show, and what to do about it. */
export function empty(title: string, ...advice: readonly Child[]): VNode {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), h("p", null, advice));
}

/** A framed part of a page. */
export function card(title: string, extra: Child, ...children: readonly Child[]): VNode {
  return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", null, title), extra), children);
}

/** Names and values. */
export function facts(list: readonly (readonly [string, Child])[]): VNode {
  return h(
    "dl",
    { class: "facts" },
    list.map(([name, value]) => h("div", { key: name }, h("dt", null, name), h("dd", null, value))),
  );
}

/** The databases that do not answer. */
export function awayNames(overview: OverviewView | null): readonly string[] {
  return awayShards(overview).map(({ name }) => name);
}

/** Of each database that does not answer: its name, and since when. */
export function awayShards(
  overview: OverviewView | null,
): readonly { readonly name: string; readonly since: number }[] {
  return (overview?.shards ?? []).flatMap(({ name, away }) => (away === null ? [] : [{ name, since: away.since }]));
}

/** Text line by line, as it is; the keyboard reaches it too, to scroll what is wider than the page. */
export function verbatim(lines: string): VNode {
  return h("pre", { tabindex: 0 }, lines);
}

/** An error: its message at once, its stack and causes on demand. */
export function errorBlock(error: ErrorView): VNode {
  const more = error.stack !== null || error.causes.length > 0;
  return h(
    "div",
    { class: "error" },
    h(
      "p",
      { class: "error-message" },
      h("strong", null, error.name),
      error.code === null ? ": " : ` [${error.code}]: `,
      error.message,
    ),
    more &&
      h(
        "details",
        null,
        h("summary", null, error.causes.length > 0 ? "Stack and causes" : "Stack"),
        error.stack !== null && verbatim(error.stack),
        error.causes.map((cause) => [
          h("p", { class: "error-message" }, "Caused by ", h("strong", null, cause.name), ": ", cause.message),
          cause.stack !== null && verbatim(cause.stack),
        ]),
      ),
  );
}

/** A button. */
export function button(
  label: string,
  onclick: () => void,
  options: {
    readonly danger?: boolean;
    readonly primary?: boolean;
    readonly title?: string;
    readonly disabled?: boolean;
    readonly name?: string;
  } = {},
): VNode {
  const kind = options.danger ? " danger" : options.primary ? " primary" : "";
  return h(
    "button",
    {
      type: "button",
      class: `button${kind}`,
      title: options.title,
      disabled: options.disabled,
      "aria-label": options.name,
      onclick,
    },
    label,
  );
}
