/** Sidequest on SQLite: jobs run inline and without a fork, its fastest way. It has no bulk enqueue. */
import { subscribe } from "node:diagnostics_channel";
import { Sidequest } from "sidequest";
import type { Handler, Open, Payload } from "../system.ts";
import { done, Noop } from "./sidequest-job.ts";

const AT_ONCE = 50;

export const open: Open = async (place) => {
  // All of it at once: what start() is given later does not replace what configure() was.
  const config = {
    backend: { driver: "@sidequest/sqlite-backend" as const, config: place },
    logger: { level: "error" },
    queues: [{ name: "default", concurrency: AT_ONCE }],
    fork: false,
    runner: "inline" as const,
    maxConcurrentJobs: AT_ONCE,
    gracefulShutdown: false,
  };
  await Sidequest.configure(config);
  let current: Handler = () => undefined;
  subscribe(done, (payload) => current(payload as Payload));
  return {
    enqueue: (payload: Payload) => Sidequest.build(Noop).queue("default").enqueue(payload),
    async work(handler: Handler) {
      current = handler;
      await Sidequest.start({ ...config, dashboard: { enabled: false } });
      return () => Sidequest.stop();
    },
    close: async () => undefined,
  };
};
