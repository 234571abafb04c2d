/** What was thrown, as data: stored with the attempt, shown to people, and turned back into a cause for who awaits the result. */
import { inspect } from "node:util";

/** An error as it is stored. Never revived as its class: names are for people. */
export interface JobFailure {
  /** The error's name, often that of its class. */
  readonly name: string;
  /** At most 4,000 characters. */
  readonly message: string;
  /** Its `code`, where it has one. */
  readonly code?: string;
  /** At most 8,000 characters. */
  readonly stack?: string;
  /** What it was caused by, at most four deep. */
  readonly cause?: JobFailure;
  /** The errors of an AggregateError, the first few of them. */
  readonly errors?: readonly JobFailure[];
}

const LONGEST_MESSAGE = 4_000;
const LONGEST_STACK = 8_000;
const DEEPEST_CAUSE = 4;
const MOST_ERRORS = 5;

/** Anything thrown, as data. Never throws itself, whatever traps the value has. */
export function failureOf(thrown: unknown, depth = 0): JobFailure {
  try {
    return thrown instanceof Error ? fromError(thrown, depth) : { name: nameOf(thrown), message: textOf(thrown) };
  } catch (error) {
    // A getter of the thrown value threw in its turn.
    return { name: "Error", message: `Something was thrown that cannot be read (${typeof error})` };
  }
}

/** Anything thrown, as the JSON text that a store keeps. */
export function failureText(thrown: unknown): string {
  return JSON.stringify(failureOf(thrown));
}

/** The stored text as data again; text of another make (an older version, a foreign tool) becomes the message. */
export function parseFailure(text: string): JobFailure {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "message" in value) return value as JobFailure;
    return { name: "Error", message: typeof value === "string" ? value : text };
  } catch {
    return { name: "Error", message: text }; // not JSON: all of it is told
  }
}

/** A plain Error with the stored facts, to be a cause. */
export function reviveFailure(failure: JobFailure): Error {
  const cause = failure.cause === undefined ? {} : { cause: reviveFailure(failure.cause) };
  const error = new Error(failure.message, cause);
  const facts: PropertyDescriptorMap = { name: { value: failure.name, configurable: true, writable: true } };
  if (failure.stack !== undefined) facts["stack"] = { value: failure.stack, configurable: true, writable: true };
  if (failure.code !== undefined) facts["code"] = { value: failure.code, enumerable: true };
  return Object.defineProperties(error, facts);
}

function fromError(error: Error, depth: number): JobFailure {
  const { code } = error as { readonly code?: unknown };
  const deeper = depth < DEEPEST_CAUSE;
  return {
    name: cut(String(error.name), 200),
    message: cut(String(error.message), LONGEST_MESSAGE),
    ...(typeof code === "string" || typeof code === "number" ? { code: cut(String(code), 200) } : {}),
    ...(typeof error.stack === "string" ? { stack: cut(error.stack, LONGEST_STACK) } : {}),
    ...(deeper && error.cause !== undefined ? { cause: failureOf(error.cause, depth + 1) } : {}),
    ...(deeper && error instanceof AggregateError
      ? { errors: error.errors.slice(0, MOST_ERRORS).map((each) => failureOf(each, depth + 1)) }
      : {}),
  };
}

function nameOf(thrown: unknown): string {
  return thrown === null ? "null" : typeof thrown;
}

function textOf(thrown: unknown): string {
  return cut(typeof thrown === "string" ? thrown : inspect(thrown, { depth: 2, breakLength: 120 }), LONGEST_MESSAGE);
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
