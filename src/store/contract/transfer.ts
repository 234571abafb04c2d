/** The contract, part 8: jobs taken out whole and put in again, for exports, imports and moves between stores. */
import type { HistoryEntry, Page, PageRequest } from "./inspection.ts";
import type { FinalState, JobId } from "./jobs.ts";

/** A line of history with the result that it may carry. */
export interface WholeEntry extends HistoryEntry {
  /** Of a `succeeded` line, as JSON text. */
  readonly result: string | null;
}

/** A job with all that it has. */
export interface WholeJob {
  /** Its id where it was read. */
  readonly id: JobId;
  readonly name: string;
  readonly queue: string;
  readonly priority: number;
  readonly state: "ready" | "scheduled" | "running" | FinalState;
  /** Attempts begun so far, that count. */
  readonly attempt: number;
  /** As it was enqueued. */
  readonly maxAttempts: number;
  readonly maxCrashes: number;
  readonly createdAt: number;
  /** When it is due, of a scheduled one; else null. */
  readonly dueAt: number | null;
  readonly input: string;
  readonly meta: string | null;
  /** Of a running one: the name of its instance, and the reason if somebody wants it cancelled. */
  readonly instance: string | null;
  readonly cancelRequested: string | null;
  /** Oldest first. A final job's last line is its end. */
  readonly history: readonly WholeEntry[];
}

/** What became of a job that was imported. */
export interface Imported {
  /** Its id in this store: the target makes its own. */
  readonly id: JobId;
  /** It had been imported before, and was passed over. */
  readonly existed: boolean;
}

/** What tells a job of another store apart, for ever. */
export type SourceJob = Pick<WholeJob, "id" | "createdAt">;

/** Taking out and putting in. */
export interface Transferring {
  /** What tells this store's data from all other's, the same for as long as the data lives, and in copies of it. */
  identity(): Promise<string>;

  /**
   * All jobs, or only those that are not over, in the order of enqueueing (in each database, where
   * there are several), which does not change while one reads: a job
   * that moves on meanwhile is neither missed nor told twice. Each page is one moment. Pages stop early where inputs are
   * large, and may be empty before the last: `next` alone tells the end.
   */
  readJobs(page: PageRequest & { readonly finished: boolean }): Promise<Page<WholeJob>>;

  /**
   * Writes jobs as they were elsewhere, in one commit, all or none (in each database), after those that are here already. A job of the same
   * source that was imported before is passed over, so that an import may be run again. A running one comes in as one
   * that lost its worker: ready again with its attempt counted, or dead when that was the last.
   *
   * @param source the {@link identity} of the store that they were read from
   */
  importJobs(source: string, jobs: readonly WholeJob[]): Promise<readonly Imported[]>;

  /** The ids that jobs of another store were given here; null for those that were not imported. Kept until swept. */
  findImported(source: string, jobs: readonly SourceJob[]): Promise<readonly (JobId | null)[]>;
}
