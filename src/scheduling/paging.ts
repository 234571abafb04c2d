/** Walking all schedules of the store, page by page. */
import type { ScheduleQuery, Store, StoredSchedule } from "../store/contract.ts";

type Filters = Omit<ScheduleQuery, "limit" | "cursor">;

const PAGE = 500;

/** Every schedule that the query names, in the order of ids. */
export async function* allSchedules(store: Store, query: Filters = {}): AsyncGenerator<StoredSchedule> {
  for await (const page of pagesOf(store, query)) yield* page;
}

/** The same, a page at a time. */
export async function* pagesOf(store: Store, query: Filters = {}): AsyncGenerator<readonly StoredSchedule[]> {
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await store.listSchedules({ ...query, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    yield page.items;
    cursor = page.next;
  }
}
