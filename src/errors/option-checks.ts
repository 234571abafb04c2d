/** The checks that all options share. Each adds what is wrong to a list of problems. */
import { NightshiftError } from "./nightshift-error.ts";
import type { Problems } from "./problems.ts";
import { show } from "./show.ts";

/** Adds a problem when a value is none of the words allowed. */
export function oneOf(value: unknown, allowed: readonly unknown[], what: string, problems: Problems): void {
  if (allowed.includes(value)) return;
  const words = allowed.map((word) => JSON.stringify(word)).join(", ");
  problems.add("NS_OPTION_INVALID", `${what} is ${show(value)}. Give one of ${words}.`);
}

/** The options, or none when it is no object. */
export function optionsOf<T extends object>(given: T, what: string, problems: Problems): T {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return given;
  problems.add("NS_OPTION_INVALID", `${what} got ${show(given)} as options. Give an object.`);
  return {} as T;
}

/** The text, or the fallback when it is none. */
export function textOf(value: unknown, what: string, fallback: string, problems: Problems): string {
  if (typeof value === "string" && value.trim() !== "") return value;
  problems.add("NS_OPTION_INVALID", `${what} is ${show(value)}. Give a text that is not empty.`);
  return fallback;
}

/** Adds a problem when a value lacks one of the methods that it is there for. */
export function hasMethods(
  value: unknown,
  methods: readonly string[],
  what: string,
  advice: string,
  problems: Problems,
): void {
  const given = (typeof value === "object" || typeof value === "function") && value !== null ? value : {};
  const missing = methods.find((method) => typeof (given as Record<string, unknown>)[method] !== "function");
  if (missing === undefined) return;
  const found = given === value ? `has no method ${missing}()` : `is ${show(value)}`;
  problems.add("NS_OPTION_INVALID", `${what} ${found}. ${advice}`);
}

/** Adds a problem when a value is neither true nor false. */
export function isFlag(value: unknown, what: string, problems: Problems): void {
  if (typeof value !== "boolean") problems.add("NS_OPTION_INVALID", `${what} is ${show(value)}. Give true or false.`);
}

/** Adds a problem when a value is no whole number in these bounds. */
export function isWhole(value: unknown, min: number, max: number, what: string, problems: Problems): void {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  problems.add("NS_OPTION_INVALID", `${what} is ${show(value)}. Give a whole number from ${min} to ${max}.`);
}

/** Adds a problem when a value is no function. */
export function isCallable(value: unknown, what: string, problems: Problems): void {
  if (typeof value !== "function") problems.add("NS_OPTION_INVALID", `${what} is ${show(value)}. Give a function.`);
}

/** Adds a problem when a port is none. */
export function isPort(value: unknown, what: string, problems: Problems): void {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535) return;
  problems.add("NS_OPTION_INVALID", `${what} is ${show(value)}. Give a whole number from 0 (any free one) to 65535.`);
}

/**
 * Throws where a function that takes one argument was given more. TypeScript refuses that; JavaScript would ignore it
 * without a word. Only names are shown: there may be a password among the values.
 *
 * @param more what came after the first
 * @throws NS_OPTION_INVALID
 */
export function refuseMore(what: string, more: readonly unknown[], advice: string): void {
  const [second] = more;
  // A number is what `paths.map(sqlite)` passes.
  if (second === null || (typeof second !== "object" && typeof second !== "string")) return;
  const names = typeof second === "object" ? ` ({ ${Object.keys(second).join(", ")} })` : "";
  throw new NightshiftError(
    "NS_OPTION_INVALID",
    `${what} takes one argument, and was given a second one${names}. ${advice}`,
  );
}
