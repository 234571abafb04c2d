/** Cursors of pages: the key of the last entry seen, as opaque text that fits a URL. */
import { NightshiftError, show } from "../../errors/index.ts";
import type { Page, PageRequest } from "../contract.ts";

/** The parts of a key: numbers and text, in the order of the sort. */
export type CursorPart = string | number;

/** The cursor that continues after the entry with this key. */
export function encodeCursor(parts: readonly CursorPart[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** A page of what was found, one more than asked for if there is more, with the cursor after its last entry. */
export function pageOf<T>(
  found: readonly T[],
  { limit, cursors }: PageRequest,
  key: (item: T) => readonly CursorPart[],
): Page<T> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const next = found.length > limit && last !== undefined ? encodeCursor(key(last)) : null;
  return cursors ? { items, next, cursors: items.map((item) => encodeCursor(key(item))) } : { items, next };
}

/**
 * The key in a cursor; null for the first page.
 *
 * @param shape the type of each part, as it was encoded
 * @throws NS_OPTION_INVALID for anything that {@link encodeCursor} did not make
 */
export function decodeCursor<const S extends readonly ("string" | "number")[]>(
  cursor: string | undefined,
  shape: S,
): { -readonly [K in keyof S]: S[K] extends "string" ? string : number } | null {
  if (cursor === undefined) return null;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    parts = undefined; // refused below, with what was given
  }
  const fits =
    Array.isArray(parts) && parts.length === shape.length && shape.every((type, index) => typeof parts[index] === type);
  if (!fits) {
    throw new NightshiftError("NS_OPTION_INVALID", `cursor is ${show(cursor)}. Pass the next of an earlier page.`);
  }
  return parts as { -readonly [K in keyof S]: S[K] extends "string" ? string : number };
}
