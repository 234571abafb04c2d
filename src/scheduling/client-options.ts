/** Checks what the client's calls are given beside a schedule itself. Programs without types get messages, not surprises. */
import { didYouMean, NightshiftError, Problems, show } from "../errors/index.ts";
import type { ScheduleQuery } from "../store/contract.ts";

/** The most planned times that one call gives. */
export const MOST_PREVIEWED = 10_000;
const LONGEST = 200;
const MISSED = ["skip", "policy"] as const;

/** Refuses what is no object, and options that are not known: with one misspelt, another thing would be done than was asked for. */
export function checkCall(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new NightshiftError("NS_OPTION_INVALID", `${what} takes its options as an object, got ${show(options)}.`);
  }
  const problems = new Problems();
  problems.unknownOptions(what, options, known);
  problems.throwIfAny(what);
}

/** @throws NS_OPTION_INVALID, NS_OPTION_UNKNOWN */
export function checkResume(what: string, options: { readonly missed?: unknown }): void {
  checkCall(what, options, ["missed"]);
  const { missed = "skip" } = options;
  if (MISSED.some((each) => each === missed)) return;
  const hint = typeof missed === "string" ? didYouMean(missed, MISSED) : "";
  const message = `${what}: missed is ${show(missed)}. Give ${MISSED.map(show).join(" or ")}.${hint}`;
  throw new NightshiftError("NS_OPTION_INVALID", message);
}

/** @throws NS_OPTION_INVALID unless it is text: stores would not agree on what to make of anything else */
export function checkText(what: string, value: unknown): void {
  if (typeof value === "string" && value.length <= LONGEST && !value.includes("\0")) return;
  const message = `${what} is ${show(value)}. Give text of at most ${LONGEST} characters.`;
  throw new NightshiftError("NS_OPTION_INVALID", message);
}

/** @throws NS_OPTION_INVALID, NS_OPTION_UNKNOWN: a filter that is misspelt would list everything */
export function checkList(what: string, query: Partial<ScheduleQuery>): void {
  checkCall(what, query, ["group", "job", "paused", "source", "limit", "cursor", "cursors"]);
  const { group, job, paused, source } = query;
  if (group !== undefined) checkText(`${what}: group`, group);
  if (job !== undefined) checkText(`${what}: job`, job);
  if (paused !== undefined && typeof paused !== "boolean") {
    throw new NightshiftError("NS_OPTION_INVALID", `${what}: paused is ${show(paused)}. Give true or false.`);
  }
  if (source !== undefined && source !== "code" && source !== "dynamic") {
    throw new NightshiftError("NS_OPTION_INVALID", `${what}: source is ${show(source)}. Give "code" or "dynamic".`);
  }
}

/** @throws NS_OPTION_INVALID */
export function checkPreview(what: string, count: unknown, from: unknown): void {
  if (!(typeof count === "number" && Number.isInteger(count) && count >= 0 && count <= MOST_PREVIEWED)) {
    const message = `${what}: n is ${show(count)}. Give a whole number from 0 to ${MOST_PREVIEWED}.`;
    throw new NightshiftError("NS_OPTION_INVALID", message);
  }
  if (from !== undefined && !(from instanceof Date && Number.isFinite(from.getTime()))) {
    throw new NightshiftError("NS_OPTION_INVALID", `${what}: from is ${show(from)}. Give a valid Date.`);
  }
}
