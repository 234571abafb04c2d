/** Whole jobs out and in, which wants every shard; and the condition of all. */
import { messageOf } from "../../errors/index.ts";
import type {
  Finding,
  Imported,
  JobId,
  Page,
  PageRequest,
  SourceJob,
  Store,
  Verification,
  WholeJob,
} from "../contract.ts";
import { decodeCursor, encodeCursor } from "../shared/cursor.ts";
import type { Cluster } from "./cluster.ts";
import { joinId } from "./ids.ts";
import { isPassing, type Shard } from "./shard.ts";

export class Operating {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** One shard after the other, so that the order does not change while somebody reads. */
  async readJobs(page: PageRequest & { readonly finished: boolean }): Promise<Page<WholeJob>> {
    const { limit, finished } = page;
    const [at, inner] = decodeCursor(page.cursor, ["string", "string"]) ?? ["", ""];
    const [shard, next] = this.#cluster.shards
      .filter(({ name }) => name >= at)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (shard === undefined) return { items: [], next: null };
    const cursor = shard.name === at && inner !== "" ? { cursor: inner } : {};
    const jobs = await shard.run((store) => store.readJobs({ limit, finished, ...cursor }));
    const items = jobs.items.map((job) => ({ ...job, id: joinId(shard.name, job.id) }));
    if (jobs.next !== null) return { items, next: encodeCursor([shard.name, jobs.next]) };
    return { items, next: next === undefined ? null : encodeCursor([next.name, ""]) };
  }

  /** One commit on each shard. What was imported when its queue lived elsewhere is found there, and not written again. */
  async importJobs(source: string, jobs: readonly WholeJob[]): Promise<readonly Imported[]> {
    const found = await this.findImported(source, jobs);
    const imported = found.map((id): Imported | null => (id === null ? null : { id, existed: true }));
    const homes = new Map<Shard, number[]>();
    for (const [place, { queue }] of jobs.entries()) {
      if (imported[place] !== null) continue;
      const shard = this.#cluster.homeOf(queue);
      homes.set(shard, [...(homes.get(shard) ?? []), place]);
    }
    for (const [shard, places] of homes) {
      const theirs = places.flatMap((place) => jobs[place] ?? []);
      const written = await shard.run((store) => store.importJobs(source, theirs));
      for (const [index, { id, existed }] of written.entries()) {
        imported[places[index] ?? 0] = { id: joinId(shard.name, id), existed };
      }
    }
    return imported.flatMap((one) => one ?? []);
  }

  async findImported(source: string, jobs: readonly SourceJob[]): Promise<readonly (JobId | null)[]> {
    const answers = await this.#each(async (store, { name }) => {
      const ids = await store.findImported(source, jobs);
      return ids.map((id) => (id === null ? null : joinId(name, id)));
    });
    return jobs.map((_, place) => answers.map((ids) => ids[place] ?? null).find((id) => id !== null) ?? null);
  }

  /** A shard that does not answer is a finding like another. */
  async findings(): Promise<readonly Finding[]> {
    const answers = await this.#cluster.look("findings", (store) => store.findings());
    return answers.flatMap((answer) => {
      if (answer.ok) return answer.value.map((one) => of(answer.shard, one));
      if (!isPassing(answer.error)) throw answer.error;
      return [silent(answer.shard, answer.error)];
    });
  }

  async verify(): Promise<Verification> {
    const answers = await this.#each(async (store, shard) => {
      const { jobs, findings } = await store.verify();
      return { jobs, findings: findings.map((one) => of(shard, one)) };
    });
    const jobs = answers.reduce((sum, answer) => sum + answer.jobs, 0);
    return { jobs, findings: answers.flatMap(({ findings }) => findings) };
  }

  #each<T>(work: (store: Store, shard: Shard) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#cluster.shards.map((shard) => shard.run((store) => work(store, shard))));
  }
}

function silent({ name }: Shard, error: unknown): Finding {
  // What a call that failed had to add, its code and that it wrote nothing, is no news of the shard.
  const said = messageOf(error)
    .replace(/NS_[A-Z_]+: /g, "")
    .replace(" Nothing was written.", "")
    .replace(/\.?$/, ".");
  const message = `${said} The queues that live there wait, and are in no count; those of the other shards go on.`;
  return { what: "shard away", severity: "warning", message, details: { shard: name } };
}

function of({ name }: Shard, finding: Finding): Finding {
  const { message, details } = finding;
  return { ...finding, message: `Shard ${name}: ${message}`, details: { ...details, shard: name } };
}
