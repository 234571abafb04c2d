/** One job's whole story: where it stands and why, what happened to it, its data on demand, and what can be done. */
import type { HistoryView, JobDataView, JobView, StoredJsonView } from "../../api.ts";
import { read } from "../client.ts";
import { type Child, h } from "../dom.ts";
import { duration } from "../format.ts";
import { hrefTo, type PageContext, type PageFactory } from "../page.ts";
import { button, card, errorBlock, facts, moment, runsOn, stateBadge, verbatim } from "../parts.ts";

/** The page `job`. */
export const jobPage: PageFactory = (context) => {
  const id = context.params.get("id") ?? "";
  let job: JobView | null = null;
  let data: JobDataView | null = null;
  let wantsData = false;
  let confirming = false;

  const loadData = async (signal?: AbortSignal) => {
    data = await read("api/job/data", { id }, signal);
    context.update();
  };
  const showData = () => {
    if (wantsData) return;
    wantsData = true;
    // What goes wrong here shows itself with the next refresh, which asks again.
    void loadData().catch(() => context.update());
  };
  const confirm = (on: boolean) => {
    confirming = on;
    context.update();
  };

  return {
    title: job === null ? "Job" : "Job",
    async load(signal) {
      job = await read("api/job", { id }, signal);
      if (wantsData && (data === null || (job.hasResult && data.result === null))) await loadData(signal);
    },
    view() {
      if (job === null) return null;
      const now = context.now();
      return [
        h(
          "div",
          { class: "page-head" },
          h("h1", null, job.name, " ", stateBadge(job.state)),
          context.about.role === "operate" &&
            h("div", { class: "actions" }, actions(job, context, confirming, confirm)),
        ),
        h("p", { class: "standing" }, standing(job, now, context)),
        card("Facts", null, factsOf(job, now)),
        card("History", null, timeline(job, now)),
        card("Data", null, dataCard(job, data, showData)),
      ];
    },
  };
};

function actions(job: JobView, context: PageContext, confirming: boolean, confirm: (on: boolean) => void): Child {
  const ids = [job.id];
  switch (job.state) {
    case "succeeded":
    case "dead":
    case "cancelled":
      return button(
        job.state === "dead" ? "Retry" : "Run again",
        () => void context.act("api/jobs/retry", { ids }, "Ready again, with one more attempt."),
        { primary: true },
      );
    default:
      return [
        job.state === "scheduled" &&
          button("Run now", () => void context.act("api/jobs/run-now", { ids }, "Ready now."), { primary: true }),
        confirming
          ? [
              button(
                "Yes, cancel it",
                () => {
                  confirm(false);
                  void context.act("api/jobs/cancel", { ids }, ({ results: [result] }) =>
                    result === "requested" ? "It runs, and was asked to stop." : "Cancelled.",
                  );
                },
                { danger: true },
              ),
              button("Keep it", () => confirm(false)),
            ]
          : button("Cancel", () => confirm(true), { danger: true, disabled: job.cancelRequested !== null }),
      ];
  }
}

const SCHEDULED_AFTER: Readonly<Partial<Record<HistoryView["what"], string>>> = {
  retry: "The last attempt failed; it is tried again ",
  snoozed: "Its handler asked for more time; it goes on ",
};

/** In one sentence: what this job is waiting for, or how it ended. */
function standing(job: JobView, now: number, context: PageContext): Child {
  const queue = context.overview()?.queues.find((each) => each.queue === job.queue);
  if (job.cancelRequested !== null && job.state === "running")
    return ["Asked to stop: ", job.cancelRequested, ". Its handler sees the signal with its worker's next heartbeat."];
  switch (job.state) {
    case "awaiting":
      return "It waits for the jobs it depends on.";
    case "blocked":
      return "It waits for a place under its concurrency key.";
    case "scheduled":
      return [SCHEDULED_AFTER[job.history.at(-1)?.what ?? "requeued"] ?? "It is due ", moment(job.at, now), "."];
    case "ready":
      if (job.parked)
        return "Set aside: no process that claimed so far knows its name. It runs as soon as one does; no attempt is spent.";
      if (queue?.paused)
        return [
          "It waits because the queue ",
          h("b", null, job.queue),
          " is paused",
          queue.paused.reason === null ? "." : `: ${queue.paused.reason}.`,
        ];
      if (queue?.servedBy === 0)
        return ["It waits because no running instance serves the queue ", h("b", null, job.queue), "."];
      return ["It waits for a free worker of the queue ", h("b", null, job.queue), "."];
    case "running":
      return [
        "Claimed ",
        moment(job.at, now),
        " by ",
        job.instance === null ? "an instance" : runsOn(job.instance, now),
        ".",
      ];
    case "succeeded":
      return ["Succeeded ", moment(job.at, now), job.attempt > 1 ? `, with attempt ${job.attempt}.` : "."];
    case "dead":
      return [
        "Given up ",
        moment(job.at, now),
        ` after ${job.attempt} of ${job.maxAttempts} attempts. It stays until somebody retries it or its retention time is over.`,
      ];
    case "cancelled":
      return ["Cancelled ", moment(job.at, now), "."];
  }
}

function factsOf(job: JobView, now: number): Child {
  return facts([
    ["Id", h("code", { class: "id" }, job.id)],
    ["Queue", h("a", { href: hrefTo("jobs", { state: job.state, queue: job.queue }) }, job.queue)],
    ["Same name", h("a", { href: hrefTo("jobs", { state: job.state, name: job.name }) }, job.name)],
    ["Attempt", `${job.attempt} of ${job.maxAttempts}`],
    ["Priority", String(job.priority)],
    ["Enqueued", moment(job.createdAt, now)],
    ...(job.instance === null ? [] : [["Runs on", runsOn(job.instance, now)] as const]),
    ["Crashes allowed", String(job.maxCrashes)],
  ]);
}

const WHAT: Readonly<Record<HistoryView["what"], { readonly said: string; readonly tone: string }>> = {
  succeeded: { said: "succeeded", tone: "succeeded" },
  retry: { said: "failed, to be tried again", tone: "retried" },
  dead: { said: "failed for good", tone: "dead" },
  cancelled: { said: "cancelled", tone: "cancelled" },
  snoozed: { said: "asked for more time", tone: "scheduled" },
  lost: { said: "lost its worker", tone: "dead" },
  requeued: { said: "made ready again by a person", tone: "ready" },
};

function timeline(job: JobView, now: number): Child {
  const entries = job.history.map((entry, index) => {
    const { said, tone } = WHAT[entry.what];
    const whole =
      entry.attempt > 0 && entry.what !== "requeued"
        ? `Attempt ${entry.attempt} ${said}`
        : said[0]?.toUpperCase() + said.slice(1);
    return h(
      "li",
      { key: `${index}`, class: `event fill-${tone}` },
      h(
        "div",
        { class: "event-head" },
        h("b", null, whole),
        h(
          "span",
          { class: "event-facts" },
          moment(entry.at, now),
          entry.ms === null ? "" : ` · ran ${duration(entry.ms)}`,
          entry.instance === null ? "" : ` · ${entry.instance}`,
        ),
      ),
      entry.error !== null && errorBlock(entry.error),
    );
  });
  return h(
    "ol",
    { class: "timeline" },
    h(
      "li",
      { key: "created", class: "event fill-created" },
      h(
        "div",
        { class: "event-head" },
        h("b", null, "Enqueued"),
        h("span", { class: "event-facts" }, moment(job.createdAt, now)),
      ),
    ),
    entries,
    job.state === "running" &&
      h(
        "li",
        { key: "now", class: "event fill-running" },
        h(
          "div",
          { class: "event-head" },
          h("b", null, `Attempt ${job.attempt} runs`),
          h("span", { class: "event-facts" }, "since ", moment(job.at, now)),
        ),
      ),
    job.state === "scheduled" &&
      h(
        "li",
        { key: "now", class: "event fill-scheduled" },
        h(
          "div",
          { class: "event-head" },
          h("b", null, "Due"),
          h("span", { class: "event-facts" }, moment(job.at, now)),
        ),
      ),
  );
}

function dataCard(job: JobView, data: JobDataView | null, show: () => void): Child {
  const piece = (name: string, view: StoredJsonView | null | undefined, none: string) =>
    h(
      "details",
      { key: name, class: "data", ontoggle: (event) => (event.target as HTMLDetailsElement).open && show() },
      h("summary", null, name),
      data === null
        ? h("p", { class: "quiet" }, "Loading …")
        : view == null
          ? h("p", { class: "quiet" }, none)
          : [verbatim(view.text), note(view)],
    );
  return [
    piece("Input", data?.input, "None."),
    piece("Result", data?.result, job.state === "succeeded" ? "It returned nothing." : "It has not succeeded."),
    piece("Meta", data?.meta, "Nothing travels with this job."),
  ];
}

function note(view: StoredJsonView): Child {
  const notes = [
    ...(view.redacted > 0
      ? [`${view.redacted} ${view.redacted === 1 ? "value is" : "values are"} redacted by name`]
      : []),
    ...(view.cut ? ["the rest is not shown"] : []),
  ];
  return notes.length > 0 && h("p", { class: "quiet" }, `${notes.join("; ")}.`);
}
