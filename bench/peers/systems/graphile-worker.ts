/** graphile-worker: as it comes, and with what its page on performance advises (local queue, batched completion). */
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import type { Handler, Open, Payload } from "../system.ts";

const logger = new Logger(() => () => undefined);
const TUNED = {
  concurrentJobs: 24,
  maxPoolSize: 10,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};

export const asItComes: Open = (place) => open(place, {});
export const tuned: Open = (place) => open(place, TUNED);

async function open(connectionString: string, worker: GraphileConfig.WorkerOptions) {
  const utils = await makeWorkerUtils({ connectionString, logger });
  await utils.migrate();
  return {
    enqueue: (payload: Payload) => utils.addJob("noop", payload),
    enqueueMany: (payloads: readonly Payload[]) =>
      utils.addJobs(payloads.map((payload) => ({ identifier: "noop", payload }))),
    async work(handler: Handler) {
      const noop = (payload: unknown) => handler(payload as Payload);
      const preset = { worker: { connectionString, logger, ...worker } };
      const runner = await run({ preset, noHandleSignals: true, taskList: { noop } });
      return async () => {
        await runner.stop();
        await runner.promise;
      };
    },
    close: async () => void (await utils.release()),
  };
}
