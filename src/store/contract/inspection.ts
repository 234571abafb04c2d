/** The contract, part 6: what people and dashboards ask. Nothing here reads all of the history, however long it is. */
import type { FinalState, JobId, JobState } from "./jobs.ts";
import type { InstanceId, NewInstance } from "./work.ts";

/** A page by key: no offsets, so that page 1,000 costs what page 1 does. */
export interface PageRequest {
  /** 1 to 500. */
  readonly limit: number;
  /** The `next` of the page before; left out for the first page. */
  readonly cursor?: string;
  /** Whether the page is to have {@link Page.cursors}: for whoever merges pages of several stores. */
  readonly cursors?: boolean;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** For the next page; null on the last. */
  readonly next: string | null;
  /** For each item, the cursor that goes on behind it; when asked for. */
  readonly cursors?: readonly string[];
}

/** How many jobs a queue has. */
export interface QueueCounts {
  readonly queue: string;
  readonly paused: { readonly reason: string | null; readonly since: number } | null;
  readonly ready: number;
  /** Of the ready ones, how many no process that claimed so far knew the name of. */
  readonly parked: number;
  readonly scheduled: number;
  readonly running: number;
  /** When the oldest ready job was enqueued; null when none is ready. */
  readonly oldestReadyAt: number | null;
}

/** Counts of everything. Queues with nothing in them and no pause may be left out. Finished counts come from roll-ups and go on counting when the jobs themselves are pruned. */
export interface Counts {
  readonly queues: readonly QueueCounts[];
  readonly finished: Readonly<Record<FinalState, number>>;
  /** Attempts that failed, or lost their worker, and were made again. */
  readonly retried: number;
}

/** Finished work in one span of time. */
export interface ThroughputPoint {
  /** The span's beginning. */
  readonly at: number;
  readonly succeeded: number;
  readonly retried: number;
  readonly dead: number;
  readonly cancelled: number;
}

/** Which jobs are meant: those of one state, and of them those of a queue, of a name. */
export interface JobFilter {
  readonly state: JobState;
  readonly queue?: string;
  readonly name?: string;
}

/**
 * Which jobs to list: of one state, newest first, which is by when they ended for final ones and by when they were
 * enqueued for others. A filter that few match may give pages that are not full, or empty: `next` alone tells the end.
 */
export interface JobQuery extends PageRequest, JobFilter {}

/** The most that one count counts. */
export const MOST_COUNTED = 1_000_000;

/** Which jobs to count, and how far. */
export interface CountQuery extends JobFilter {
  /** Counting ends with this many: 1 to {@link MOST_COUNTED}. The fewer, the less is read. */
  readonly upTo: number;
}

/** How many jobs match. */
export interface JobCount {
  readonly count: number;
  /**
   * Whether there are just so many; false for "at least so many". That is what is known when there are more than
   * `upTo`, when the rows that match are so few among the others that 100 times `upTo` were looked at, when two seconds
   * were over, or when one of several databases is away.
   */
  readonly exact: boolean;
}

/** Which process it is: what a person needs to find it. */
export interface RunningOn extends Pick<NewInstance, "name" | "host" | "pid"> {
  /** Until when it is taken for alive, by the store's clock: that of its latest heartbeat. Once that is over its jobs are given to others. */
  readonly expiresAt: number;
}

/** A job in a list, without its input. */
export interface JobSummary {
  readonly id: JobId;
  readonly name: string;
  readonly queue: string;
  readonly priority: number;
  readonly state: JobState;
  /** Ready, and set aside because no process that claimed so far knows its name. */
  readonly parked: boolean;
  /** Attempts begun so far. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly createdAt: number;
  /** When it is due, for a scheduled one; when it was claimed, for a running one; when it ended, for a final one; else null. */
  readonly at: number | null;
  /** The instance that runs it, while it runs. */
  readonly instance: RunningOn | null;
  /** The last error as JSON text, if an attempt failed. */
  readonly error: string | null;
}

/** Everything about a job. */
export interface JobDetail extends JobSummary {
  readonly input: string;
  readonly meta: string | null;
  readonly maxCrashes: number;
  /** The result as JSON text, of one that succeeded. */
  readonly result: string | null;
  /** Somebody asked for its cancellation while it ran. */
  readonly cancelRequested: string | null;
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
}

/** One line of a job's history. `released` attempts leave none. */
export interface HistoryEntry {
  readonly at: number;
  readonly attempt: number;
  /** `lost`: its worker vanished. `requeued`: a person made it ready again. */
  readonly what: FinalState | "retry" | "snoozed" | "lost" | "requeued";
  readonly ms: number | null;
  /** The error as JSON text, or the reason of a cancellation. */
  readonly error: string | null;
  readonly instance: string | null;
}

/** A registered instance. */
export interface StoredInstance extends NewInstance {
  readonly id: InstanceId;
  readonly startedAt: number;
  readonly expiresAt: number;
  /** How many jobs it holds. */
  readonly running: number;
}

/** One database of a store that is made of several. */
export interface ShardInfo {
  readonly name: string;
  readonly location: string;
  readonly engine: string;
  /** It takes no new queues, and is to be taken out once it is empty. */
  readonly draining: boolean;
  /** Since when it does not answer (by this process's clock), and what was said last; null while it does. */
  readonly away: { readonly since: number; readonly error: string } | null;
}

/** Questions to a store. */
export interface Inspection {
  counts(): Promise<Counts>;
  /** Finished work from `from` (inclusive) to `to` (exclusive), in spans of `step` milliseconds (a multiple of a minute); empty spans included. */
  throughput(from: number, to: number, step: number): Promise<readonly ThroughputPoint[]>;
  getJob(id: JobId): Promise<JobDetail | null>;
  /** The states of jobs; those that do not exist are left out. */
  statesOf(ids: readonly JobId[]): Promise<ReadonlyMap<JobId, JobState>>;
  listJobs(query: JobQuery): Promise<Page<JobSummary>>;
  /**
   * How many jobs {@link listJobs} would list, page after page. A large count may be taken in portions: a job that changes
   * its state meanwhile may be in it or not.
   */
  countJobs(query: CountQuery): Promise<JobCount>;
  listInstances(): Promise<readonly StoredInstance[]>;
}
