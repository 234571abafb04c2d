/** One list out of the lists of several shards, a page at a time. Each shard's place in it is kept in the cursor. */
import { NightshiftError, show } from "../../errors/index.ts";
import type { Page, PageRequest } from "../contract.ts";
import { decodeCursor, encodeCursor } from "../shared/cursor.ts";

/** Where each shard's list goes on: a cursor of its own, null at its end. One that is not named begins. */
export type Places = ReadonlyMap<string, string | null>;

/** A shard's page; the shard's place in the list when it gives none, as it is away. */
export interface Source<T> {
  readonly name: string;
  readonly page: Page<T> | null;
}

/**
 * The first items of all pages in order, at most `limit`. A shard's own order is never changed. Where a shard's page is
 * used up and more of it is to come, the merged page ends early: what comes next is not known.
 *
 * @param before whether the one item comes before the other
 */
export function mergePages<T>(
  sources: readonly Source<T>[],
  places: Places,
  limit: number,
  before: (a: T, b: T) => boolean,
): { readonly items: readonly T[]; readonly places: Places; readonly more: boolean } {
  const taken = new Map(sources.map(({ name }) => [name, 0]));
  const items: T[] = [];
  const isUsedUp = ({ name, page }: Source<T>) =>
    page !== null && page.next !== null && taken.get(name) === page.items.length;
  while (items.length < limit && !sources.some(isUsedUp)) {
    let best: { readonly name: string; readonly item: T } | null = null;
    for (const { name, page } of sources) {
      const item = page?.items[taken.get(name) ?? 0];
      if (item !== undefined && (best === null || before(item, best.item))) best = { name, item };
    }
    if (best === null) break;
    items.push(best.item);
    taken.set(best.name, (taken.get(best.name) ?? 0) + 1);
  }
  const after = new Map(places);
  let more = false;
  for (const { name, page } of sources) {
    if (page === null) continue;
    const count = taken.get(name) ?? 0;
    const rest = count < page.items.length;
    if (!rest) after.set(name, page.next);
    else if (count > 0) after.set(name, cursorBehind(page, count));
    more ||= rest || page.next !== null;
  }
  return { items, places: after, more };
}

function cursorBehind<T>({ cursors }: Page<T>, count: number): string {
  const cursor = cursors?.[count - 1];
  if (cursor !== undefined) return cursor;
  throw new NightshiftError("NS_STORE_UNSUPPORTED", "A shard's store gives no cursors with its pages.");
}

const MARK = "shards";

export function encodePlaces(places: Places): string {
  return encodeCursor([MARK, JSON.stringify([...places])]);
}

/** @throws NS_OPTION_INVALID for anything that {@link encodePlaces} did not make */
export function decodePlaces({ cursor }: PageRequest): Places {
  const parts = decodeCursor(cursor, ["string", "string"]);
  if (parts === null) return new Map();
  let entries: unknown;
  try {
    entries = parts[0] === MARK ? JSON.parse(parts[1]) : null;
  } catch {
    entries = null;
  }
  const isPlace = (entry: unknown): entry is [string, string | null] =>
    Array.isArray(entry) && typeof entry[0] === "string" && (entry[1] === null || typeof entry[1] === "string");
  if (Array.isArray(entries) && entries.every(isPlace)) return new Map(entries);
  throw new NightshiftError("NS_OPTION_INVALID", `cursor is ${show(cursor)}. Pass the next of an earlier page.`);
}
