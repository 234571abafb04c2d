/** plainjob. It sets `synchronous = NORMAL`: its commits do not wait for the disk. */
import Database from "better-sqlite3";
import { better, defineQueue, defineWorker } from "plainjob";
import type { Handler, Open, Payload } from "../system.ts";

const silent = () => undefined;
const logger = { error: silent, warn: silent, info: silent, debug: silent };

export const open: Open = async (place) => {
  const database = new Database(place);
  const queue = defineQueue({ connection: better(database), logger });
  return {
    enqueue: async (payload: Payload) => queue.add("noop", payload),
    enqueueMany: async (payloads: readonly Payload[]) => queue.addMany("noop", [...payloads]),
    async work(handler: Handler) {
      const noop = ({ data }: { data: string }) => handler(JSON.parse(data) as Payload);
      // It asks once a second by itself.
      const worker = defineWorker("noop", noop, { queue, logger, pollIntervall: 5 });
      const ended = worker.start();
      return async () => {
        await worker.stop();
        await ended;
      };
    },
    close: async () => queue.close(),
  };
};
