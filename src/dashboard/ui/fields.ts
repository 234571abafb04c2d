/** The fields of forms: a label, a control, a word of help, and what is wrong with it right below. */
import { type Child, h, type VNode } from "./dom.ts";

/** What all fields have. */
export interface FieldLook {
  readonly name: string;
  readonly label: string;
  readonly hint?: Child;
  /** What is wrong with it. */
  readonly problem?: string | undefined;
  /** Takes the whole width. */
  readonly wide?: boolean;
}

type Take = (value: string) => void;

/** A line of text. `list` is the id of a datalist with suggestions; `code` sets it in equal widths. */
export function textField(
  look: FieldLook,
  value: string,
  take: Take,
  also: {
    readonly longest?: number;
    readonly placeholder?: string;
    readonly list?: string;
    readonly code?: boolean;
    readonly type?: "text" | "time" | "datetime-local";
  } = {},
): VNode {
  return field(
    look,
    h("input", {
      ...control(look),
      type: also.type ?? "text",
      value,
      // Seconds are kept where there are some.
      step: also.type === undefined || also.type === "text" ? undefined : "any",
      maxlength: also.longest ?? 500,
      placeholder: also.placeholder,
      list: also.list,
      class: also.code ? "mono" : undefined,
      autocomplete: "off",
      spellcheck: "false",
      oninput: (event) => take((event.target as HTMLInputElement).value),
    }),
  );
}

/** Several lines of text. */
export function areaField(look: FieldLook, value: string, take: Take, longest: number): VNode {
  return field(
    look,
    h("textarea", {
      ...control(look),
      value,
      rows: 5,
      maxlength: longest,
      class: "mono",
      autocomplete: "off",
      spellcheck: "false",
      oninput: (event) => take((event.target as HTMLTextAreaElement).value),
    }),
  );
}

/** One of a few. */
export function choiceField(
  look: FieldLook,
  value: string,
  choices: readonly (readonly [value: string, label: string])[],
  take: Take,
): VNode {
  return field(
    look,
    h(
      "select",
      { ...control(look), value, onchange: (event) => take((event.target as HTMLSelectElement).value) },
      choices.map(([each, label]) => h("option", { key: each, value: each, selected: each === value }, label)),
    ),
  );
}

/** Yes or no. */
export function checkField(
  name: string,
  label: string,
  hint: string,
  checked: boolean,
  take: (on: boolean) => void,
): VNode {
  return h(
    "label",
    { class: "check", key: name },
    h("input", {
      type: "checkbox",
      name,
      checked,
      onchange: (event) => take((event.target as HTMLInputElement).checked),
    }),
    h("span", null, label, " ", h("span", { class: "quiet" }, hint)),
  );
}

/** A field around a control of any kind. */
export function field(look: FieldLook, ...controls: readonly Child[]): VNode {
  const { name, label, hint, problem, wide } = look;
  return h(
    "div",
    { key: name, class: wide ? "field field-wide" : "field" },
    h("label", { for: idOf(name) }, label),
    controls,
    h("p", { class: "problem", id: `${idOf(name)}-problem`, role: "alert", hidden: problem === undefined }, problem),
    hint !== undefined && hint !== null && h("p", { class: "hint", id: `${idOf(name)}-hint` }, hint),
  );
}

/** Puts the cursor where something is wrong. */
export function focusField(name: string): void {
  document.getElementById(idOf(name))?.focus();
}

function control({ name, problem, hint }: FieldLook): VNode["props"] {
  const told = [problem !== undefined && `${idOf(name)}-problem`, hint !== undefined && `${idOf(name)}-hint`];
  return {
    id: idOf(name),
    name,
    "aria-invalid": problem === undefined ? undefined : "true",
    "aria-describedby": told.filter((each) => each !== false).join(" ") || undefined,
  };
}

function idOf(name: string): string {
  return `field-${name}`;
}
