/** How calls are spread over shards: by the jobs' ids, one after the other up to a limit, or over all of them. */
import { NightshiftError } from "../../errors/index.ts";
import { rest } from "../../time/clock.ts";
import type { JobId, Store } from "../contract.ts";
import { valuesOf } from "./asking.ts";
import type { Cluster } from "./cluster.ts";
import { splitId } from "./ids.ts";
import { isPassing, type Shard } from "./shard.ts";

/** How long a duty on one shard may keep the next one waiting, in milliseconds. */
const PATIENCE = 5_000;

/**
 * Calls each shard that has some of the jobs, with its own ids and those from outside. All are tried; the first error
 * is thrown when all are done. Ids that no shard can have are passed over.
 */
export async function groupById(
  cluster: Cluster,
  jobs: readonly JobId[],
  work: (store: Store, ids: readonly JobId[], outside: readonly JobId[], shard: Shard) => Promise<void>,
): Promise<void> {
  const groups = new Map<Shard, { ids: JobId[]; outside: JobId[] }>();
  for (const job of jobs) {
    const key = splitId(job);
    const shard = key && cluster.byName(key.shard);
    if (!key || !shard) continue;
    let group = groups.get(shard);
    if (group === undefined) groups.set(shard, (group = { ids: [], outside: [] }));
    group.ids.push(key.id);
    group.outside.push(job);
  }
  const calls = Array.from(groups, ([shard, { ids, outside }]) =>
    shard.run((store) => work(store, ids, outside, shard)),
  );
  for (const result of await Promise.allSettled(calls)) if (result.status === "rejected") throw result.reason;
}

/** One shard after the other, with what is left of the limit; gives how much was done in all. Shards that are away are left out. */
export async function sliced(
  { shards, logger, anyThere, clock }: Cluster,
  turn: number,
  limit: number,
  work: (store: Store, shard: Shard, left: number) => Promise<number>,
): Promise<number> {
  if (!anyThere) throw shards[0]?.awayError();
  let done = 0;
  for (let index = 0; index < shards.length; index++) {
    const shard = shards[(turn + index) % shards.length];
    if (shard === undefined || shard.isAway) continue;
    const enough = new AbortController();
    try {
      // A shard that says nothing for so long goes on by itself: the others' turn must come.
      const tooLong = rest(clock, PATIENCE, enough.signal);
      done += (await Promise.race([shard.run((store) => work(store, shard, limit - done)), shard.left, tooLong])) || 0;
    } catch (error) {
      if (!isPassing(error) || shards.every(({ isAway }) => isAway)) throw error;
      logger.debug({ err: error, shard: shard.name }, "a duty was left undone on a shard");
    } finally {
      enough.abort();
    }
  }
  return done;
}

/** On every shard, or it is an error that says what was done: people must know where they stand. */
export async function overAll(cluster: Cluster, what: string, work: (store: Store) => Promise<void>): Promise<void> {
  const answers = await cluster.ask(work);
  const failed = answers.filter((answer) => !answer.ok);
  const [first] = failed;
  if (first === undefined) return;
  valuesOf(answers);
  const names = failed.map(({ shard }) => shard.name).join(", ");
  const message = `${what} on all shards but ${names}, which did not answer. Do it again when they are back.`;
  throw new NightshiftError("NS_STORE_UNAVAILABLE", message, { cause: first.error });
}
