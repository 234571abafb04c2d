/** graphile-worker: as it comes, and with what its page on performance advises (local queue, batched completion). */
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { type Handler, type Open, type Payload, payload } from "../system.ts";

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
    /** Only such as are due tomorrow: finished ones are deleted here. */
    crowd: (count: number) =>
      utils.withPgClient((client) =>
        client.query(
          `insert into graphile_worker._private_jobs (task_id, payload, run_at)
           select t.id, $1::json, now() + interval '1 day' + g * interval '1 millisecond'
           from graphile_worker._private_tasks t, generate_series(1, $2::int) g where t.identifier = 'noop'`,
          [JSON.stringify(payload()), count],
        ),
      ),
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
