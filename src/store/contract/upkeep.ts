/** The contract, part 3: what keeps a store healthy, and what people do to jobs. All of it is safe to call from many processes at once. */
import type { FinalState, JobId } from "./jobs.ts";

/** What {@link Upkeep.promote} did. */
export interface Promoted {
  /** How many jobs became `ready`. */
  readonly moved: number;
  /** When the next scheduled job is due, by the store's clock; null when none is. In the past when more are due already. */
  readonly nextAt: number | null;
}

/** What a process can run: jobs of these names in these queues. */
export interface Serving {
  readonly names: ReadonlySet<string>;
  readonly queues: ReadonlySet<string>;
}

/** A job taken from an instance that vanished. */
export interface RescuedJob {
  readonly job: JobId;
  readonly name: string;
  readonly queue: string;
  readonly attempt: number;
  /** The name of the instance that held it. */
  readonly instance: string;
  /** `ready` again, or `dead` when its attempts or crashes are spent, or `cancelled` when that was asked for. */
  readonly now: "ready" | "dead" | "cancelled";
}

/**
 * What is kept of the finished jobs of one state: those younger than an age in milliseconds by the store's clock (a lone
 * number), the newest so many, or both, and then a job goes when the first of the two says so. Where there are several
 * databases, so many of each.
 */
export type Keep = number | { readonly age?: number; readonly count?: number };

/** What is kept of finished jobs, per final state. A state left out is kept for ever. */
export type Retention = Readonly<Partial<Record<FinalState, Keep>>>;

/** Upkeep of the store, and control of queues and jobs. */
export interface Upkeep {
  /**
   * Makes due jobs `ready`, at most `limit`, and those parked jobs that the caller serves, by name and queue: brought back
   * for somebody who knows the name and never looks into the queue, a job would only be set aside again.
   */
  promote(serving: Serving, limit: number): Promise<Promoted>;

  /**
   * Takes jobs from expired instances, at most `limit` leases, writes "lost" to their history, and forgets the instances. The
   * attempt counts. A store that can tell that an instance's process is dead need not wait until it expires.
   */
  rescue(limit: number): Promise<readonly RescuedJob[]>;

  /**
   * Removes finished jobs beyond the retention, oldest first and history included, at most `limit` of them; returns how
   * many. Live jobs are never touched.
   */
  prune(retention: Retention, limit: number): Promise<number>;

  /**
   * Forgets what nobody needs any more and is older than `age` milliseconds, at most about `limit` rows of each kind:
   * finished work per minute (totals stay), leadership that ended, names of instances that left, marks of imported jobs.
   * Returns how many rows went.
   */
  sweep(age: number, limit: number): Promise<number>;

  /** No more claims from the queue, from any process; running jobs go on. Pausing again replaces the reason. */
  pauseQueue(queue: string, reason?: string): Promise<void>;
  resumeQueue(queue: string): Promise<void>;

  /**
   * Asks for jobs to be cancelled. One that waits is `cancelled` at once; one that runs is told through its instance's
   * heartbeat. Returns what was done, in order.
   */
  cancel(jobs: readonly JobId[], reason: string): Promise<readonly CancelResult[]>;

  /** Makes final jobs `ready` again, one attempt beyond those spent, numbering going on. Returns those it did it to. */
  retry(jobs: readonly JobId[]): Promise<readonly JobId[]>;

  /** Makes `scheduled` jobs `ready` now. Returns those it did it to. */
  runNow(jobs: readonly JobId[]): Promise<readonly JobId[]>;
}

/** `cancelled`: it waited and is over. `requested`: it runs and will be told. `final`: it was over already. `missing`: no such job. */
export type CancelResult = "cancelled" | "requested" | "final" | "missing";
