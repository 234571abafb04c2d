/** Jobs of one state, newest first, by queue and name; what can be done to several at once. */
import type { JobRow, JobState, JobsFilter, JobsView, OverviewView } from "../../api.ts";
import { read } from "../client.ts";
import { type Child, h } from "../dom.ts";
import { count, exact } from "../format.ts";
import { hrefTo, type PageContext, type PageFactory } from "../page.ts";
import { AHEAD, awayNames, type Column, card, empty, jobLink, moment, moodBadge, runsOn, table } from "../parts.ts";
import { actionOf, bulkBar, type Selection } from "./bulk.ts";
import { ListSize } from "./job-pager.ts";

const STATES: readonly JobState[] = [
  "ready",
  "running",
  "scheduled",
  "awaiting",
  "blocked",
  "succeeded",
  "dead",
  "cancelled",
];
const MOMENT: Readonly<Record<JobState, string>> = {
  ready: "enqueued",
  running: "claimed",
  scheduled: "due",
  awaiting: "enqueued",
  blocked: "enqueued",
  succeeded: "finished",
  dead: "died",
  cancelled: "cancelled",
};
const ADVICE: Readonly<Record<JobState, string>> = {
  ready: "Everything that may run is running or done.",
  running: "No worker holds a job now. Are there instances, and are their queues not paused?",
  scheduled: "Nothing is planned for later, and no failed attempt waits to be tried again.",
  awaiting: "No job waits for another one.",
  blocked: "No job waits for a place under a concurrency key.",
  succeeded: "Nothing has succeeded yet, or it was removed after its retention time.",
  dead: "Good: no job has spent its attempts.",
  cancelled: "No job was cancelled, or it was removed after its retention time.",
};

/** The page `jobs`. */
export const jobsPage: PageFactory = (context) => {
  const { params } = context;
  const asked = params.get("state");
  const state = STATES.find((each) => each === asked) ?? "ready";
  const queue = params.get("queue") ?? "";
  const name = params.get("name") ?? "";
  const cursor = params.get("cursor");
  const selection: Selection = { ids: new Set(), confirming: false };
  const selected = selection.ids;
  const filter: JobsFilter = { state, queue, name };
  const size = new ListSize(filter, context);
  let view: JobsView | null = null;

  const list = (jobs: JobsView): Child => {
    if (jobs.items.length === 0 && jobs.next !== null) {
      return [empty(`No ${state} job matches so far.`, "Many were looked at, and there are more."), size.view(jobs)];
    }
    if (jobs.items.length === 0) {
      const filtered = queue !== "" || name !== "";
      return filtered
        ? empty(`No ${state} job matches.`, h("a", { href: hrefTo("jobs", { state }) }, "Remove the filters"))
        : awayNames(context.overview()).length > 0
          ? empty(`No ${state} jobs on the databases that answer.`)
          : empty(`No ${state} jobs.`, ADVICE[state]);
    }
    const pick = (id: string, on: boolean) => {
      if (on) selected.add(id);
      else selected.delete(id);
      selection.confirming = false;
      context.update();
    };
    const bulk = context.about.role === "operate" ? actionOf(state) : null;
    const columns = columnsOf(state, context.now());
    if (bulk !== null) {
      columns.unshift({
        label: "select",
        kind: "select",
        // The label is what a finger meets: a box alone is too small for it.
        cell: (job) =>
          h(
            "label",
            { class: "tick" },
            h("input", {
              type: "checkbox",
              checked: selected.has(job.id),
              "aria-label": `Select ${job.name} ${job.id}`,
              onchange: (event) => pick(job.id, (event.target as HTMLInputElement).checked),
            }),
          ),
      });
    }
    return [
      bulk !== null && bulkBar(jobs, selection, bulk, context),
      table(`Jobs that are ${state}`, columns, jobs.items, (job) => job.id),
      size.view(jobs),
    ];
  };

  return {
    title: `Jobs: ${state}`,
    async load(signal) {
      view = await read("api/jobs", { ...filter, limit: "50", ...(cursor === null ? {} : { cursor }) }, signal);
      for (const id of selected) if (!view.items.some((job) => job.id === id)) selected.delete(id);
      selection.confirming &&= selected.size > 0;
      size.follow(view);
    },
    view() {
      if (view === null) return null;
      const overview = context.overview();
      return [
        h("h1", null, "Jobs"),
        tabs(state, queue, name, overview),
        filters(state, queue, name, overview, context),
        card(state[0]?.toUpperCase() + state.slice(1), state === "running" && ahead(overview), list(view)),
      ];
    },
  };
};

/** A list of what is claimed cannot tell which handlers have begun; how many have not, the instances' slots tell. */
function ahead(overview: OverviewView | null): Child {
  const waiting = overview?.ahead ?? 0;
  return waiting > 0 && h("span", { class: "quiet", title: AHEAD }, `of all, at least ${exact(waiting)} claimed ahead`);
}

function tabs(state: JobState, queue: string, name: string, overview: OverviewView | null): Child {
  const tab = (each: JobState) =>
    h(
      "a",
      {
        key: each,
        href: hrefTo("jobs", { state: each, queue, name }),
        "aria-current": each === state ? "page" : undefined,
        class: `tab state-${each}`,
      },
      each,
      h("span", { class: "tab-count" }, numberOf(each, overview)),
    );
  return h("nav", { class: "tabs", "aria-label": "States" }, STATES.map(tab));
}

/** Counts that the live numbers have; the others are not worth a scan of the table. */
function numberOf(state: JobState, overview: OverviewView | null): string {
  if (overview === null) return "";
  if (state === "awaiting" || state === "blocked") return "";
  if (state === "succeeded" || state === "dead" || state === "cancelled") return count(overview.finished[state]);
  return count(overview.queues.reduce((sum, queue) => sum + queue[state], 0));
}

function filters(
  state: JobState,
  queue: string,
  name: string,
  overview: OverviewView | null,
  context: PageContext,
): Child {
  const queues = new Set(overview?.queues.map((each) => each.queue));
  if (queue !== "") queues.add(queue);
  const submit = (event: Event) => {
    event.preventDefault();
    const form = new FormData((event.currentTarget ?? event.target) as HTMLFormElement);
    context.go(
      hrefTo("jobs", { state, queue: String(form.get("queue") ?? ""), name: String(form.get("name") ?? "").trim() }),
    );
  };
  return h(
    "form",
    { class: "filters", onsubmit: submit, role: "search" },
    h(
      "label",
      null,
      "Queue",
      h(
        "select",
        { name: "queue", value: queue, onchange: (event) => (event.target as HTMLSelectElement).form?.requestSubmit() },
        h("option", { value: "", key: "" }, "all"),
        [...queues].sort().map((each) => h("option", { value: each, key: each, selected: each === queue }, each)),
      ),
    ),
    h(
      "label",
      null,
      "Name",
      h("input", {
        name: "name",
        type: "search",
        value: name,
        placeholder: "email.welcome",
        maxlength: 200,
        autocomplete: "off",
      }),
    ),
    h("button", { type: "submit", class: "button" }, "Filter"),
    (queue !== "" || name !== "") && h("a", { href: hrefTo("jobs", { state }) }, "Clear"),
  );
}

function columnsOf(state: JobState, now: number): Column<JobRow>[] {
  const withError = state === "dead" || state === "scheduled" || state === "cancelled";
  return [
    {
      label: "job",
      cell: (job) => [
        jobLink(job.id, job.name),
        job.parked && [" ", moodBadge("bad", "parked", "No process that claimed so far knows this name.")],
      ],
    },
    { label: "queue", cell: (job) => job.queue },
    ...(withError
      ? [
          {
            label: "last error",
            kind: "wide" as const,
            cell: (job: JobRow) =>
              job.error === null ? h("span", { class: "quiet" }, "–") : `${job.error.name}: ${job.error.message}`,
          },
        ]
      : []),
    ...(state === "running"
      ? [
          {
            label: "runs on",
            kind: "wide" as const,
            cell: ({ instance }: JobRow) =>
              instance === null ? h("span", { class: "quiet" }, "–") : runsOn(instance, now),
          },
        ]
      : []),
    { label: "attempt", kind: "number", cell: (job) => `${job.attempt} of ${job.maxAttempts}` },
    {
      label: "priority",
      kind: "number",
      cell: (job) => (job.priority === 0 ? h("span", { class: "quiet" }, "0") : String(job.priority)),
    },
    { label: MOMENT[state], kind: "number", cell: (job) => moment(job.at ?? job.createdAt, now) },
  ];
}
