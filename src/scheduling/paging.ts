/** Walking all schedules of the store, page by page. */
import type { ScheduleQuery, Store, StoredSchedule } from "../store/contract.ts";

const PAGE = 500;

/** Every schedule that the query names, in the order of ids. */
export async function* allSchedules(
  store: Store,
  query: Omit<ScheduleQuery, "limit" | "cursor"> = {},
): AsyncGenerator<StoredSchedule> {
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await store.listSchedules({ ...query, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.items;
    cursor = page.next;
  }
}
