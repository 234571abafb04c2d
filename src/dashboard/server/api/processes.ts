/** Who works: the hosted services of this process, and every process registered in the store. */
import { hostname } from "node:os";
import { NightshiftError } from "../../../errors/index.ts";
import { isVersionRole } from "../../../scheduling/index.ts";
import { rest } from "../../../time/clock.ts";
import type { DashboardParts } from "../parts.ts";
import type { ReadRoute } from "../route.ts";

/** How long a page waits for who leads, in milliseconds. */
const PATIENCE = 2_000;

/** `api/services` */
export const services: ReadRoute<"api/services"> = {
  method: "GET",
  permission: "read",
  query: [],
  async handle({ parts }) {
    return {
      now: parts.clock.now(),
      process: { pid: process.pid, node: process.version, host: hostname() },
      items: parts.services?.() ?? [],
    };
  },
};

/** `api/instances` */
export const instances: ReadRoute<"api/instances"> = {
  method: "GET",
  permission: "read",
  query: [],
  async handle({ parts }) {
    const { store } = parts;
    const [now, items, terms] = await Promise.all([store.now(), store.listInstances(), leadersOf(parts)]);
    // A term's token stays here: with it, anybody could end the term.
    const leaders = terms?.filter(({ role }) => !isVersionRole(role)).map(({ role, holder }) => ({ role, holder }));
    return { now, items, leaders: leaders ?? null };
  },
};

/** Who leads is kept in one of several databases: when that one says nothing, who works is told all the same. */
async function leadersOf({ store, clock }: DashboardParts) {
  const enough = new AbortController();
  try {
    return await Promise.race([store.leaders(), rest(clock, PATIENCE, enough.signal).then(() => null)]);
  } catch (error) {
    if (error instanceof NightshiftError && error.code === "NS_STORE_UNAVAILABLE") return null;
    throw error;
  } finally {
    enough.abort();
  }
}
