/** Nightshift through its public API, with default options: the built package, as a user's process loads it. */
import { createHost, createJobs, defineJob, silentLogger, unchecked } from "nightshift";
import { postgres } from "nightshift/postgres";
import { sqlite } from "nightshift/sqlite";
import { type Handler, type Open, type Payload, payloads } from "../system.ts";

const CALL = 10_000;

type MakeStore = (place: string) => ReturnType<typeof sqlite>;

export const onPostgres: Open = (place) => open((url) => postgres(url), place);
export const onSqlite: Open = (place) => open((path) => sqlite(path), place);
/** Commits do not wait for the disk, as plainjob's do not. */
export const onSqliteNormal: Open = (place) => open((path) => sqlite({ path, durability: "normal" }), place);

async function open(makeStore: MakeStore, place: string) {
  let handler: Handler = () => undefined;
  const noop = defineJob({ name: "noop", input: unchecked<Payload>(), run: (input) => handler(input) });
  // One store in a process, as an application has: a second one would watch the file, or listen, beside it.
  const store = makeStore(place);
  const client = createJobs({ store, jobs: [noop] });
  await client.open();
  let jobs = client;
  return {
    enqueue: (payload: Payload) => jobs.enqueue(noop, payload),
    enqueueMany: (payloads: readonly Payload[]) => jobs.enqueueMany(noop, payloads),
    /** Finished ones it has: it keeps what it has worked. */
    async crowd(count: number) {
      for (let done = 0; done < count; done += CALL) {
        await jobs.enqueueMany(noop, payloads(Math.min(CALL, count - done)), { delay: "1d" });
      }
    },
    async work(given: Handler) {
      handler = given;
      const builder = createHost({ name: "bench", logger: silentLogger, signals: false });
      builder.addJobs({ store, jobs: [noop] });
      const host = builder.build();
      await host.start();
      jobs = host.jobs;
      return async () => {
        jobs = client;
        await host.stop();
        await host[Symbol.asyncDispose]();
      };
    },
    close: () => client[Symbol.asyncDispose](),
  };
}
