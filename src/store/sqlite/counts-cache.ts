/** Counting a million waiting jobs takes a tenth of a second of the thread that also runs the application: large counts are kept for a while. */
import type { Clock } from "../../time/index.ts";
import type { Counts } from "../contract.ts";

/** With fewer jobs waiting than this, counts are always fresh. */
const MANY = 50_000;
/** How many jobs' counts are kept for a millisecond: a second for 100,000. Counting then takes about a hundredth of the time. */
const JOBS_PER_MILLISECOND = 100;
const LONGEST = 10_000;

/** The last counts, and whether they may be told again. */
export class CountsCache {
  readonly #clock: Clock;
  #kept: { readonly counts: Counts; readonly until: number } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(count: () => Counts): Counts {
    const now = this.#clock.monotonic();
    if (this.#kept !== null && now < this.#kept.until) return this.#kept.counts;
    const counts = count();
    const jobs = counts.queues.reduce((sum, { ready, scheduled }) => sum + ready + scheduled, 0);
    this.#kept = jobs < MANY ? null : { counts, until: now + Math.min(LONGEST, jobs / JOBS_PER_MILLISECOND) };
    return counts;
  }
}
