/**
 * Direct claims: a job that is enqueued where a slot is free for it is claimed in the commit that stores it, so that its
 * handler begins after one commit and not two. One at a time: with many callers at once, commits shared by all of them
 * and claims of whole batches are worth more.
 */
import { NightshiftError } from "../../errors/index.ts";
import type { InstanceId, JobId, Lease, NewJob, Store } from "../../store/contract.ts";
import type { JobRegistry } from "../registry.ts";
import type { Lanes } from "./lanes.ts";

/** What direct claims need of their worker. */
export interface DirectParts {
  readonly store: Store;
  readonly registry: JobRegistry;
  readonly lanes: Lanes;
  /** Whom to claim for; undefined while nothing may be claimed. */
  readonly instance: () => InstanceId | undefined;
  /** Free slots, those that are kept here included. */
  readonly free: () => number;
  /** What came; void if the instance is not the worker's any more. */
  readonly arrived: (instance: InstanceId, leases: readonly Lease[]) => void;
  /** The store may have given leases that nobody here knows. */
  readonly unanswered: (instance: InstanceId) => void;
}

/** What a store says when it has certainly done nothing. */
const NOTHING_DONE: readonly string[] = ["NS_OPTION_INVALID", "NS_JOB_TOO_LARGE", "NS_STORE_FULL", "NS_STORE_BUSY"];

export class DirectClaims {
  readonly #parts: DirectParts;
  #reserved = 0;
  #underWay: Promise<void> | undefined;

  constructor(parts: DirectParts) {
    this.#parts = parts;
  }

  /** Slots kept for jobs on their way. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Resolves when no direct claim is under way. */
  async settled(): Promise<void> {
    while (this.#underWay !== undefined) await this.#underWay;
  }

  /** Stores the jobs and claims at once, if that is worth it; undefined when they are to be enqueued as always. */
  enqueue(jobs: readonly NewJob[]): Promise<readonly JobId[]> | undefined {
    const { registry, lanes, instance, free } = this.#parts;
    const id = instance();
    const [first] = jobs;
    if (id === undefined || first === undefined || this.#underWay !== undefined) return undefined;
    const { queue, name } = first;
    for (const job of jobs) if (job.due !== undefined || job.queue !== queue || job.name !== name) return undefined;
    if (!registry.names.has(name) || this.#reserved + jobs.length > free()) return undefined;
    if (!lanes.reserve(queue, jobs.length)) return undefined;
    this.#reserved += jobs.length;
    const claim = this.#claim(jobs, queue, id);
    const over = () => {
      this.#underWay = undefined;
    };
    this.#underWay = claim.then(over, over);
    return claim;
  }

  async #claim(jobs: readonly NewJob[], queue: string, instance: InstanceId): Promise<readonly JobId[]> {
    const { store, registry, lanes, arrived, unanswered } = this.#parts;
    const count = jobs.length;
    const request = { wants: [{ queue, limit: count }], names: registry.names };
    const giveBack = () => {
      this.#reserved -= count;
      lanes.giveBack(queue, count);
    };
    try {
      const { ids, leases } = await store.enqueueAndClaim(jobs, instance, request);
      giveBack();
      arrived(instance, leases);
      return ids;
    } catch (error) {
      giveBack();
      if (!(error instanceof NightshiftError && NOTHING_DONE.includes(error.code))) unanswered(instance);
      throw error;
    }
  }
}
