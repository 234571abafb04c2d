/** Errors stored with attempts, made readable. Any text can be in a store, so nothing about its form is believed. */
import type { ErrorView } from "../api.ts";

const MOST_CAUSES = 5;

/** A stored error as it is shown; text that is not an error's JSON becomes the message. */
export function viewError(text: string | null): ErrorView | null {
  if (text === null) return null;
  const causes: Omit<ErrorView, "causes">[] = [];
  const stored = parse(text);
  let cause = fieldOf(stored, "cause");
  while (cause !== undefined && cause !== null && causes.length < MOST_CAUSES) {
    causes.push(viewOne(cause, ""));
    cause = fieldOf(cause, "cause");
  }
  return { ...viewOne(stored, text), causes };
}

/** The head of a stored error, for lists. */
export function viewErrorHead(text: string | null): Pick<ErrorView, "name" | "message"> | null {
  if (text === null) return null;
  const { name, message } = viewOne(parse(text), text);
  return { name, message: message.length > 300 ? `${message.slice(0, 300)}…` : message };
}

function viewOne(value: unknown, whole: string): Omit<ErrorView, "causes"> {
  if (typeof value === "string") return { name: "Error", message: value, code: null, stack: null };
  const message = textOf(value, "message");
  if (message === null) return { name: "Error", message: whole, code: null, stack: null };
  return {
    name: textOf(value, "name") ?? "Error",
    message,
    code: textOf(value, "code"),
    stack: textOf(value, "stack"),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

function textOf(value: unknown, name: string): string | null {
  const found = fieldOf(value, name);
  return typeof found === "string" && found !== "" ? found : null;
}
