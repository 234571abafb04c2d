/** The overview: the numbers, the last hour, the queues, and the jobs that need a person. */
import type { FindingsView, JobsView, OverviewView, QueueRow, ShardInfo } from "../../api.ts";
import { minuteOf, throughputChart } from "../chart.ts";
import { read } from "../client.ts";
import { type Child, h } from "../dom.ts";
import { count, duration, exact } from "../format.ts";
import { hrefTo, type PageContext, type PageFactory } from "../page.ts";
import { AHEAD, button, type Column, card, empty, jobLink, moment, moodBadge, table } from "../parts.ts";

/** The last dead jobs, of which those that died alike are one line. */
const DEAD_LOOKED_AT = 50;
const KINDS_SHOWN = 5;
/** What "of late" is, in minutes of the chart: the one that fills, and five before it. */
const LATELY = 6;

/** The page at the mount itself. */
export const overviewPage: PageFactory = (context) => {
  let loaded: OverviewView | null = null;
  let dead: JobsView | null = null;
  let findings: FindingsView | null = null;
  /** Not waited for: it is in trouble that a store takes its time to look at itself. */
  const look = async (signal: AbortSignal) => {
    try {
      findings = await read("api/findings", {}, signal);
      context.update();
    } catch {
      // What was found before stays; that the store is away, the page itself says.
    }
  };
  return {
    title: "Overview",
    async load(signal) {
      void look(signal);
      [loaded, dead] = await Promise.all([
        context.overview() ?? read("api/overview", {}, signal),
        read("api/jobs", { state: "dead", limit: String(DEAD_LOOKED_AT) }, signal),
      ]);
    },
    view() {
      const overview = context.overview() ?? loaded;
      if (overview === null) return null;
      return [
        h("h1", { class: "unseen" }, "Overview"),
        tiles(overview, context.now()),
        findings !== null && findings.items.length > 0 && card("The store needs care", null, care(findings)),
        card("Last hour", null, throughputChart(overview.throughput)),
        card("Queues", null, queues(overview, context)),
        overview.shards.length > 0 && card("Databases", null, databases(overview.shards, context.now())),
        dead !== null && dead.items.length > 0 && needsAttention(dead, overview, context.now()),
      ];
    },
  };
};

function tiles(overview: OverviewView, now: number): Child {
  const sum = (name: "ready" | "running" | "scheduled") =>
    overview.queues.reduce((total, queue) => total + queue[name], 0);
  const oldest = overview.queues.flatMap((queue) => (queue.oldestReadyAt === null ? [] : [queue.oldestReadyAt]));
  const wait = oldest.length === 0 ? "none waits" : `oldest waits ${duration(Math.max(0, now - Math.min(...oldest)))}`;
  const { succeeded, dead, cancelled } = overview.finished;
  return h(
    "ul",
    { class: "tiles" },
    tile("ready", sum("ready"), wait),
    tile("running", sum("running"), instances(overview)),
    tile("scheduled", sum("scheduled"), "retries included"),
    tile("succeeded", succeeded, lately(overview)),
    tile("dead", dead, `${count(overview.retried)} retried`),
    tile("cancelled", cancelled, "of all time"),
  );
}

/** What came right in the last minutes: a number since a time, for a rate of full minutes says 0 of a burst that is just over. */
function lately({ throughput }: OverviewView): Child {
  const minutes = throughput.slice(-LATELY);
  const succeeded = minutes.reduce((total, point) => total + point.succeeded, 0);
  const [first] = minutes;
  return first !== undefined && `${succeeded === 0 ? "none" : count(succeeded)} since ${minuteOf(first.at)}`;
}

function instances({ instances, expired, ahead }: OverviewView): Child {
  return [
    `${exact(instances)} ${instances === 1 ? "instance" : "instances"}`,
    expired > 0 && [", ", h("strong", { class: "mood-bad trouble-note" }, `${exact(expired)} expired`)],
    ahead > 0 && h("span", { title: AHEAD }, `, ${exact(ahead)} claimed ahead`),
  ];
}

function tile(
  state: "ready" | "running" | "scheduled" | "succeeded" | "dead" | "cancelled",
  value: number,
  note: Child,
): Child {
  return h(
    "li",
    { key: state },
    h(
      "a",
      { href: hrefTo("jobs", { state }), class: `tile state-${state}`, "data-tile": state },
      h("span", { class: "tile-name" }, state),
      h("span", { class: "tile-value", title: exact(value) }, count(value)),
      h("span", { class: "tile-note" }, note),
    ),
  );
}

function queues(overview: OverviewView, context: PageContext): Child {
  if (overview.queues.length === 0) {
    return empty(
      "No queue has a job yet.",
      "Queues appear with their first job: ",
      h("code", null, "await jobs.enqueue(definition, input)"),
      ".",
    );
  }
  const now = context.now();
  const linked = (queue: QueueRow, state: "ready" | "running" | "scheduled") =>
    queue[state] === 0
      ? h("span", { class: "quiet" }, "0")
      : h(
          "a",
          { href: hrefTo("jobs", { state, queue: queue.queue }), title: exact(queue[state]) },
          count(queue[state]),
        );
  const columns: Column<QueueRow>[] = [
    {
      label: "queue",
      cell: (queue) => [
        h("span", { class: "name" }, queue.queue),
        isLeft(queue) && [" ", moodBadge("bad", "not served")],
        queue.paused !== null && [" ", moodBadge("warn", "paused")],
        queue.parked > 0 && [" ", moodBadge("bad", `${count(queue.parked)} parked`)],
        why(queue),
      ],
    },
    { label: "ready", kind: "number", cell: (queue) => linked(queue, "ready") },
    { label: "running", kind: "number", cell: (queue) => linked(queue, "running") },
    { label: "scheduled", kind: "number", cell: (queue) => linked(queue, "scheduled") },
    {
      label: "oldest ready",
      kind: "number",
      cell: (queue) =>
        queue.oldestReadyAt === null ? h("span", { class: "quiet" }, "–") : moment(queue.oldestReadyAt, now),
    },
  ];
  if (context.about.role === "operate")
    columns.push({ label: "actions", kind: "action", cell: (queue) => pauseButton(queue, context) });
  return table("Queues", columns, overview.queues, (queue) => queue.queue);
}

/** What keeps a queue's jobs, in words: at night nobody hovers over a badge. */
function why(queue: QueueRow): Child {
  const { paused, parked } = queue;
  const reasons = [
    paused?.reason ?? "",
    parked > 0 ? "No process that claimed so far knows the names of the parked ones." : "",
    isLeft(queue) ? "No running instance serves this queue: its jobs wait until one does." : "",
  ].filter((reason) => reason !== "");
  return reasons.length > 0 && h("span", { class: "why" }, reasons.join(" · "));
}

/** Jobs are there, and nobody for them. */
function isLeft({ servedBy, ready, scheduled, running }: QueueRow): boolean {
  return servedBy === 0 && ready + scheduled + running > 0;
}

/** What makes the store slower than it should be, each with what to do about it. */
function care({ items }: FindingsView): Child {
  const columns: Column<FindingsView["items"][number]>[] = [
    { label: "found", cell: ({ what, severity }) => moodBadge(severity === "damage" ? "bad" : "warn", what) },
    { label: "what it means", kind: "wide", cell: ({ message }) => message },
  ];
  return table("Findings", columns, items, ({ message }) => message);
}

/** The databases of a store that is made of several. Numbers of one that is away are in none of the others. */
function databases(shards: readonly ShardInfo[], now: number): Child {
  const columns: Column<ShardInfo>[] = [
    { label: "name", cell: ({ name }) => h("span", { class: "name" }, name) },
    { label: "place", kind: "wide", cell: ({ location }) => location },
    {
      label: "state",
      cell: ({ away, draining }) => [
        away === null ? moodBadge("good", "online") : moodBadge("bad", "away", away.error),
        draining && [
          " ",
          moodBadge("warn", "draining", "Takes no new queues; taken out of the list once it is empty."),
        ],
        away !== null && [
          " ",
          h("span", { class: "quiet" }, `for ${duration(now - away.since)}: its queues wait and are not counted here.`),
        ],
      ],
    },
  ];
  return table("Databases", columns, shards, ({ name }) => name);
}

function pauseButton({ queue, paused }: QueueRow, context: PageContext): Child {
  return paused === null
    ? button(
        "Pause",
        () => void context.act("api/queues/pause", { queue }, `Queue ${queue} is paused; running jobs go on.`),
        {
          name: `Pause the queue ${queue}`,
        },
      )
    : button("Resume", () => void context.act("api/queues/resume", { queue }, `Queue ${queue} goes on.`), {
        name: `Resume the queue ${queue}`,
        primary: true,
      });
}

type DeadJob = JobsView["items"][number];

/** The latest of those that died alike, and how many they are among the last ones. */
interface DiedAlike extends DeadJob {
  readonly like: number;
}

/** By job and error; figures are left out of errors, since they are ids and addresses mostly. */
function alike(items: readonly DeadJob[]): readonly DiedAlike[] {
  const kinds = new Map<string, DiedAlike>();
  for (const job of items) {
    const error = `${job.error?.name}: ${job.error?.message}`.replaceAll(/\d+/g, "#");
    const kind = `${job.name} ${job.queue} ${error}`;
    const known = kinds.get(kind);
    kinds.set(kind, known === undefined ? { ...job, like: 1 } : { ...known, like: known.like + 1 });
  }
  return [...kinds.values()];
}

function needsAttention(dead: JobsView, overview: OverviewView, now: number): Child {
  const all = h("a", { href: hrefTo("jobs", { state: "dead" }) }, `All dead jobs`);
  const kinds = alike(dead.items);
  const shown = kinds.slice(0, KINDS_SHOWN);
  const columns: Column<DiedAlike>[] = [
    {
      label: "job",
      cell: (job) => [
        jobLink(job.id, job.name),
        job.like > 1 && [
          " ",
          moodBadge("bad", `× ${job.like}`, `So many of the last ${dead.items.length} died alike.`),
        ],
      ],
    },
    { label: "queue", cell: (job) => job.queue },
    {
      label: "error",
      kind: "wide",
      cell: (job) => (job.error === null ? "–" : `${job.error.name}: ${job.error.message}`),
    },
    { label: "attempts", kind: "number", cell: (job) => `${job.attempt} of ${job.maxAttempts}` },
    { label: "died", kind: "number", cell: (job) => moment(job.at, now) },
  ];
  return card(
    "Needs attention",
    overview.finished.dead > shown.length && all,
    table("The last dead jobs", columns, shown, (job) => job.id),
    lookedAt(dead, kinds.length),
  );
}

/** How far the table goes, where it does not go to the end. */
function lookedAt({ items, next }: JobsView, kinds: number): Child {
  const limits = [
    next === null ? "" : `Of the last ${items.length} dead jobs; older ones are not looked at here.`,
    kinds > KINDS_SHOWN ? `The last ${KINDS_SHOWN} of ${kinds} kinds of failure.` : "",
  ].filter((limit) => limit !== "");
  return limits.length > 0 && h("p", { class: "why looked-at" }, limits.join(" "));
}
