/** Writing a schedule: a new one, or changes to one that was made at run time. The server judges; this shows where. */
import type { FieldProblem, ScheduleDraft, ScheduleFormFacts, ScheduleFormView, ScheduleWhen } from "../../api.ts";
import { ApiFailure, operate, read } from "../client.ts";
import { type Child, h } from "../dom.ts";
import { checkField, field, focusField } from "../fields.ts";
import { hrefTo, type PageContext, type PageFactory } from "../page.ts";
import { button, card, empty } from "../parts.ts";
import {
  type Draft,
  descriptionField,
  idField,
  inputField,
  jobField,
  policyFields,
  type Writing,
  whenFields,
} from "./schedule-fields.ts";
import { Preview } from "./schedule-preview.ts";
import { fieldOf, freshParts, missing, type Parts, readStored, writeTrigger } from "./trigger-kinds.ts";

const WORDS: Readonly<Partial<Record<keyof ScheduleFormFacts, string>>> = {
  trigger: "its trigger",
  job: "its job",
  misfire: "what becomes of missed times",
  overlap: "what becomes of overlaps",
  description: "its description",
};
/** A schedule that fires each second moves on while a change of it is on its way. */
const TRIES = 5;

type InputState = "kept" | "asked" | "open";

/** The page `newschedule`. */
export const newSchedulePage: PageFactory = (context) => formPage(context, null);

/** The page `editschedule`. */
export const editSchedulePage: PageFactory = (context) => formPage(context, context.params.get("id") ?? "");

function formPage(context: PageContext, id: string | null): ReturnType<PageFactory> {
  const isNew = id === null;
  const back = isNew ? hrefTo("schedules") : hrefTo("schedule", { id });
  const preview = new Preview(context.update);
  let form: ScheduleFormView | null = null;
  let draft: Draft = emptyDraft();
  let problems: readonly FieldProblem[] = [];
  let failure: string | null = null;
  let newer: ScheduleFormFacts | null = null;
  let busy = false;
  let input: InputState = isNew ? "open" : "kept";
  let inputNote: string | null = null;
  /** As it was opened: what was only looked at is not sent. */
  let inputShown = "";
  let opened: Draft = draft;

  const begin = (view: ScheduleFormView) => {
    form = view;
    if (view.schedule !== null) {
      draft = draftOf(view.schedule);
      input = "kept";
    } else draft.job = view.jobs[0]?.name ?? "";
    opened = { ...draft };
    problems = [];
    failure = newer = null;
    look(0);
  };
  const when = () => whenOf(draft, form?.schedule ?? null, opened.parts);
  const look = (pause?: number) => {
    const said = missing(draft.kind, draft.parts) === undefined ? when() : { trigger: "" };
    preview.ask({ ...said, id: draft.id }, pause);
  };
  const put = <K extends keyof Draft>(name: K, value: Draft[K]) => {
    draft[name] = value;
    problems = problems.filter((each) => each.field !== name && !(WHEN.has(name) && isWhen(each.field)));
    if (name === "kind") draft.parts = draft.kind === opened.kind ? opened.parts : freshParts(draft.kind);
    // An H in an expression stands for a time that the id decides.
    if (WHEN.has(name) || (name === "id" && /h/i.test(draft.expression))) look();
    context.update();
  };
  const problemOf = (name: string) => [...problems, ...preview.problems].find((each) => each.field === name)?.message;

  const openInput = async () => {
    input = "asked";
    context.update();
    try {
      const { text, redacted, cut } = await read("api/schedule/input", { id: draft.id });
      draft.input = inputShown = text === "null" ? "" : text;
      inputNote =
        redacted > 0 || cut
          ? "What is hidden by its name must be written anew; it cannot be saved as it is shown."
          : null;
      input = "open";
    } catch (error) {
      failure = messageOf(error);
      input = "kept";
    }
    context.update();
  };

  const replacesInput = () => input === "open" && draft.input !== inputShown;
  const send = async (revision: number | null) => {
    const { id, job, misfire, overlap, description, paused } = draft;
    if (revision === null) {
      const rest = { id, job, misfire, overlap, description, paused, input: draft.input };
      return operate("api/schedules/create", { ...rest, ...when() });
    }
    const changes = {
      ...changesOf(draft, form?.schedule ?? null),
      ...(JSON.stringify(when()) === JSON.stringify(whenOf(opened, form?.schedule ?? null, opened.parts))
        ? {}
        : when()),
      ...(replacesInput() ? { input: draft.input } : {}),
    };
    for (let turn = 1, seen = revision; ; turn++) {
      try {
        return await operate("api/schedules/update", { id: draft.id, revision: seen, ...changes });
      } catch (error) {
        if (!(error instanceof ApiFailure && error.code === "NS_SCHEDULE_STALE")) throw error;
        const { schedule } = await read("api/schedules/form", { id: draft.id });
        if (schedule === null) throw error;
        // Every fire counts as a change. When that was all, nothing that a person decided is overwritten. Another input
        // cannot be seen from here, so who replaces the input is asked.
        if (turn === TRIES || replacesInput() || !sameDecisions(schedule, form?.schedule ?? null)) {
          newer = schedule;
          throw error;
        }
        seen = schedule.revision;
      }
    }
  };
  const submit = async (revision: number | null) => {
    if (busy) return;
    const left = missing(draft.kind, draft.parts);
    if (left !== undefined) {
      problems = [{ field: fieldOf(left.name), code: "", message: left.message }];
      context.update();
      focusField(fieldOf(left.name));
      return;
    }
    busy = true;
    problems = [];
    failure = newer = null;
    context.update();
    try {
      await send(revision);
      context.say(isNew ? `${draft.id} was created.` : `${draft.id} was changed.`);
      context.go(hrefTo("schedule", { id: draft.id }));
    } catch (error) {
      problems = error instanceof ApiFailure ? error.problems : [];
      const elsewhere = problems.filter((each) => each.field === null);
      failure = problems.length === 0 ? messageOf(error) : (elsewhere[0]?.message ?? null);
      if (newer !== null) failure = staleText(newer, form?.schedule ?? null);
    }
    busy = false;
    context.update();
    const [first] = problems;
    if (first?.field != null) focusField(first.field);
  };

  return {
    title: isNew ? "New schedule" : "Edit schedule",
    // Once: what a person is writing is not replaced under their hands, nor is the revision that guards it.
    async load(signal) {
      if (form === null) begin(await read("api/schedules/form", isNew ? {} : { id }, signal));
    },
    view() {
      if (form === null) return null;
      const head = h("h1", null, isNew ? "New schedule" : ["Edit ", id]);
      const refusal = refusalOf(form, context, isNew);
      if (refusal !== null) return [head, h("section", { class: "card" }, refusal)];
      const { schedule } = form;
      const what: Writing = { form, draft, put, problemOf };
      return [
        head,
        h(
          "form",
          {
            class: "writing",
            novalidate: true,
            onsubmit: (event) => {
              event.preventDefault();
              void submit(schedule?.revision ?? null);
            },
          },
          card(
            "What runs",
            null,
            h(
              "div",
              { class: "fields" },
              isNew && idField(what),
              jobField(what),
              descriptionField(what),
              input === "open"
                ? inputField(what, inputNote)
                : field(
                    { name: "input", label: "Input", wide: true, problem: problemOf("input") },
                    h(
                      "p",
                      { class: "kept" },
                      h("span", { class: "quiet" }, "Stays as it is."),
                      button("Change the input", () => void openInput(), { disabled: input === "asked" }),
                    ),
                  ),
            ),
          ),
          card(
            "When",
            null,
            h(
              "div",
              { class: "when" },
              h("div", { class: "fields" }, whenFields(what)),
              h(
                "div",
                { class: "next", "aria-live": "polite" },
                h("h3", null, "Next times"),
                preview.view(context.now()),
              ),
            ),
          ),
          card(
            "When the world does not keep to the plan",
            null,
            h("div", { class: "fields" }, policyFields(what)),
            isNew &&
              checkField("paused", "Start paused", "It makes no job until it is resumed.", draft.paused, (on) =>
                put("paused", on),
              ),
          ),
          failure !== null && h("p", { class: "error form-failure", role: "alert" }, failure),
          h(
            "div",
            { class: "actions" },
            h(
              "button",
              { type: "submit", class: "button primary", disabled: busy },
              isNew ? "Create schedule" : "Save changes",
            ),
            newer !== null && newerButtons(newer),
            h("a", { href: back, class: "button" }, "Cancel"),
          ),
        ),
      ];
    },
  };

  function newerButtons(schedule: ScheduleFormFacts): Child {
    return [
      button("Start from the newer one", () => {
        if (form !== null) begin({ ...form, schedule });
        context.update();
      }),
      button("Save my changes on top", () => void submit(schedule.revision), { danger: true }),
    ];
  }
}

/** Why nothing can be written here; null when it can. */
function refusalOf({ schedule, jobs }: ScheduleFormView, { about }: PageContext, isNew: boolean): Child {
  if (about.role !== "operate") return empty("You may look, but not change anything.");
  if (!about.has.scheduleEditor)
    return empty("Nothing in this process knows jobs, so no schedule can be written here.");
  if (schedule?.source === "code")
    return empty(
      "This schedule is declared in code.",
      "Change it there: the next start would undo a change made here.",
    );
  return isNew && jobs.length === 0 ? empty("This process knows no job.", "Give addJobs() the definitions.") : null;
}

const WHEN: ReadonlySet<string> = new Set(["kind", "parts", "expression", "dialect", "timeZone"]);
/** The names under which the server tells of a trigger. */
const isWhen = (field: string | null) => ["expression", "every", "rule", "start", "timeZone"].includes(field ?? "");

function draftOf(schedule: ScheduleFormFacts): Draft {
  const { trigger, expression, timeZone, ...rest } = schedule;
  const zone = "timeZone" in JSON.parse(trigger) ? timeZone : emptyDraft().timeZone;
  const read = readStored(trigger, zone);
  return { ...emptyDraft(), ...rest, timeZone: zone, expression: expression ?? "", ...read };
}

/** What the form says about when. */
function whenOf(
  { kind, parts, expression, dialect, timeZone }: Draft,
  base: ScheduleFormFacts | null,
  opened: Parts,
): ScheduleWhen {
  if (kind === "cron") return { expression: expression.trim(), dialect, timeZone };
  return { trigger: writeTrigger(kind, parts, timeZone, base?.trigger ?? null, opened) };
}

/** What the person changed; what they left is left out, and stays whatever it is. */
function changesOf(draft: Draft, base: ScheduleFormFacts | null): Partial<ScheduleDraft> {
  if (base === null) return {};
  return {
    ...(draft.job === base.job ? {} : { job: draft.job }),
    ...(draft.misfire === base.misfire ? {} : { misfire: draft.misfire }),
    ...(draft.overlap === base.overlap ? {} : { overlap: draft.overlap }),
    ...(draft.description === base.description ? {} : { description: draft.description }),
  };
}

/** What is said when the schedule is not the one that was opened. */
function staleText(newer: ScheduleFormFacts, opened: ScheduleFormFacts | null): string {
  const names = (Object.keys(newer) as (keyof ScheduleFormFacts)[]).filter(
    (name) => name in WORDS && newer[name] !== opened?.[name],
  );
  const what =
    names.length > 0
      ? `Somebody changed this schedule since you opened it: ${names.map((name) => WORDS[name] ?? name).join(", ")}.`
      : "This schedule moved on since you opened it, and whether somebody changed its input cannot be seen from here.";
  return `${what} Nothing was saved. Start from the newer one, or save your changes on top of it.`;
}

function sameDecisions(a: ScheduleFormFacts, b: ScheduleFormFacts | null): boolean {
  return b !== null && JSON.stringify({ ...a, revision: 0 }) === JSON.stringify({ ...b, revision: 0 });
}

function emptyDraft(): Draft {
  return {
    id: "",
    job: "",
    kind: "cron",
    parts: {},
    expression: "",
    dialect: "unix",
    // The reader's own zone, in plain sight: a time that is typed means the reader's clock.
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    input: "",
    misfire: "run-once",
    overlap: "allow",
    description: "",
    paused: false,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
