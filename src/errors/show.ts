/** How a received value is shown in an error message: short, on one line, and never able to throw. */
import { inspect } from "node:util";

const LONGEST = 120;

/** A received value as text for a message: quoted, one line, cut at 120 characters. */
export function show(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : inspect(value, { depth: 1, breakLength: Infinity });
  const line = text.replaceAll(/\s*\n\s*/g, " ");
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

/** The message of anything that was thrown: an Error, a string, undefined, a frozen object, one whose traps throw. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : show(thrown);
  } catch {
    return "something that cannot be shown";
  }
}
