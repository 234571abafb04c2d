/** All queues of one worker: which have something to claim, whose turn it is, and what waits for a free slot. */
import type { ClaimedJob, Wake, Want } from "../../store/contract.ts";
import type { HeldLease } from "./held-lease.ts";
import { Lane, type Waiting } from "./lane.ts";

/** Commits of other processes say only that something happened: they cause a look at most this often. A look that finds nothing is cheap. */
const LOOK_AT_MOST_EVERY = 5;
/** Claimed jobs that could not begin for so long are handed back: other processes may have free slots. */
const HAND_BACK_AFTER = 1_000;
/** A store ends a batch early when it grows heavy; a short batch lighter than this means that the queue is empty. */
const HEAVY = 1_048_576;

/** The lanes of a worker. Times are on the monotonic clock. */
export class Lanes {
  readonly #lanes: readonly Lane[];
  readonly #byQueue: ReadonlyMap<string, Lane>;
  readonly #pollInterval: number;
  /** Which lane is served first; moves on, so that none starves. */
  #turn = 0;
  /** Counts hints, to know whether one came while a claim was on its way. */
  #hints = 0;
  /** When empty queues were last asked without knowing of work, and when they are again. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #askAt = Number.NEGATIVE_INFINITY;

  constructor(
    queues: readonly { readonly queue: string; readonly limit: number }[],
    pollInterval: number,
    claims: number,
    now: number,
  ) {
    this.#lanes = queues.map(({ queue, limit }) => new Lane(queue, limit, claims, now));
    this.#byQueue = new Map(this.#lanes.map((lane) => [lane.queue, lane]));
    this.#pollInterval = pollInterval;
  }

  /** How many hints came so far. */
  get hints(): number {
    return this.#hints;
  }

  get anyWaiting(): boolean {
    return this.#lanes.some((lane) => lane.waiting > 0);
  }

  /** Hears the store; true when the worker should look up. */
  hear(wake: Wake, now: number): boolean {
    if (wake.what === "unknown") {
      this.#askAt = Math.min(this.#askAt, Math.max(now, this.#askedAt + LOOK_AT_MOST_EVERY));
      return true;
    }
    if (wake.what !== "work") return false;
    let ours = false;
    for (const queue of wake.queues) {
      const lane = this.#byQueue.get(queue);
      if (lane === undefined) continue;
      lane.dry = false;
      ours = true;
    }
    if (ours) this.#hints++;
    return ours;
  }

  /** Takes no queue to be empty any more. */
  askAll(now: number): void {
    for (const lane of this.#lanes) lane.dry = false;
    this.#askedAt = now;
    this.#askAt = now + this.#pollInterval;
  }

  /** Asks all queues when it is time; how long until it is time again, or something waits for too long. */
  tick(now: number): number {
    if (now >= this.#askAt) this.askAll(now);
    let until = this.#askAt;
    for (const { waitingSince } of this.#lanes) {
      if (waitingSince !== undefined) until = Math.min(until, waitingSince + HAND_BACK_AFTER);
    }
    return until - now;
  }

  /** Whether a queue has free slots, nothing to fill them, and perhaps something in the store. */
  isHungry(): boolean {
    for (const lane of this.#lanes) if (lane.isHungry) return true;
    return false;
  }

  /** How many jobs a claim would ask for beyond those that wait or were asked for; of the queue that could use most. */
  mostMissing(): number {
    return Math.max(0, ...this.#lanes.map((lane) => lane.missing));
  }

  /**
   * What to claim. Free slots are shared among the queues that may have jobs, beginning with another one each time, so
   * that neither a queue is starved nor more is claimed than can begin.
   *
   * @param free the worker's free slots
   * @param storeTime how long the worker has waited for the store so far, in all
   */
  wants(free: number, now: number, storeTime: number): readonly Want[] {
    this.#turn++;
    const wants: Want[] = [];
    const open = this.#lanes.filter((lane) => !lane.dry);
    // Jobs that wait while slots are free belong to a queue that is at its own limit: they take none of these slots.
    let left = Math.max(0, free - this.#lanes.reduce((sum, lane) => sum + lane.coming, 0));
    for (let index = 0; index < open.length; index++) {
      const lane = open[(this.#turn + index) % open.length];
      if (lane === undefined) continue;
      const share = Math.min(Math.ceil(left / (open.length - index)), Math.max(0, lane.limit - lane.running));
      const limit = lane.wanted(share, now, storeTime);
      if (limit <= 0) continue;
      lane.coming += limit;
      wants.push({ queue: lane.queue, limit });
      left -= Math.min(left, share);
    }
    return wants;
  }

  /** What a claim brought, if anything, for one want. `hints` is how many there were when it was sent. */
  arrived(want: Want, jobs: readonly ClaimedJob[], lease: HeldLease | undefined, hints: number, now: number): void {
    const lane = this.#byQueue.get(want.queue);
    if (lane === undefined) return;
    lane.coming -= want.limit;
    if (jobs.length < want.limit && hints === this.#hints && weight(jobs) < HEAVY) lane.dry = true;
    if (lease !== undefined) this.push(want.queue, jobs, lease, now);
  }

  /** Claimed jobs that wait for their slots. */
  push(queue: string, jobs: readonly ClaimedJob[], lease: HeldLease, now: number): void {
    this.#byQueue.get(queue)?.push(jobs, lease, now);
  }

  /** Keeps slots of a queue that is empty, as far as is known; false when it is not, or has too few. */
  reserve(queue: string, count: number): boolean {
    const lane = this.#byQueue.get(queue);
    if (lane === undefined || !lane.dry || lane.waiting > 0 || lane.running + count > lane.limit) return false;
    lane.running += count;
    return true;
  }

  /** Ends a reservation. */
  giveBack(queue: string, count: number): void {
    const lane = this.#byQueue.get(queue);
    if (lane !== undefined) lane.running -= count;
  }

  /** A claim got no answer. */
  failed(wants: readonly Want[]): void {
    for (const { queue, limit } of wants) {
      const lane = this.#byQueue.get(queue);
      if (lane !== undefined) lane.coming -= limit;
    }
  }

  /** The next job to begin, counted as running; undefined when none may. */
  next(): Waiting | undefined {
    for (let tried = 0; tried < this.#lanes.length; tried++) {
      const lane = this.#lanes[this.#turn % this.#lanes.length];
      const waiting = lane !== undefined && lane.running < lane.limit ? lane.shift() : undefined;
      if (lane === undefined || waiting === undefined || this.#lanes.length > 1) this.#turn++;
      if (lane === undefined || waiting === undefined) continue;
      lane.running++;
      return waiting;
    }
    return undefined;
  }

  /** A job that began has ended, after so many milliseconds. */
  ended(queue: string, ms = 0): void {
    this.#byQueue.get(queue)?.ended(ms);
  }

  /** Takes out what has waited for too long. */
  takeStale(now: number): readonly Waiting[] {
    const stale: Waiting[] = [];
    for (const lane of this.#lanes) {
      if ((lane.waitingSince ?? now) + HAND_BACK_AFTER > now) continue;
      lane.slowDown();
      stale.push(...lane.remove());
    }
    return stale;
  }

  /** Takes out everything that waits, or what matches. */
  remove(matches?: (waiting: Waiting) => boolean): readonly Waiting[] {
    return this.#lanes.flatMap((lane) => lane.remove(matches));
  }
}

function weight(jobs: readonly ClaimedJob[]): number {
  return jobs.reduce((sum, job) => sum + job.input.length, 0);
}
