/** Who works: the hosted services of this process, and every process registered in the store. */
import { hostname } from "node:os";
import { isVersionRole } from "../../../scheduling/index.ts";
import type { ReadRoute } from "../route.ts";

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
  async handle({ parts: { store } }) {
    const [now, items, terms] = await Promise.all([store.now(), store.listInstances(), store.leaders()]);
    // A term's token stays here: with it, anybody could end the term.
    const leaders = terms.filter(({ role }) => !isVersionRole(role)).map(({ role, holder }) => ({ role, holder }));
    return { now, items, leaders };
  },
};
