/** The live numbers, and what the page needs once. */
import type { OverviewView } from "../../api.ts";
import type { DashboardParts } from "../parts.ts";
import type { ReadRoute } from "../route.ts";

const MINUTE = 60_000;
const MINUTES_SHOWN = 60;

/** `api/about` */
export const about: ReadRoute<"api/about"> = {
  method: "GET",
  permission: "read",
  query: [],
  async handle({ parts, visitor }) {
    const { kind, location, durability } = parts.store.info();
    return {
      title: parts.title,
      role: visitor.role,
      user: visitor.user,
      store: { kind, location, durability },
      has: { services: parts.services !== null, schedules: parts.schedules !== null },
    };
  },
};

/** `api/overview` */
export const overview: ReadRoute<"api/overview"> = {
  method: "GET",
  permission: "read",
  query: [],
  handle: ({ parts }) => readOverview(parts),
};

/** The numbers as they are now: for the page's first paint, and for each beat of the live stream. */
export async function readOverview({ store }: DashboardParts): Promise<OverviewView> {
  const now = await store.now();
  const thisMinute = Math.floor(now / MINUTE) * MINUTE;
  const [counts, throughput, instances] = await Promise.all([
    store.counts(),
    store.throughput(thisMinute - (MINUTES_SHOWN - 1) * MINUTE, thisMinute + MINUTE, MINUTE),
    store.listInstances(),
  ]);
  return { ...counts, now, throughput, instances: instances.length };
}
