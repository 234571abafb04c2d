/** Reading what a caller sent: every value is checked for its form and bounded in length before anything uses it. */
import { didYouMean, show } from "../../errors/index.ts";
import { Refusal } from "./refusal.ts";

/** Names, ids and cursors are never longer than this. */
const LONGEST_TEXT = 500;
const LONGEST_REASON = 1_000;
/** How many jobs one call may name. */
const MOST_IDS = 500;

/** The one that is a sentence rather than a name: a trigger as JSON. */
const LONGEST_TRIGGER = 4_000;

/** The query of a GET. */
export interface QueryReader {
  text(name: string): string | undefined;
  required(name: string): string;
  oneOf<T extends string>(name: string, choices: readonly T[]): T;
  /** A whole number from 1 to `most`; `fallback` when it was not given. */
  limit(name: string, most: number, fallback: number): number;
}

/** The body of a POST. */
export interface BodyReader {
  text(name: string, longest?: number): string;
  /** Text that may be empty, or left out: then undefined. */
  optionalText(name: string, longest?: number): string | undefined;
  oneOf<T extends string>(name: string, choices: readonly T[]): T;
  flag(name: string): boolean;
  /** A whole number from 0. */
  count(name: string): number;
  has(name: string): boolean;
  reason(): { reason?: string };
  ids(): readonly string[];
  /** Refuses what is not one of these. */
  only(...names: readonly string[]): void;
}

/** @param known the names that the route takes; any other, and any given twice, is refused */
export function readQuery(parameters: URLSearchParams, known: readonly string[]): QueryReader {
  const values = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (!known.includes(name)) refuse(`There is no parameter ${show(name)} here.${didYouMean(name, known)}`);
    if (values.has(name)) refuse(`The parameter ${name} was given twice.`);
    values.set(name, bounded(value, name, name === "trigger" ? LONGEST_TRIGGER : LONGEST_TEXT));
  }
  const required = (name: string) => values.get(name) || refuse(`The parameter ${name} is missing.`);
  return {
    text: (name) => values.get(name) || undefined,
    required,
    oneOf(name, choices) {
      const value = required(name);
      return (
        choices.find((choice) => choice === value) ??
        refuse(`${name} is ${show(value)}. It is one of ${choices.join(", ")}.`)
      );
    },
    limit(name, most, fallback) {
      const value = values.get(name);
      if (value === undefined) return fallback;
      const number = /^[0-9]{1,7}$/.test(value) ? Number(value) : 0;
      return number >= 1 && number <= most
        ? number
        : refuse(`${name} is ${show(value)}. It is a whole number from 1 to ${most}.`);
    },
  };
}

/** @param value parsed JSON of any form */
export function readBody(value: unknown): BodyReader {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse("The body is not a JSON object.");
  // Own properties only: "constructor" and "__proto__" are names like any other here.
  const fields = new Map<string, unknown>(Object.entries(value));
  const text = (name: string, longest = LONGEST_TEXT) => {
    const found = fields.get(name);
    if (typeof found !== "string" || found === "") {
      refuse(`${name} is ${show(found)}. It is text, and not empty.`, name);
    }
    return bounded(found, name, longest);
  };
  return {
    text,
    optionalText(name, longest = LONGEST_TEXT) {
      const found = fields.get(name);
      if (found === undefined) return undefined;
      return typeof found === "string"
        ? bounded(found, name, longest)
        : refuse(`${name} is ${show(found)}. It is text.`, name);
    },
    oneOf(name, choices) {
      const found = fields.get(name);
      const rule = `It is one of ${choices.join(", ")}.`;
      return choices.find((choice) => choice === found) ?? refuse(`${name} is ${show(found)}. ${rule}`, name);
    },
    flag(name) {
      const found = fields.get(name);
      return typeof found === "boolean" ? found : refuse(`${name} is ${show(found)}. It is true or false.`, name);
    },
    count(name) {
      const found = fields.get(name);
      return typeof found === "number" && Number.isSafeInteger(found) && found >= 0
        ? found
        : refuse(`${name} is ${show(found)}. It is a whole number.`, name);
    },
    has: (name) => fields.has(name),
    reason: () => (fields.get("reason") === undefined ? {} : { reason: text("reason", LONGEST_REASON) }),
    ids() {
      const ids = fields.get("ids");
      if (!Array.isArray(ids) || ids.length === 0 || ids.length > MOST_IDS) {
        refuse(`ids is ${show(ids)}. It is a list of 1 to ${MOST_IDS} ids.`);
      }
      return ids.map((id: unknown) =>
        typeof id === "string" && id !== ""
          ? bounded(id, "an id", LONGEST_TEXT)
          : refuse(`An id is ${show(id)}. It is text.`),
      );
    },
    only(...names) {
      for (const name of fields.keys()) {
        if (!names.includes(name)) refuse(`There is no ${show(name)} here.${didYouMean(name, names)}`);
      }
    },
  };
}

function bounded(value: string, name: string, longest: number): string {
  if (value.length > longest) refuse(`${name} has ${value.length} characters; ${longest} are allowed.`, name);
  if (value.includes("\0")) refuse(`${name} has a NUL character.`, name);
  return value;
}

function refuse(message: string, field?: string): never {
  const code = "NS_DASHBOARD_REQUEST";
  throw new Refusal(400, message, code, field === undefined ? [] : [{ field, code, message }]);
}
