/** The contract, part 7: wake-ups. A hint, never a promise: whoever waits also looks now and then on its own. */
import type { JobId } from "./jobs.ts";

/** What a wake-up says. */
export type Wake =
  /** These queues have jobs that can be claimed. */
  | { readonly what: "work"; readonly queues: readonly string[] }
  /** A job became `scheduled`, at the earliest for this time. */
  | { readonly what: "scheduled"; readonly at: number }
  /** A schedule changed. */
  | { readonly what: "schedules" }
  /** A running job is to be cancelled. */
  | { readonly what: "cancellation" }
  /** These jobs reached a final state. */
  | { readonly what: "finished"; readonly jobs: readonly JobId[] }
  /** Another process wrote something: any of the above. */
  | { readonly what: "unknown" };

/** Hearing of changes. */
export interface Waking {
  /**
   * Calls `listener` after commits, in this process at once and for other processes as soon as the store can tell. Where
   * many workers are there for one job, a store may tell some of them first and the others a moment later, or not at all
   * when the job is over by then. Dispose to stop. A listener must not throw.
   */
  subscribe(listener: (wake: Wake) => void): Disposable;
}
