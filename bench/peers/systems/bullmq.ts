/** BullMQ on Redis; whether Redis writes to disk is the server's setting. */
import { Queue, Worker } from "bullmq";
import type { Handler, Open, Payload } from "../system.ts";

const CONCURRENCY = 50;

export const open: Open = async (place) => {
  const { hostname: host, port } = new URL(place);
  const connection = { host, port: Number(port), maxRetriesPerRequest: null };
  const queue = new Queue<Payload>("noop", { connection });
  await queue.waitUntilReady();
  return {
    enqueue: (payload: Payload) => queue.add("noop", payload),
    enqueueMany: (payloads: readonly Payload[]) => queue.addBulk(payloads.map((data) => ({ name: "noop", data }))),
    async work(handler: Handler) {
      const noop = async ({ data }: { data: Payload }) => handler(data);
      const worker = new Worker<Payload>("noop", noop, { connection, concurrency: CONCURRENCY });
      worker.on("error", (error) => console.error(error));
      await worker.waitUntilReady();
      return () => worker.close();
    },
    close: () => queue.close(),
  };
};
