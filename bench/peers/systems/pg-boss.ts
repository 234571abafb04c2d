/** pg-boss: `work()` as it comes, with batches, bursts and notifications, and its fastest way, a loop of fetch and complete. */
import { PgBoss, type Queue, type WorkOptions } from "pg-boss";
import { type Handler, type Open, type Payload, payload } from "../system.ts";

const QUEUE = "noop";
const BATCH = 500;

export const asItComes: Open = (place) => open(place, {}, {});
export const batched: Open = (place) =>
  open(
    place,
    { notify: true },
    { batchSize: BATCH, localConcurrency: 4, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
  );
export const fetchLoop: Open = async (place) => {
  const session = await open(place, {}, {});
  return { ...session, work: async (handler) => loop(session.boss, handler) };
};

async function open(connectionString: string, queue: Omit<Queue, "name">, options: WorkOptions) {
  const boss = new PgBoss({ connectionString, useListenNotify: queue.notify ?? false });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue(QUEUE, queue);
  return {
    boss,
    enqueue: (payload: Payload) => boss.send(QUEUE, payload),
    enqueueMany: (payloads: readonly Payload[]) =>
      boss.insert(
        QUEUE,
        payloads.map((data) => ({ data })),
      ),
    async crowd(count: number) {
      const copies = `from generate_series(1, ${count}) g`;
      const data = [JSON.stringify(payload())];
      await boss
        .getDb()
        .executeSql(
          `insert into pgboss.job (name, data, start_after) select '${QUEUE}', $1::jsonb, now() + interval '1 day' ${copies}`,
          data,
        );
      await boss.getDb().executeSql(
        `insert into pgboss.job (name, data, state, started_on, completed_on)
         select '${QUEUE}', $1::jsonb, 'completed', now(), now() ${copies}`,
        data,
      );
    },
    async work(handler: Handler) {
      await boss.work<Payload>(QUEUE, options, async (jobs) => {
        for (const { data } of jobs) handler(data);
      });
      return async () => void (await boss.offWork(QUEUE));
    },
    close: () => boss.stop({ graceful: true, timeout: 5_000 }),
  };
}

function loop(boss: PgBoss, handler: Handler) {
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const jobs = await boss.fetch<Payload>(QUEUE, { batchSize: BATCH });
      for (const { data } of jobs) handler(data);
      if (jobs.length > 0) {
        await boss.complete(
          QUEUE,
          jobs.map(({ id }) => id),
        );
      } else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return async () => {
    stopped = true;
    await running;
  };
}
