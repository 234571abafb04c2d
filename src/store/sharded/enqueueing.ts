/** Accepting jobs: each call goes to one shard, since two databases have no commit in common. */
import { NightshiftError, show } from "../../errors/index.ts";
import type { EnqueueOptions, JobId, NewJob } from "../contract.ts";
import type { Cluster } from "./cluster.ts";
import { joinId } from "./ids.ts";
import type { Shard } from "./shard.ts";

export class Enqueueing {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** @throws NS_STORE_SHARDS when the jobs' queues live apart, NS_STORE_TX when the transaction is another database's */
  async enqueue(jobs: readonly NewJob[], options: EnqueueOptions): Promise<readonly JobId[]> {
    const [first] = jobs;
    if (first === undefined) return [];
    const shard = this.placeOf(jobs, first.queue);
    if (options.tx !== undefined) await this.#refuseForeign(options.tx, shard, first.queue);
    const ids = await shard.run((store) => store.enqueue(jobs, options));
    return ids.map((id) => joinId(shard.name, id));
  }

  /** The one shard on which all of the jobs live; the queue is that of the first. */
  placeOf(jobs: readonly NewJob[], first: string): Shard {
    const shard = this.#cluster.homeOf(first);
    const elsewhere = jobs.some(({ queue }) => queue !== first && this.#cluster.routing.home(queue) !== shard.name);
    if (elsewhere) throw this.#apart(jobs);
    return shard;
  }

  async #refuseForeign(tx: unknown, shard: Shard, queue: string): Promise<void> {
    if (shard.owns === undefined || (await shard.owns(tx))) return;
    const { location } = shard.store.info();
    const advice = `Queue ${show(queue)} lives on shard ${shard.name} (${location}): use a client of that database, or pin the queue to the shard of your data.`;
    throw new NightshiftError("NS_STORE_TX", `The transaction is not on the database of the job's queue. ${advice}`);
  }

  #apart(jobs: readonly NewJob[]): NightshiftError {
    const homes = new Map<string, string>();
    for (const { queue } of jobs) homes.set(queue, this.#cluster.routing.home(queue));
    const list = Array.from(homes, ([queue, home]) => `${show(queue)} on ${home}`).join(", ");
    const advice = "Two databases have no commit in common: make one call for each, or pin the queues to one shard.";
    const message = `The jobs of this call belong to queues that live apart: ${list}. ${advice}`;
    return new NightshiftError("NS_STORE_SHARDS", message, { details: { queues: Object.fromEntries(homes) } });
  }
}
