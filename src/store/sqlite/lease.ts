/** A lease's jobs as they are kept in its row: one flat JSON array, three numbers a job. */
import type { JobId } from "../contract.ts";

/** A job under a lease. */
export interface LeasedJob {
  readonly id: number;
  readonly attempt: number;
  readonly nameId: number;
}

export function encodeLeased(jobs: Iterable<LeasedJob>): string {
  const flat: number[] = [];
  for (const { id, attempt, nameId } of jobs) flat.push(id, attempt, nameId);
  return JSON.stringify(flat);
}

/**
 * The jobs of a lease as outcomes take them out. Most come in the order of the claim, so that the next one is where the last one was
 * found; only for those that do not, places are looked up.
 */
export class LeasedJobs {
  readonly #flat: number[];
  #places: Map<number, number> | undefined;
  #next = 0;
  #size: number;

  constructor(text: string) {
    this.#flat = JSON.parse(text) as number[];
    this.#size = this.#flat.length / 3;
  }

  /** How many are left. */
  get size(): number {
    return this.#size;
  }

  /** Takes a job out; undefined when it is not (any more) under the lease. */
  take(id: number): LeasedJob | undefined {
    const flat = this.#flat;
    const at = flat[this.#next] === id ? this.#next : this.#placeOf(id);
    if (at === undefined || flat[at] !== id) return undefined;
    flat[at] = TAKEN;
    this.#size--;
    this.#next = at + 3;
    return { id, attempt: flat[at + 1] as number, nameId: flat[at + 2] as number };
  }

  /** What is left, as it is kept. */
  encode(): string {
    const left: number[] = [];
    for (let at = 0; at < this.#flat.length; at += 3) {
      if (this.#flat[at] !== TAKEN) left.push(...this.#flat.slice(at, at + 3));
    }
    return JSON.stringify(left);
  }

  #placeOf(id: number): number | undefined {
    if (this.#places === undefined) {
      this.#places = new Map();
      for (let at = 0; at < this.#flat.length; at += 3) this.#places.set(this.#flat[at] as number, at);
    }
    return this.#places.get(id);
  }
}

/** In the place of an id; ids begin with 1. */
const TAKEN = 0;

/** By job id, in the order of the claim. */
export function decodeLeased(text: string): Map<JobId, LeasedJob> {
  const flat = JSON.parse(text) as number[];
  const jobs = new Map<JobId, LeasedJob>();
  for (let index = 0; index < flat.length; index += 3) {
    const job = { id: flat[index] as number, attempt: flat[index + 1] as number, nameId: flat[index + 2] as number };
    jobs.set(String(job.id), job);
  }
  return jobs;
}
