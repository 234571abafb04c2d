/** One queue in one worker: claimed jobs that wait for a free slot, and how many more are worth claiming. */
import type { ClaimedJob } from "../../store/contract.ts";
import type { HeldLease } from "./held-lease.ts";

/** A claimed job that has not begun. */
export interface Waiting {
  readonly job: ClaimedJob;
  readonly lease: HeldLease;
}

/** What one claim brought, and is still waiting. */
interface Arrival {
  /** The next one last: what was taken is let go of at once, and need not outlive the rest. */
  readonly jobs: ClaimedJob[];
  readonly lease: HeldLease;
  /** On the monotonic clock. */
  readonly since: number;
}

/** Claimed ahead is what this time's work is, at the present pace: enough to keep handlers busy over one commit. */
const AHEAD_MS = 25;
/**
 * And never more than so many, which one claim brings, or two where two are under way at once. Fewer cost throughput, more
 * cost memory, as what is in hand decides how much room V8 gives young objects (decision 064).
 */
const MOST_AHEAD = 1_400;
/** Claimed ahead is never more than this many bytes of input, by the average so far. */
const MOST_BYTES_AHEAD = 32 * 1024 * 1024;

/** How many jobs to claim beyond the free slots: many for handlers that take no time, none for slow ones. */
export function worthAhead(perMs: number, averageBytes: number): number {
  const byPace = Math.floor(perMs * AHEAD_MS);
  const byBytes = Math.floor(MOST_BYTES_AHEAD / Math.max(1, averageBytes));
  return Math.min(byPace, byBytes, MOST_AHEAD);
}

/** The buffer of a queue, and its pace. */
export class Lane {
  readonly queue: string;
  /** How many of its jobs may run at once. */
  readonly limit: number;
  running = 0;
  /** Asked for by claims that are under way. */
  coming = 0;
  /** The last claim brought less than was wanted: nothing to claim until something is said or time passes. */
  dry = false;
  #arrivals: Arrival[] = [];
  #waiting = 0;
  #averageBytes = 0;
  #perMs = 0;
  #averageMs = 0;
  #ahead = 0;
  #ended = 0;
  #measuredAt: number;
  #storeTime = 0;
  /** The most that one claim asks for. */
  readonly #mostClaimed: number;

  /** @param claims how many claims may be under way at once */
  constructor(queue: string, limit: number, claims: number, now: number) {
    this.queue = queue;
    this.limit = limit;
    this.#mostClaimed = MOST_AHEAD / claims;
    this.#measuredAt = now;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Free slots, nothing to fill them, and perhaps something in the store. */
  get isHungry(): boolean {
    return !this.dry && this.#waiting === 0 && this.coming === 0 && this.running < this.limit;
  }

  /** Since when the first waiting job waits. */
  get waitingSince(): number | undefined {
    return this.#arrivals[0]?.since;
  }

  push(jobs: readonly ClaimedJob[], lease: HeldLease, since: number): void {
    if (jobs.length === 0) return;
    let average = this.#averageBytes;
    for (const { input } of jobs) average += (input.length - average) / 64;
    this.#averageBytes = average;
    this.#arrivals.push({ jobs: jobs.toReversed(), lease, since });
    this.#waiting += jobs.length;
  }

  shift(): Waiting | undefined {
    const [first] = this.#arrivals;
    const job = first?.jobs.pop();
    if (first === undefined || job === undefined) return undefined;
    if (first.jobs.length === 0) this.#arrivals.shift();
    this.#waiting--;
    return { job, lease: first.lease };
  }

  /** Takes all waiting jobs out, or those that match. */
  remove(matches: (waiting: Waiting) => boolean = () => true): readonly Waiting[] {
    const removed: Waiting[] = [];
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    this.#waiting = 0;
    for (const { jobs, lease, since } of arrivals) {
      const kept: ClaimedJob[] = [];
      for (const job of jobs.toReversed()) {
        const waiting = { job, lease };
        if (matches(waiting)) removed.push(waiting);
        else kept.push(job);
      }
      if (kept.length === 0) continue;
      this.#arrivals.push({ jobs: kept.reverse(), lease, since });
      this.#waiting += kept.length;
    }
    return removed;
  }

  /** A job of this queue has ended, after so many milliseconds. */
  ended(ms: number): void {
    this.running--;
    this.#ended++;
    this.#averageMs += (ms - this.#averageMs) / 8;
  }

  /**
   * How many jobs to claim now.
   *
   * @param free slots that this queue may count on
   * @param storeTime how long the worker has waited for the store so far, in all
   */
  wanted(free: number, now: number, storeTime: number): number {
    this.#measure(now, storeTime);
    // Handlers that began together end together, within a millisecond: that is no pace which slots could keep up.
    const most = this.limit / this.#averageMs;
    this.#ahead = worthAhead(Math.min(this.#perMs, most), this.#averageBytes);
    return this.#worthAsking(free + this.#ahead - this.waiting - this.coming);
  }

  /** How many would be claimed ahead now, if there were no free slots and the pace the one that was measured last. */
  get missing(): number {
    return this.dry ? 0 : this.#worthAsking(this.#ahead - this.waiting - this.coming);
  }

  /** A fast queue is topped up when half of what is ahead is used, not job by job. */
  #worthAsking(missing: number): number {
    const most = this.#mostClaimed;
    return missing >= Math.max(1, Math.min(most, this.#ahead / 2)) ? Math.min(missing, most) : 0;
  }

  /** The pace was wrong: what was claimed ahead was handed back. */
  slowDown(): void {
    this.#perMs = 0;
  }

  /**
   * The pace between two exchanges with the store, whose own time is left out: handlers that wait for the store to bring
   * more are not slow, and a slow disk needs larger batches, not smaller ones. Not all of it, as handlers may have run
   * meanwhile.
   */
  #measure(now: number, storeTime: number): void {
    const elapsed = now - this.#measuredAt;
    if (elapsed < 1) return;
    const waited = storeTime - this.#storeTime;
    const pace = this.#ended / Math.max(0.5, elapsed - waited, elapsed / 10);
    this.#storeTime = storeTime;
    // Up at once, as a fast queue that is thought slow costs a commit per job; down by and by.
    this.#perMs = Math.max(pace, this.#perMs * 0.7 + pace * 0.3);
    this.#ended = 0;
    this.#measuredAt = now;
  }
}
