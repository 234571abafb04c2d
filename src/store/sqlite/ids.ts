/** Ids: whole numbers in the file, text outside. */
import { TAILS } from "../shared/tails.ts";

/** The number in an id; null for text that is no id of this store, which then simply does not exist. */
export function parseId(id: string): number | null {
  return /^[1-9]\d{0,15}$/.test(id) ? Number(id) : null;
}

/**
 * An id as text, as `String(id)` writes it. That keeps texts and numbers in a cache of V8's, which is some thousand ids
 * long and counts as alive in each collection of young objects: here one entry serves a thousand ids that follow each other.
 */
export function idText(id: number): string {
  return id < 1_000 ? String(id) : `${Math.floor(id / 1_000)}${TAILS[id % 1_000]}`;
}
