/** Jobs: lists, one job, its data, and what can be done to them. */
import { setImmediate } from "node:timers/promises";
import { NightshiftError } from "../../../errors/index.ts";
import {
  FINAL_STATES,
  type JobDetail,
  type JobFilter,
  type JobQuery,
  type JobSummary,
  LIVE_STATES,
  MOST_COUNTED,
  type Page,
  type Store,
} from "../../../store/contract.ts";
import { viewError, viewErrorHead } from "../error-view.ts";
import type { QueryReader } from "../params.ts";
import type { DashboardParts } from "../parts.ts";
import { showJson } from "../redact.ts";
import type { OperateRoute, ReadRoute } from "../route.ts";

const STATES = [...LIVE_STATES, ...FINAL_STATES];
const MOST_ROWS = 200;
const ROWS = 50;
/** How many pages of the store one page of the dashboard may take. */
const MOST_PAGES = 20;
/** Counted without being asked for more: some ten milliseconds of an SQLite file's process. */
const COUNTED = 10_000;

/** `api/jobs` */
export const jobs: ReadRoute<"api/jobs"> = {
  method: "GET",
  permission: "read",
  query: ["state", "queue", "name", "limit", "cursor"],
  async handle({ parts }, query) {
    const cursor = query.text("cursor");
    const limit = query.limit("limit", MOST_ROWS, ROWS);
    const asked = { ...filterOf(query), limit, ...(cursor === undefined ? {} : { cursor }) };
    const [now, page] = await Promise.all([parts.store.now(), fullPage(parts.store, asked)]);
    return { now, items: page.items.map((job) => ({ ...job, error: viewErrorHead(job.error) })), next: page.next };
  },
};

/** Goes on where few match, so that nobody has to turn empty pages; not for ever: the page may still not be full. */
async function fullPage(store: Store, query: JobQuery): Promise<Page<JobSummary>> {
  const items: JobSummary[] = [];
  let next: string | null = query.cursor ?? null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const rest = { ...query, limit: query.limit - items.length, ...(next === null ? {} : { cursor: next }) };
    const found = await store.listJobs(rest);
    items.push(...found.items);
    next = found.next;
    if (next === null || items.length >= query.limit) break;
    // SQLite looks in this thread: others have their turn between two looks.
    await setImmediate();
  }
  return { items, next };
}

/** `api/jobs/count`: apart from the list, which is not to wait for it. */
export const countJobs: ReadRoute<"api/jobs/count"> = {
  method: "GET",
  permission: "read",
  query: ["state", "queue", "name", "upTo"],
  handle: ({ parts }, query) =>
    parts.store.countJobs({ ...filterOf(query), upTo: query.limit("upTo", MOST_COUNTED, COUNTED) }),
};

function filterOf(query: QueryReader): JobFilter {
  const queue = query.text("queue");
  const name = query.text("name");
  return {
    state: query.oneOf("state", STATES),
    ...(queue === undefined ? {} : { queue }),
    ...(name === undefined ? {} : { name }),
  };
}

/** `api/job` */
export const job: ReadRoute<"api/job"> = {
  method: "GET",
  permission: "read",
  query: ["id"],
  async handle({ parts }, query) {
    const [now, detail] = await Promise.all([parts.store.now(), find(parts, query.required("id"))]);
    // Taken apart by name, so that a field added to the store's answer is not sent by accident.
    const { input: _input, meta: _meta, result, error, history, ...facts } = detail;
    return {
      ...facts,
      now,
      error: viewError(error),
      hasResult: result !== null,
      history: history.map((entry) => ({ ...entry, error: viewError(entry.error) })),
    };
  },
};

/** `api/job/data` */
export const jobData: ReadRoute<"api/job/data"> = {
  method: "GET",
  permission: "read",
  query: ["id"],
  async handle({ parts }, query) {
    const { input, result, meta } = await find(parts, query.required("id"));
    const show = (text: string | null) => (text === null ? null : showJson(text, parts.isHidden));
    return { input: showJson(input, parts.isHidden), result: show(result), meta: show(meta) };
  },
};

/** `api/jobs/cancel` */
export const cancelJobs: OperateRoute<"api/jobs/cancel"> = {
  method: "POST",
  permission: "operate",
  parse(body) {
    body.only("ids", "reason");
    return { ids: body.ids(), ...body.reason() };
  },
  async handle({ parts, visitor }, { ids, reason }) {
    const by = visitor.user === null ? "from the dashboard" : `from the dashboard, by ${visitor.user}`;
    return { results: await parts.store.cancel(ids, reason ?? `Cancelled ${by}`) };
  },
};

/** `api/jobs/retry` */
export const retryJobs: OperateRoute<"api/jobs/retry"> = {
  method: "POST",
  permission: "operate",
  parse(body) {
    body.only("ids");
    return { ids: body.ids() };
  },
  handle: async ({ parts }, { ids }) => ({ done: await parts.store.retry(ids) }),
};

/** `api/jobs/run-now` */
export const runJobsNow: OperateRoute<"api/jobs/run-now"> = {
  method: "POST",
  permission: "operate",
  parse(body) {
    body.only("ids");
    return { ids: body.ids() };
  },
  handle: async ({ parts }, { ids }) => ({ done: await parts.store.runNow(ids) }),
};

async function find({ store }: DashboardParts, id: string): Promise<JobDetail> {
  const detail = await store.getJob(id);
  if (detail === null) {
    const why = "It never existed here, or it finished and was removed after its retention time.";
    throw new NightshiftError("NS_JOB_NOT_FOUND", `There is no job ${id}. ${why}`);
  }
  return detail;
}
