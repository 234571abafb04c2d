/** The fields of a schedule's form, each from what stands in it to what is typed into it. */
import type { MisfireChoice, OverlapChoice, ScheduleDraft, ScheduleFormView } from "../../api.ts";
import { type Child, h } from "../dom.ts";
import { areaField, choiceField, textField } from "../fields.ts";
import { fieldOf, KINDS, type Kind, type Parts, partsOf } from "./trigger-kinds.ts";

const DIALECTS = [
  ["unix", "unix: minute hour day month weekday"],
  ["quartz", "quartz: seconds first, Sunday is 1"],
  ["cronos", "cronos: as Hangfire reads it"],
] as const;
/** What each policy does, in words. */
export const MISFIRES: Readonly<Record<MisfireChoice, string>> = {
  "run-once": "One job for all that was missed, standing at the latest time.",
  skip: "None: it goes on with the next time.",
  "catch-up": "A job for each of the latest missed times: 100, unless code set another bound.",
  "run-all": "A job for each missed time, however many.",
};
/** What each policy does, in words. */
export const OVERLAPS: Readonly<Record<OverlapChoice, string>> = {
  allow: "The next one is made all the same; both may run.",
  skip: "The next one is left out.",
  queue: "The next one waits until it is over.",
  replace: "It is cancelled, and the next one is made.",
};
const LONGEST_INPUT = 50_000;

/** A schedule as it stands in the form. Its trigger stands in its parts. */
export type Draft = { -readonly [K in keyof Omit<ScheduleDraft, "trigger">]: ScheduleDraft[K] } & {
  id: string;
  paused: boolean;
  kind: Kind;
  parts: Parts;
};
/** What the fields work on. */
export interface Writing {
  readonly form: ScheduleFormView;
  readonly draft: Draft;
  readonly put: <K extends keyof Draft>(name: K, value: Draft[K]) => void;
  readonly problemOf: (name: string) => string | undefined;
}

export function idField({ draft, put, problemOf }: Writing): Child {
  const hint = "Stable and unique: history and pauses hang on it.";
  const look = { name: "id", label: "Id", problem: problemOf("id"), hint };
  return textField(look, draft.id, (value) => put("id", value), { longest: 200, placeholder: "report:acme" });
}

export function jobField({ form, draft, put, problemOf }: Writing): Child {
  const names = form.jobs.map(({ name }) => [name, name] as const);
  const known = draft.job === "" || form.jobs.some(({ name }) => name === draft.job);
  const choices = known ? names : [[draft.job, `${draft.job} (not known to this process)`] as const, ...names];
  const look = { name: "job", label: "Job", problem: problemOf("job"), hint: "The jobs that this process knows." };
  return choiceField(look, draft.job, choices, (value) => put("job", value));
}

export function descriptionField({ draft, put, problemOf }: Writing): Child {
  const look = { name: "description", label: "Description", problem: problemOf("description"), wide: true };
  const also = { longest: 2_000, placeholder: "Optional; shown in place of the times" };
  return textField(look, draft.description, (value) => put("description", value), also);
}

export function inputField({ form, draft, put, problemOf }: Writing, note: string | null): Child {
  const takesInput = form.jobs.find(({ name }) => name === draft.job)?.takesInput ?? true;
  const hint =
    note ?? (takesInput ? "JSON, checked against the job's schema." : "This job takes no input: leave it empty.");
  const look = { name: "input", label: "Input", problem: problemOf("input"), hint, wide: true };
  return areaField(look, draft.input, (value) => put("input", value), LONGEST_INPUT);
}

export function whenFields(writing: Writing): Child {
  const { form, draft, put, problemOf } = writing;
  return [
    choiceField({ name: "kind", label: "Kind", wide: true }, draft.kind, KINDS, (value) => put("kind", value as Kind)),
    draft.kind === "cron" ? cronFields(writing) : partFields(writing),
    draft.kind !== "json" &&
      textField(
        { name: "timeZone", label: "Time zone", problem: problemOf("timeZone"), wide: true },
        draft.timeZone,
        (value) => put("timeZone", value),
        { placeholder: "Europe/Oslo", list: "time-zones" },
      ),
    h(
      "datalist",
      { id: "time-zones", key: "time-zones" },
      form.timeZones.map((zone) => h("option", { key: zone, value: zone })),
    ),
  ];
}

function cronFields({ draft, put, problemOf }: Writing): Child {
  return [
    textField(
      { name: "expression", label: "Cron expression", problem: problemOf("expression"), wide: true },
      draft.expression,
      (value) => put("expression", value),
      { placeholder: "0 3 * * MON-FRI", code: true },
    ),
    choiceField({ name: "dialect", label: "Dialect", wide: true }, draft.dialect, DIALECTS, (value) =>
      put("dialect", value as Draft["dialect"]),
    ),
  ];
}

function partFields({ draft, put, problemOf }: Writing): Child {
  const take = (name: string) => (value: string) => put("parts", { ...draft.parts, [name]: value });
  const specs = partsOf(draft.kind);
  // What is wrong with the whole, or with what has no field of its own, is told at the first field.
  const own = new Set(specs.map(({ name }) => fieldOf(name)));
  const whole = ["expression", "every", "rule", "start"].filter((name) => !own.has(name) || name === "expression");
  const problem = (name: string, first: boolean) =>
    problemOf(fieldOf(name)) ?? (first ? whole.map(problemOf).find((each) => each !== undefined) : undefined);
  if (draft.kind === "json") {
    const hint = "The stored form, as toJSON() gives it: also any-of, except and jitter.";
    const look = { name: "json", label: "Trigger", problem: problem("json", true), hint, wide: true };
    return areaField(look, draft.parts["json"] ?? "", take("json"), 4_000);
  }
  return specs.map(({ name, label, hint, wide = false, choices, placeholder, type, reads }, index) => {
    const look = { name: fieldOf(name), label, problem: problem(name, index === 0), wide, ...(hint ? { hint } : {}) };
    const value = draft.parts[name] ?? "";
    if (choices !== undefined)
      return choiceField(
        look,
        value,
        choices.map((each) => [each, each] as const),
        take(name),
      );
    const also = {
      ...(placeholder ? { placeholder } : {}),
      ...(type ? { type } : {}),
      code: reads === "text" && !type,
    };
    return textField(look, value, take(name), also);
  });
}

export function policyFields({ draft, put }: Writing): Child {
  const names = (words: Readonly<Record<string, string>>) => Object.keys(words).map((word) => [word, word] as const);
  return [
    choiceField(
      { name: "misfire", label: "When times were missed", hint: MISFIRES[draft.misfire] },
      draft.misfire,
      names(MISFIRES),
      (value) => put("misfire", value as MisfireChoice),
    ),
    choiceField(
      { name: "overlap", label: "When the previous job is not over", hint: OVERLAPS[draft.overlap] },
      draft.overlap,
      names(OVERLAPS),
      (value) => put("overlap", value as OverlapChoice),
    ),
  ];
}
