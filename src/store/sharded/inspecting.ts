/** What people ask, over all shards. */
import type {
  CountQuery,
  Counts,
  JobCount,
  JobDetail,
  JobId,
  JobQuery,
  JobState,
  JobSummary,
  Page,
  QueueCounts,
  ThroughputPoint,
} from "../contract.ts";
import { countedUpTo } from "../shared/counting.ts";
import { checkThroughput } from "../shared/rollup.ts";
import { valuesOf } from "./asking.ts";
import type { Cluster } from "./cluster.ts";
import { joinId, splitId } from "./ids.ts";
import { pagesOf } from "./paging.ts";
import { groupById } from "./spreading.ts";

export class Inspecting {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async counts(): Promise<Counts> {
    const values = valuesOf(await this.#cluster.look("counts", (store) => store.counts()));
    const queues = new Map<string, QueueCounts>();
    const finished = { succeeded: 0, dead: 0, cancelled: 0 };
    let retried = 0;
    for (const { shard, value } of values) {
      for (const counts of value.queues) {
        const known = queues.get(counts.queue);
        const isHome = this.#cluster.routing.home(counts.queue) === shard.name;
        queues.set(counts.queue, known === undefined ? counts : sum(known, counts, isHome));
      }
      for (const state of ["succeeded", "dead", "cancelled"] as const) finished[state] += value.finished[state];
      retried += value.retried;
    }
    return { queues: [...queues.values()].sort((a, b) => (a.queue < b.queue ? -1 : 1)), finished, retried };
  }

  async throughput(from: number, to: number, step: number): Promise<readonly ThroughputPoint[]> {
    checkThroughput(from, to, step);
    const lists = valuesOf(await this.#cluster.look("throughput", (store) => store.throughput(from, to, step)));
    const [first, ...others] = lists.map(({ value }) => value);
    return (first ?? []).map((point, index) =>
      others.reduce((total, list) => {
        const { succeeded = 0, retried = 0, dead = 0, cancelled = 0 } = list[index] ?? {};
        return {
          at: total.at,
          succeeded: total.succeeded + succeeded,
          retried: total.retried + retried,
          dead: total.dead + dead,
          cancelled: total.cancelled + cancelled,
        };
      }, point),
    );
  }

  async getJob(id: JobId): Promise<JobDetail | null> {
    const key = splitId(id);
    const shard = key && this.#cluster.byName(key.shard);
    if (!key || !shard) return null;
    const job = await this.#cluster.lookAt(shard, (store) => store.getJob(key.id));
    return job && { ...job, id };
  }

  async statesOf(ids: readonly JobId[]): Promise<ReadonlyMap<JobId, JobState>> {
    const states = new Map<JobId, JobState>();
    await groupById(
      this.#cluster,
      ids,
      async (store, inside, _outside, shard) => {
        for (const [id, state] of await store.statesOf(inside)) states.set(joinId(shard.name, id), state);
      },
      (shard, work) => this.#cluster.lookAt(shard, work),
    );
    return states;
  }

  async listJobs(query: JobQuery): Promise<Page<JobSummary>> {
    const { cursor: _, ...filters } = query;
    const when = query.state === "succeeded" || query.state === "dead" || query.state === "cancelled" ? ended : created;
    const page = await pagesOf(
      this.#cluster,
      "jobs",
      query,
      (store, part) => store.listJobs({ ...filters, ...part }),
      (a, b) => when(a) > when(b),
    );
    return { ...page, items: page.items.map(({ shard, item }) => ({ ...item, id: joinId(shard.name, item.id) })) };
  }

  /** A shard that is away has some as well, for all that is known. */
  async countJobs(query: CountQuery): Promise<JobCount> {
    const answers = await this.#cluster.look("job count", (store) => store.countJobs(query));
    const parts = valuesOf(answers).map(({ value }) => value);
    const sum = parts.reduce((total, { count }) => total + count, 0);
    const whole = parts.length === answers.length && parts.every(({ exact }) => exact);
    return countedUpTo(query.upTo, sum, whole);
  }
}

const ended = ({ at, createdAt }: JobSummary) => at ?? createdAt;
const created = ({ createdAt }: JobSummary) => createdAt;

/** @param secondIsHome whose word on the pause counts */
function sum(a: QueueCounts, b: QueueCounts, secondIsHome: boolean): QueueCounts {
  const oldest = [a.oldestReadyAt, b.oldestReadyAt].filter((at) => at !== null);
  return {
    queue: a.queue,
    paused: secondIsHome ? (b.paused ?? a.paused) : (a.paused ?? b.paused),
    ready: a.ready + b.ready,
    parked: a.parked + b.parked,
    scheduled: a.scheduled + b.scheduled,
    running: a.running + b.running,
    oldestReadyAt: oldest.length === 0 ? null : Math.min(...oldest),
  };
}
