/** The live numbers, and what the page needs once. */
import { claimedAhead } from "../../../jobs/index.ts";
import type { QueueCounts, StoredInstance } from "../../../store/contract.ts";
import type { OverviewView, QueueRow } from "../../api.ts";
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
      has: {
        services: parts.services !== null,
        schedules: parts.schedules !== null,
        scheduleEditor: parts.schedules?.editor !== undefined,
      },
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

/** `api/findings`: asked for by itself when the page opens, since it is not for each beat of the live stream. */
export const findings: ReadRoute<"api/findings"> = {
  method: "GET",
  permission: "read",
  query: [],
  async handle({ parts: { store } }) {
    const items = (await store.findings()).map(({ what, severity, message }) => ({ what, severity, message }));
    return { items };
  },
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
  const alive = instances.filter(({ expiresAt }) => expiresAt > now);
  const served = instances.flatMap((instance) => instance.queues);
  return {
    ...counts,
    queues: withIdleQueues(counts.queues, served).map((queue) => withServers(queue, alive)),
    ahead: claimedAhead(instances),
    ...{ now, throughput, instances: alive.length, expired: instances.length - alive.length },
    shards: store.info().shards ?? [],
  };
}

function withServers(counts: QueueCounts, alive: readonly StoredInstance[]): QueueRow {
  return { ...counts, servedBy: alive.filter(({ queues }) => queues.includes(counts.queue)).length };
}

/** A queue that is served but empty has its row too: it does not come and go with its jobs, and it can be paused. */
function withIdleQueues(counted: readonly QueueCounts[], served: readonly string[]): readonly QueueCounts[] {
  const known = new Set(counted.map(({ queue }) => queue));
  const nothing = { paused: null, ready: 0, parked: 0, scheduled: 0, running: 0, oldestReadyAt: null };
  const idle = [...new Set(served)].filter((queue) => !known.has(queue)).map((queue) => ({ queue, ...nothing }));
  return [...counted, ...idle].sort((a, b) => (a.queue < b.queue ? -1 : 1));
}
