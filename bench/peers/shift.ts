/** A worker at work, and what is seen of it: how many jobs, when, how long after they were enqueued, in how much memory. */
import { now, type Payload, type Session, type Stop } from "./system.ts";

/** Seen so far. Moments are on the clock that all processes share. */
export interface Seen {
  readonly count: number;
  /** The sum of the jobs' numbers. */
  readonly sum: number;
  readonly first: number;
  readonly last: number;
}

export interface ShiftFigures extends Seen {
  /** Handlers a second, from the first to the last: without start-up and stop. */
  readonly rate: number;
  /** Processor time of this process, milliseconds. */
  readonly cpu: number;
  /** The most memory that this process has ever had resident, bytes. */
  readonly peak: number;
  /** Resident memory at every 10,000th job, bytes. */
  readonly memory: readonly number[];
  /** Milliseconds from the call of enqueue to the handler, in the order of handling. */
  readonly latencies: readonly number[];
}

const SAMPLE_EVERY = 10_000;

export class Shift {
  readonly #end: number;
  readonly #latencies: number[] | undefined;
  readonly #memory: number[] = [];
  readonly #before = process.cpuUsage();
  #stop: Stop | undefined;
  #stopping: Promise<void> | undefined;
  #seen = { count: 0, sum: 0, first: 0, last: 0 };
  /** How many were handled before the end. */
  #timely = 0;
  #ended = false;

  private constructor(ms: number, latencies: boolean) {
    this.#end = now() + ms;
    this.#latencies = latencies ? [] : undefined;
  }

  /** Starts a worker that stops by itself when the time is over. */
  static async start(session: Session, ms: number, latencies: boolean): Promise<Shift> {
    const shift = new Shift(ms, latencies);
    shift.#stop = await session.work((payload) => shift.#handle(payload));
    if (shift.#ended) shift.#finish();
    return shift;
  }

  get seen(): Seen {
    return { ...this.#seen };
  }

  async stop(): Promise<ShiftFigures> {
    const { user, system } = process.cpuUsage(this.#before);
    this.#finish();
    await this.#stopping;
    const { first, last } = this.#seen;
    return {
      ...this.#seen,
      rate: ((this.#timely - 1) / Math.max(1, last - first)) * 1_000,
      cpu: (user + system) / 1_000,
      peak: process.resourceUsage().maxRSS * 1_024,
      memory: this.#memory,
      latencies: this.#latencies ?? [],
    };
  }

  #handle({ n, at }: Payload): void {
    const moment = now();
    const seen = this.#seen;
    seen.sum += n;
    if (++seen.count % SAMPLE_EVERY === 0) this.#memory.push(process.memoryUsage.rss());
    this.#latencies?.push(moment - at);
    if (this.#ended) return;
    this.#timely++;
    seen.last = moment;
    if (seen.count === 1) seen.first = moment;
    // Asked here: a worker whose calls are synchronous lets no timer run and hears no message.
    if (moment > this.#end) this.#finish();
  }

  #finish(): void {
    this.#ended = true;
    if (this.#stop !== undefined) this.#stopping ??= this.#stop();
  }
}
