/** Lists over all shards, a page at a time. */
import type { Page, PageRequest, Store } from "../contract.ts";
import { valuesOf } from "./asking.ts";
import type { Cluster } from "./cluster.ts";
import { decodePlaces, encodePlaces, mergePages } from "./pages.ts";
import type { Shard } from "./shard.ts";

/** A page merged of all shards' lists, each item with its shard. */
export async function pagesOf<T>(
  cluster: Cluster,
  what: string,
  request: PageRequest,
  list: (store: Store, request: PageRequest) => Promise<Page<T>>,
  before: (a: T, b: T) => boolean,
): Promise<Page<OnShard<T>>> {
  const places = decodePlaces(request);
  const { limit } = request;
  const answers = await cluster.look(what, async (store, { name }): Promise<Page<T>> => {
    const cursor = places.get(name);
    if (cursor === null) return { items: [], next: null };
    return list(store, { limit, cursors: true, ...(cursor === undefined ? {} : { cursor }) });
  });
  valuesOf(answers);
  const sources = answers.map((answer) => ({
    name: answer.shard.name,
    page: answer.ok ? wrap(answer.shard, answer.value) : null,
  }));
  const { items, more, placesBehind } = mergePages(sources, places, limit, (a, b) => before(a.item, b.item));
  const next = more ? encodePlaces(placesBehind(items.length)) : null;
  if (!request.cursors) return { items, next };
  return { items, next, cursors: items.map((_, index) => encodePlaces(placesBehind(index + 1))) };
}

/** An item, and where it was found. */
export interface OnShard<T> {
  readonly shard: Shard;
  readonly item: T;
}

function wrap<T>(shard: Shard, page: Page<T>): Page<OnShard<T>> {
  return { ...page, items: page.items.map((item) => ({ shard, item })) };
}
