/** Schedules: the list with their next fires, and one with its plan and its history. */
import type { ScheduleRow, SchedulesView, ScheduleView } from "../../api.ts";
import { ApiFailure, operate, read } from "../client.ts";
import { type Child, h } from "../dom.ts";
import { duration, timeIn } from "../format.ts";
import { hrefTo, type PageContext, type PageFactory } from "../page.ts";
import { awayNames, button, type Column, card, empty, facts, jobLink, moment, moodBadge, table } from "../parts.ts";
import { MISFIRES, OVERLAPS } from "./schedule-fields.ts";

/** The page `schedules`. */
export const schedulesPage: PageFactory = (context) => {
  const [group, cursor] = [context.params.get("group"), context.params.get("cursor")];
  let view: SchedulesView | null = null;
  return {
    title: group === null ? "Schedules" : `Schedules of ${group}`,
    async load(signal) {
      const which = { ...(group === null ? {} : { group }), ...(cursor === null ? {} : { cursor }) };
      view = await read("api/schedules", which, signal);
    },
    view() {
      if (view === null) return null;
      const pages =
        (cursor !== null || view.next !== null) &&
        h(
          "nav",
          { class: "pager", "aria-label": "Pages" },
          cursor !== null && h("a", { href: hrefTo("schedules", { group }) }, "First"),
          view.next !== null &&
            h("a", { href: hrefTo("schedules", { group, cursor: view.next }), rel: "next" }, "Next"),
        );
      const create = mayEdit(context) && h("a", { href: "newschedule", class: "button primary" }, "New schedule");
      if (group !== null) {
        return [groupHead(group, view, context), card("Its schedules", null, list(view.items, context, group), pages)];
      }
      return [
        h("div", { class: "page-head" }, h("h1", null, "Schedules"), create),
        pausedGroups(view.pausedGroups),
        card("All schedules", null, list(view.items, context), pages),
      ];
    },
  };
};

/** The page `schedule`. */
export const schedulePage: PageFactory = (context) => {
  const id = context.params.get("id") ?? "";
  let view: ScheduleView | null = null;
  let confirming = false;
  const confirm = (on: boolean) => {
    confirming = on;
    context.update();
  };
  const remove = async () => {
    confirming = false;
    try {
      await operate("api/schedules/remove", { id });
      context.say(`${id} was removed.`);
      context.go(hrefTo("schedules"));
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      context.say(error.message);
      context.update();
    }
  };
  return {
    title: "Schedule",
    async load(signal) {
      view = await read("api/schedule", { id }, signal);
    },
    view() {
      if (view === null) return null;
      const now = context.now();
      return [
        h(
          "div",
          { class: "page-head" },
          h("h1", null, view.id, " ", status(view)),
          h("div", { class: "actions" }, actions(view, context), editing(view, context, confirming, confirm, remove)),
        ),
        view.source === "code" &&
          mayEdit(context) &&
          h(
            "p",
            { class: "standing" },
            "Declared in the application's code, so it is edited and removed there: the next start would undo a change made here.",
          ),
        card("Facts", null, factsOf(view, now)),
        card("Next fires", zoneNote(view.timeZone), upcoming(view, now)),
        card("History", null, history(view, now)),
      ];
    },
  };
};

/** A group's name, whether it is paused as a whole, and what can be done to it. */
function groupHead(group: string, { pausedGroups }: SchedulesView, context: PageContext): Child {
  const paused = pausedGroups.includes(group);
  const told = (word: string) => (answer: { schedules: number }) =>
    `${group}: ${answer.schedules} ${answer.schedules === 1 ? "schedule" : "schedules"} ${word}.`;
  const act = (path: "api/schedules/pause-group" | "api/schedules/resume-group", word: string) => () =>
    void context.act(path, { group }, told(word));
  return [
    h(
      "div",
      { class: "page-head" },
      h("h1", null, `Group ${group} `, paused && moodBadge("warn", "paused as a whole")),
      mayAct(context) &&
        h(
          "div",
          { class: "actions" },
          !paused && button("Pause group", act("api/schedules/pause-group", "paused")),
          button("Resume group", act("api/schedules/resume-group", "resumed"), { primary: paused }),
          h("a", { href: hrefTo("schedules"), class: "button" }, "All schedules"),
        ),
    ),
    paused && h("p", { class: "standing" }, "What is added to this group starts paused, until the group is resumed."),
  ];
}

/** A group that is paused may have no schedule by which it could be found. */
function pausedGroups(groups: readonly string[]): Child {
  if (groups.length === 0) return null;
  const links = groups.map((group, index) => [
    index > 0 && ", ",
    h("a", { href: hrefTo("schedules", { group }) }, group),
  ]);
  return h("p", { class: "standing" }, "Paused as a whole: ", ...links, ".");
}

function list(items: readonly ScheduleRow[], context: PageContext, group: string | null = null): Child {
  if (items.length === 0 && awayNames(context.overview()).length > 0)
    return empty("No schedules on the databases that answer.");
  if (items.length === 0 && group !== null) return empty("No schedules in this group.");
  if (items.length === 0) {
    return empty(
      "No schedules.",
      mayEdit(context) && [h("a", { href: "newschedule" }, "Make one here"), ", or in code. "],
      "Declare one with ",
      h("code", null, 'builder.addSchedule({ id, trigger: cron("0 3 * * *"), job })'),
      ".",
    );
  }
  const now = context.now();
  const columns: Column<ScheduleRow>[] = [
    {
      label: "schedule",
      cell: (row) => [
        h("a", { href: hrefTo("schedule", { id: row.id }), class: "name" }, row.id),
        row.paused && [" ", moodBadge("warn", "paused")],
      ],
    },
    {
      label: "trigger",
      kind: "middle",
      cell: (row) => [row.trigger, row.expression !== null && [" ", h("code", { class: "quiet" }, row.expression)]],
    },
    { label: "job", cell: (row) => row.job },
    ...(group === null && items.some((row) => row.group !== "")
      ? [{ label: "group", cell: (row: ScheduleRow) => groupLink(row.group) }]
      : []),
    { label: "next", kind: "number", cell: (row) => next(row, now) },
    {
      label: "last",
      kind: "number",
      cell: (row) =>
        row.lastJob === null
          ? moment(row.lastAt, now, "never")
          : h("a", { href: hrefTo("job", { id: row.lastJob }) }, moment(row.lastAt, now)),
    },
  ];
  if (mayAct(context)) columns.push({ label: "actions", kind: "action", cell: (row) => actions(row, context) });
  return table("Schedules", columns, items, (row) => row.id);
}

function next(row: ScheduleRow, now: number): Child {
  if (row.paused) return h("span", { class: "quiet" }, "paused");
  return row.nextAt === null ? h("span", { class: "quiet" }, "never again") : moment(row.nextAt, now);
}

function status(view: ScheduleRow): Child {
  return view.paused
    ? moodBadge("warn", "paused")
    : view.nextAt === null
      ? moodBadge("idle", "finished")
      : moodBadge("good", "active");
}

function actions({ id, paused }: ScheduleRow, context: PageContext): Child {
  if (!mayAct(context)) return null;
  return [
    button("Trigger now", () => void context.act("api/schedules/trigger", { id }, `${id} was triggered.`), {
      name: `Trigger ${id} now`,
    }),
    paused
      ? button("Resume", () => void context.act("api/schedules/resume", { id }, `${id} goes on.`), {
          name: `Resume ${id}`,
          primary: true,
        })
      : button("Pause", () => void context.act("api/schedules/pause", { id }, `${id} is paused.`), {
          name: `Pause ${id}`,
        }),
  ];
}

function mayAct({ about }: PageContext): boolean {
  return about.role === "operate" && about.has.schedules;
}

function groupLink(group: string): Child {
  return group === "" ? null : h("a", { href: hrefTo("schedules", { group }) }, group);
}

/** A policy's word, and what it does where the word is known. */
function policy(word: string | null, words: Readonly<Record<string, string>>): Child {
  if (word === null) return h("span", { class: "quiet" }, "unknown");
  const meaning = words[word];
  return meaning === undefined ? word : [word, " ", h("span", { class: "why" }, meaning)];
}

function mayEdit({ about }: PageContext): boolean {
  return about.role === "operate" && about.has.scheduleEditor;
}

/** For schedules that were made at run time. What cannot be taken back is asked twice. */
function editing(
  { id, source }: ScheduleView,
  context: PageContext,
  confirming: boolean,
  confirm: (on: boolean) => void,
  remove: () => Promise<void>,
): Child {
  if (source === "code" || !mayEdit(context)) return null;
  if (confirming) {
    return [
      button("Yes, remove it and its history", () => void remove(), { danger: true }),
      button("Keep it", () => confirm(false)),
    ];
  }
  return [
    h("a", { href: hrefTo("editschedule", { id }), class: "button" }, "Edit"),
    button("Remove", () => confirm(true), { danger: true, title: "Its jobs stay." }),
  ];
}

function factsOf(view: ScheduleView, now: number): Child {
  return facts([
    ["Trigger", view.trigger],
    ...(view.expression === null ? [] : [["Written as", h("code", null, view.expression)] as const]),
    ["Time zone", view.timeZone ?? h("span", { class: "quiet" }, "does not matter")],
    ["Job", h("a", { href: hrefTo("jobs", { state: "succeeded", name: view.job }) }, view.job)],
    ...(view.queue === null ? [] : [["Queue", view.queue] as const]),
    ["Missed fires", policy(view.misfire, MISFIRES)],
    ["Overlap", policy(view.overlap, OVERLAPS)],
    ...(view.group === "" ? [] : [["Group", groupLink(view.group)] as const]),
    ["Comes from", view.source === "code" ? "the application's code" : "the API or this dashboard, at run time"],
    ["Changed", moment(view.updatedAt, now)],
  ]);
}

function zoneNote(timeZone: string | null): Child {
  return h("span", { class: "quiet" }, timeZone === null ? "in your time zone" : `in ${timeZone}`);
}

function upcoming(view: ScheduleView, now: number): Child {
  if (view.upcoming.length === 0)
    return empty(
      "No fires ahead.",
      view.nextAt === null ? "Its trigger has come to its end." : "Nothing in this process can read its trigger.",
    );
  return h(
    "ol",
    { class: `plain fires${view.paused ? " faded" : ""}` },
    view.upcoming.map((at) =>
      h("li", { key: String(at) }, h("span", { class: "clock" }, timeIn(at, view.timeZone)), moment(at, now)),
    ),
  );
}

const OCCURRENCE = { fired: "good", skipped: "warn", manual: "idle" } as const;

function history(view: ScheduleView, now: number): Child {
  if (view.occurrences.length === 0)
    return empty("It has not fired yet.", "Trigger it by hand to see what its job does.");
  type Row = ScheduleView["occurrences"][number];
  const columns: Column<Row>[] = [
    { label: "planned", cell: (row) => h("span", { class: "clock" }, timeIn(row.at, view.timeZone)) },
    { label: "what", cell: (row) => moodBadge(OCCURRENCE[row.what], row.what === "manual" ? "by hand" : row.what) },
    {
      label: "late",
      kind: "number",
      cell: (row) =>
        row.what === "manual" ? h("span", { class: "quiet" }, "–") : duration(Math.max(0, row.firedAt - row.at)),
    },
    { label: "by", cell: (row) => row.by },
    {
      label: "reason or job",
      kind: "wide",
      cell: (row) => (row.job === null ? (row.reason ?? "–") : jobLink(row.job, "its job")),
    },
    { label: "when", kind: "number", cell: (row) => moment(row.firedAt, now) },
  ];
  return table("Occurrences", columns, view.occurrences, (row) => `${row.at} ${row.what}`);
}
