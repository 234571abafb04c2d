/** Who works: the hosted services of the process behind this page, and all registered instances. */
import type { InstancesView, ServiceRow, ServicesView } from "../../api.ts";
import { read } from "../client.ts";
import { type Child, h } from "../dom.ts";
import { exact } from "../format.ts";
import type { PageFactory } from "../page.ts";
import { AHEAD, type Column, card, empty, expiredBadge, moment, moodBadge, processName, table } from "../parts.ts";

/** The page `services`. */
export const servicesPage: PageFactory = (context) => {
  let view: ServicesView | null = null;
  return {
    title: "Services",
    async load(signal) {
      view = await read("api/services", {}, signal);
    },
    view() {
      if (view === null) return null;
      const { process: where, items, now } = view;
      const place = h("span", { class: "quiet" }, `pid ${where.pid} on ${where.host}, Node.js ${where.node}`);
      return [
        h("h1", null, "Services"),
        card("Hosted services of this process", place, services(items, now, context.about.has.services)),
      ];
    },
  };
};

function services(items: readonly ServiceRow[], now: number, known: boolean): Child {
  if (!known)
    return empty(
      "There is no host here.",
      "This dashboard runs without one. With ",
      h("code", null, "builder.addDashboard()"),
      " it shows the services of its process.",
    );
  if (items.length === 0)
    return empty("No services.", "Add one with ", h("code", null, "builder.addHostedService(...)"), ".");
  const columns: Column<ServiceRow>[] = [
    {
      label: "service",
      cell: (row) => h("span", { class: "name" }, row.name),
    },
    { label: "state", cell: (row) => moodBadge(row.mood, row.state) },
    { label: "since", kind: "number", cell: (row) => moment(row.since, now) },
    {
      label: "restarts",
      kind: "number",
      cell: (row) => (row.restarts === 0 ? h("span", { class: "quiet" }, "0") : exact(row.restarts)),
    },
    {
      label: "last error",
      kind: "middle",
      cell: (row) =>
        row.lastError === null
          ? h("span", { class: "quiet" }, "none")
          : [row.lastError.message, row.lastError.at !== null && [" · ", moment(row.lastError.at, now)]],
    },
    {
      label: "more",
      kind: "middle",
      cell: (row) =>
        Object.entries(row.facts).map(([name, value]) =>
          h("span", { key: name, class: "pair" }, h("span", { class: "quiet" }, `${name} `), value),
        ),
    },
  ];
  return table("Hosted services", columns, items, (row) => row.name);
}

/** The page `instances`. */
export const instancesPage: PageFactory = (context) => {
  let view: InstancesView | null = null;
  return {
    title: "Instances",
    async load(signal) {
      view = await read("api/instances", {}, signal);
    },
    view() {
      if (view === null) return null;
      return [
        h("h1", null, "Instances"),
        card("Registered processes", null, instances(view, context.now())),
        card("Leaders", null, leaders(view)),
      ];
    },
  };
};

function instances(view: InstancesView, now: number): Child {
  if (view.items.length === 0)
    return empty(
      "No process is registered.",
      "Start an application that calls ",
      h("code", null, "builder.addJobs(...)"),
      "; until then jobs only wait.",
    );
  type Row = InstancesView["items"][number];
  const columns: Column<Row>[] = [
    { label: "instance", cell: processName },
    {
      label: "health",
      cell: (row) => (row.expiresAt < now ? expiredBadge() : moodBadge("good", "alive")),
    },
    { label: "running", kind: "number", cell: slots },
    {
      label: "queues",
      kind: "middle",
      cell: (row) => (row.queues.length === 0 ? h("span", { class: "quiet" }, "none") : row.queues.join(", ")),
    },
    {
      label: "job names",
      kind: "number",
      cell: (row) => h("span", { title: row.names.slice(0, 50).join(", ") }, exact(row.names.length)),
    },
    { label: "version", cell: (row) => row.version },
    { label: "started", kind: "number", cell: (row) => moment(row.startedAt, now) },
  ];
  return table("Instances", columns, view.items, (row) => row.id);
}

/** What a process holds: as much as it has slots for runs, and the rest is claimed ahead. */
function slots({ running, concurrency }: InstancesView["items"][number]): Child {
  const ahead = running - concurrency;
  return [
    `${exact(Math.min(running, concurrency))} of ${exact(concurrency)}`,
    ahead > 0 && h("span", { class: "quiet", title: AHEAD }, ` +${exact(ahead)} ahead`),
  ];
}

type Leader = NonNullable<InstancesView["leaders"]>[number];

function leaders(view: InstancesView): Child {
  if (view.leaders === null)
    return empty(
      "Not known now.",
      "The database that keeps who leads does not answer; while it is away nobody is elected.",
    );
  if (view.leaders.length === 0)
    return empty(
      "Nobody leads anything now.",
      "Services that one process runs for all (leaderOnly) are shown with the process that does.",
    );
  return table(
    "Leaders",
    [
      { label: "role", cell: (row: Leader) => h("span", { class: "name" }, row.role) },
      { label: "held by", cell: (row: Leader) => row.holder },
    ],
    view.leaders,
    (row) => row.role,
  );
}
