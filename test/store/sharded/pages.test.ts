import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Page } from "../../../src/store/contract.ts";
import { decodePlaces, encodePlaces, mergePages } from "../../../src/store/sharded/pages.ts";

interface Item {
  readonly shard: string;
  readonly index: number;
  readonly time: number;
}

/** A shard's list, newest first, whose pages may end early, as a filter that few match makes them. */
class List {
  readonly name: string;
  readonly items: readonly Item[];
  readonly #patience: number;

  constructor(name: string, times: readonly number[], patience: number) {
    this.name = name;
    this.items = times.map((time, index) => ({ shard: name, index, time }));
    this.#patience = patience;
  }

  page(place: string | null | undefined, limit: number): Page<Item> {
    if (place === null) return { items: [], next: null };
    const start = place === undefined ? 0 : Number(place);
    const end = Math.min(this.items.length, start + Math.min(limit, this.#patience));
    const items = this.items.slice(start, end);
    const next = end < this.items.length ? String(end) : null;
    return { items, next, cursors: items.map((_, index) => String(start + index + 1)) };
  }
}

const newestFirst = (times: readonly number[]) => [...times].sort((a, b) => b - a);
const lists = fc
  .array(fc.record({ times: fc.array(fc.nat(50), { maxLength: 40 }), patience: fc.integer({ min: 1, max: 60 }) }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((all) => all.map(({ times, patience }, n) => new List(`s${n}`, newestFirst(times), patience)));

/** Reads everything, page by page; a shard of `away` gives nothing until as many pages were read. */
function readAll(shards: readonly List[], limit: number, away: ReadonlyMap<string, number> = new Map()): Item[] {
  const seen: Item[] = [];
  let cursor: string | undefined;
  for (let turn = 0; turn < 1_000; turn++) {
    const places = decodePlaces({ limit, ...(cursor === undefined ? {} : { cursor }) });
    const sources = shards.map((list) => ({
      name: list.name,
      page: turn < (away.get(list.name) ?? 0) ? null : list.page(places.get(list.name), limit),
    }));
    const merged = mergePages(sources, places, limit, (a, b) => a.time > b.time);
    assert.ok(merged.items.length <= limit);
    seen.push(...merged.items);
    if (!merged.more) return seen;
    cursor = encodePlaces(merged.placesBehind(merged.items.length));
  }
  return assert.fail("the list never ends");
}

test("every item of every shard comes once, newest first over all of them, whatever the pages", () => {
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 12 }), (shards, limit) => {
      const seen = readAll(shards, limit);
      assert.equal(
        seen.length,
        shards.reduce((sum, { items }) => sum + items.length, 0),
      );
      assert.deepEqual(
        seen.map(({ time }) => time),
        newestFirst(seen.map(({ time }) => time)),
      );
      for (const { name, items } of shards)
        assert.deepEqual(
          seen.filter(({ shard }) => shard === name),
          items,
        );
    }),
  );
});

test("a shard that is away for some pages loses none of its items, and costs the others none", () => {
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 12 }), fc.nat(3), (shards, limit, pages) => {
      const [first, ...others] = shards;
      // It comes back while the others still have pages, or the list is at its end.
      const seen = readAll(shards, limit, new Map([[first?.name ?? "", pages]]));
      for (const { name, items } of others)
        assert.deepEqual(
          seen.filter(({ shard }) => shard === name),
          items,
        );
      const ofFirst = seen.filter(({ shard }) => shard === first?.name);
      assert.ok(ofFirst.length === 0 || ofFirst.length === first?.items.length);
    }),
  );
});

test("a cursor that was made up is refused", () => {
  for (const cursor of ["", "made up", Buffer.from('["shards","[[1]]"]').toString("base64url")]) {
    assert.throws(() => decodePlaces({ limit: 1, cursor }), { code: "NS_OPTION_INVALID" });
  }
});

test("a shard's store that gives no cursors is told of, rather than cut short", () => {
  const list = new List("s", [3, 2, 1], 9);
  const { cursors: _, ...page } = list.page(undefined, 3);
  const merge = () => mergePages([{ name: "s", page }], new Map(), 2, (a, b) => a.time > b.time).placesBehind(2);
  assert.throws(merge, { code: "NS_STORE_UNSUPPORTED" });
});

test("the place behind any item goes on with all that comes after it, and nothing else", () => {
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 12 }), fc.nat(11), (shards, limit, at) => {
      const before = (a: Item, b: Item) => a.time > b.time;
      const pages = (places: ReadonlyMap<string, string | null>) =>
        shards.map((list) => ({ name: list.name, page: list.page(places.get(list.name), limit) }));
      const start = new Map<string, string | null>();
      const first = mergePages(pages(start), start, limit, before);
      const count = Math.min(at, first.items.length);
      const behind = first.placesBehind(count);
      const left = shards.flatMap((list) => {
        const place = behind.get(list.name);
        return place === null ? [] : list.items.slice(place === undefined ? 0 : Number(place));
      });
      const taken = new Set(first.items.slice(0, count));
      assert.deepEqual(
        left,
        shards.flatMap(({ items }) => items.filter((item) => !taken.has(item))),
      );
    }),
  );
});
