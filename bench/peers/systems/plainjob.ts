/** plainjob. It sets `synchronous = NORMAL`: its commits do not wait for the disk. */
import Database from "better-sqlite3";
import { better, defineQueue, defineWorker } from "plainjob";
import { type Handler, type Open, type Payload, payload } from "../system.ts";

const silent = () => undefined;
const logger = { error: silent, warn: silent, info: silent, debug: silent };

export const open: Open = async (place) => {
  const database = new Database(place);
  const queue = defineQueue({ connection: better(database), logger });
  return {
    enqueue: async (payload: Payload) => queue.add("noop", payload),
    enqueueMany: async (payloads: readonly Payload[]) => queue.addMany("noop", [...payloads]),
    async crowd(count: number) {
      // 0 is pending, 2 is done; the time of a done one is when it was taken.
      const insert = `insert into plainjob_jobs (type, data, status, next_run_at, created_at)
        with recursive g(n) as (select 1 union all select n + 1 from g where n < ?)
        select 'noop', ?, ?, ? + n, ? from g`;
      const [data, at, tomorrow] = [JSON.stringify(payload()), Date.now(), Date.now() + 86_400_000];
      database.prepare(insert).run(count, data, 0, tomorrow, at);
      database.prepare(insert).run(count, data, 2, at - 3_600_000, at);
    },
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
