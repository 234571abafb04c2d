/** How calls are spread over shards: by the jobs' ids, one after the other up to a limit, or over all of them. */
import { NightshiftError } from "../../errors/index.ts";
import { rest } from "../../time/clock.ts";
import type { JobId, Store } from "../contract.ts";
import { type Answer, ask, valuesOf } from "./asking.ts";
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
  run: (shard: Shard, call: (store: Store) => Promise<void>) => Promise<void> = (shard, call) => shard.run(call),
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
    run(shard, (store) => work(store, ids, outside, shard)),
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
      const slice = shard.run((store) => work(store, shard, limit - done));
      done += (await Promise.race([shard.unlessAway(slice), tooLong])) ?? 0;
    } catch (error) {
      if (!isPassing(error) || shards.every(({ isAway }) => isAway)) throw error;
      logger.debug({ err: error, shard: shard.name }, "a duty was left undone on a shard");
    } finally {
      enough.abort();
    }
  }
  return done;
}

/**
 * On every shard, or it is an error that says on which it is done, on which it is not, and where nobody knows: people must
 * know where they stand. What is done here can be done again.
 *
 * @param what a sentence that goes on with "on shard a"
 */
export async function overAll<T>(
  cluster: Cluster,
  what: string,
  work: (store: Store) => Promise<T>,
): Promise<readonly T[]> {
  const { shards, clock, logger } = cluster;
  const late = ({ name }: Shard) => logger.info({ shard: name }, `After all, ${what} on shard ${name} as well.`);
  return allOrWhere(what, await ask(shards, work, { clock, patience: PATIENCE, late })).map(({ value }) => value);
}

/**
 * The values of all that were asked, or the error that says where it is done, where not and where perhaps.
 *
 * @param what a sentence that goes on with "on shard a"
 */
export function allOrWhere<T>(
  what: string,
  answers: readonly Answer<T>[],
): readonly { readonly shard: Shard; readonly value: T }[] {
  const done = valuesOf(answers);
  const failed = answers.flatMap((answer) => (answer.ok ? [] : [answer]));
  const [first] = failed;
  if (first === undefined) return done;
  const names = (those: readonly { readonly shard: Shard }[]) => those.map(({ shard }) => shard.name);
  const unknown = names(failed.filter(isUnknown));
  const not = names(failed.filter((answer) => !isUnknown(answer)));
  const parts = [
    ...[`${what} on ${listOf(names(done))}`],
    ...(not.length > 0 ? [`not on ${listOf(not)}`] : []),
    ...(unknown.length > 0 ? [`and perhaps on ${listOf(unknown)}, which did not say in time`] : []),
  ];
  const message = `${capital(parts.join(", "))}. Do it again once all answer: that is safe, and makes it so everywhere.`;
  const details = { done: names(done), not, unknown };
  throw new NightshiftError("NS_STORE_UNAVAILABLE", message, { cause: first.error, details });
}

/** Whether it may be done all the same, or may be yet. What waited for a lock or a full disk was refused. */
function isUnknown({ asked, error }: { readonly asked: boolean; readonly error: unknown }): boolean {
  return asked && error instanceof NightshiftError && error.code === "NS_STORE_UNAVAILABLE";
}

function listOf(names: readonly string[]): string {
  return `shard${names.length === 1 ? "" : "s"} ${names.join(", ")}`;
}

function capital(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}
