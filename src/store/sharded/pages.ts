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
): Merged<T> {
  const taken = new Map(sources.map(({ name }) => [name, 0]));
  const items: T[] = [];
  const names: string[] = [];
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
    names.push(best.name);
    taken.set(best.name, (taken.get(best.name) ?? 0) + 1);
  }
  const more = sources.some(
    ({ name, page }) => page !== null && (page.next !== null || (taken.get(name) ?? 0) < page.items.length),
  );
  const placesBehind = (count: number): Places => {
    const behind = new Map(places);
    for (const { name, page } of sources) {
      if (page === null) continue;
      const own = names.slice(0, count).filter((each) => each === name).length;
      if (own === page.items.length) behind.set(name, page.next);
      else if (own > 0) behind.set(name, cursorBehind(page, own));
    }
    return behind;
  };
  return { items, more, placesBehind };
}

/** A page out of several. */
export interface Merged<T> {
  readonly items: readonly T[];
  /** Whether there is more behind it. */
  readonly more: boolean;
  /** Where the lists go on behind the first so many items. */
  placesBehind(count: number): Places;
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
    entries = null; // refused below, with what was given
  }
  const isPlace = (entry: unknown): entry is [string, string | null] =>
    Array.isArray(entry) && typeof entry[0] === "string" && (entry[1] === null || typeof entry[1] === "string");
  if (Array.isArray(entries) && entries.every(isPlace)) return new Map(entries);
  throw new NightshiftError("NS_OPTION_INVALID", `cursor is ${show(cursor)}. Pass the next of an earlier page.`);
}
