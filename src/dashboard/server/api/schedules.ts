/** Schedules: the list, one with its next fires and its history, and what can be done to it. */
import { NightshiftError } from "../../../errors/index.ts";
import type { StoredSchedule } from "../../../store/contract.ts";
import type { ScheduleRow } from "../../api.ts";
import type { BodyReader } from "../params.ts";
import type { DashboardParts, ScheduleDesk, ScheduleFacts } from "../parts.ts";
import { Refusal } from "../refusal.ts";
import type { OperateRoute, ReadRoute } from "../route.ts";

const MOST_ROWS = 200;
const ROWS = 100;
const FIRES_SHOWN = 10;
const OCCURRENCES_SHOWN = 25;
const NOTHING_KNOWN: ScheduleFacts = {
  trigger: "unknown",
  expression: null,
  timeZone: null,
  misfire: null,
  overlap: null,
  queue: null,
};

/** `api/schedules` */
export const schedules: ReadRoute<"api/schedules"> = {
  method: "GET",
  permission: "read",
  query: ["group", "limit", "cursor"],
  async handle({ parts }, query) {
    const [group, cursor] = [query.text("group"), query.text("cursor")];
    const limit = query.limit("limit", MOST_ROWS, ROWS);
    const which = { ...(group === undefined ? {} : { group }), ...(cursor === undefined ? {} : { cursor }) };
    const [now, page, pausedGroups] = await Promise.all([
      parts.store.now(),
      parts.store.listSchedules({ limit, ...which }),
      parts.schedules?.pausedGroups() ?? [],
    ]);
    return { now, items: page.items.map((stored) => rowOf(parts, stored)), next: page.next, pausedGroups };
  },
};

/** `api/schedule` */
export const schedule: ReadRoute<"api/schedule"> = {
  method: "GET",
  permission: "read",
  query: ["id"],
  async handle({ parts }, query) {
    const stored = await findSchedule(parts, query.required("id"));
    const [now, upcoming, occurrences] = await Promise.all([
      parts.store.now(),
      parts.schedules?.upcoming(stored, FIRES_SHOWN) ?? [],
      parts.store.listOccurrences(stored.id, { limit: OCCURRENCES_SHOWN }),
    ]);
    const { createdAt, updatedAt } = stored;
    return { ...rowOf(parts, stored), now, createdAt, updatedAt, upcoming, occurrences: occurrences.items };
  },
};

/** `api/schedules/pause` */
export const pauseSchedule: OperateRoute<"api/schedules/pause"> = {
  method: "POST",
  permission: "operate",
  parse: readId,
  async handle({ parts }, { id }) {
    await deskOf(parts).pause((await findSchedule(parts, id)).id);
    return { done: true };
  },
};

/** `api/schedules/resume` */
export const resumeSchedule: OperateRoute<"api/schedules/resume"> = {
  method: "POST",
  permission: "operate",
  parse: readId,
  async handle({ parts }, { id }) {
    await deskOf(parts).resume((await findSchedule(parts, id)).id);
    return { done: true };
  },
};

/** `api/schedules/pause-group` */
export const pauseGroup: OperateRoute<"api/schedules/pause-group"> = {
  method: "POST",
  permission: "operate",
  parse: readGroup,
  handle: async ({ parts }, { group }) => ({ schedules: await deskOf(parts).pauseGroup(group) }),
};

/** `api/schedules/resume-group` */
export const resumeGroup: OperateRoute<"api/schedules/resume-group"> = {
  method: "POST",
  permission: "operate",
  parse: readGroup,
  handle: async ({ parts }, { group }) => ({ schedules: await deskOf(parts).resumeGroup(group) }),
};

/** `api/schedules/trigger` */
export const triggerSchedule: OperateRoute<"api/schedules/trigger"> = {
  method: "POST",
  permission: "operate",
  parse: readId,
  handle: async ({ parts }, { id }) => ({ job: await deskOf(parts).trigger((await findSchedule(parts, id)).id) }),
};

/** The body of a change that needs nothing but to know which. */
export function readId(body: BodyReader): { id: string } {
  body.only("id");
  return { id: body.text("id") };
}

function readGroup(body: BodyReader): { group: string } {
  body.only("group");
  return { group: body.text("group") };
}

function deskOf({ schedules: desk }: DashboardParts): ScheduleDesk {
  if (desk === null) throw new Refusal(409, "Nothing in this process knows schedules, so none can be changed here.");
  return desk;
}

/** @throws NS_SCHEDULE_NOT_FOUND */
export async function findSchedule({ store }: DashboardParts, id: string): Promise<StoredSchedule> {
  const [stored] = await store.getSchedules([id]);
  if (stored === undefined) throw new NightshiftError("NS_SCHEDULE_NOT_FOUND", `There is no schedule ${id}.`);
  return stored;
}

function rowOf({ schedules: desk }: DashboardParts, stored: StoredSchedule): ScheduleRow {
  const { id, group, source, job, paused, nextAt, lastAt, lastJob } = stored;
  return { id, group, source, job, paused, nextAt, lastAt, lastJob, ...(desk?.describe(stored) ?? NOTHING_KNOWN) };
}
