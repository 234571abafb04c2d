/** Who works: the hosted services of this process, and every process registered in the store. */
import { hostname } from "node:os";
import { leadersOf } from "../../../scheduling/index.ts";
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
  async handle({ parts }) {
    const { store, clock } = parts;
    const [now, items, leaders] = await Promise.all([store.now(), store.listInstances(), leadersOf(store, clock)]);
    return { now, items, leaders };
  },
};
