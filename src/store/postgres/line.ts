/**
 * Who looks first when one job has come and many workers could take it. All of them hear of it, one of them can have it, and
 * the others would ask for nothing. So they stand in a line that begins elsewhere for each job: the first two ask at once,
 * the others a little later, unless they have heard by then that the job is over. A first one that has no slot free says so
 * to all. Like every wake-up it is a matter of when, never of whether: where a place is out of date, somebody asks later.
 */
import type { Clock, Timer } from "../../time/index.ts";
import type { InstanceId, JobId, Want } from "../contract.ts";
import type { News } from "./notifier.ts";

/** So many ask at once: should one be gone, the other is there. */
const FIRST = 2;
/** The others ask after so long, in milliseconds. */
const LATER = 100;
/** Who is first and has not asked after so long has no slot free, in milliseconds. */
const PASSED_ON = 2;
/** Of so many jobs it is remembered that they have yet to be asked for; with more the others just ask. */
const MOST = 100;

/** Where an instance stands among the living ones that serve the same queues and know the same names. */
export interface Place {
  readonly before: number;
  readonly of: number;
}

/** What waits for its time in one queue. */
interface Postponed {
  readonly timer: Timer;
  /** Numbers of the jobs; null when it is more than {@link MOST}. */
  jobs: Set<string> | null;
}

export class Line {
  readonly #clock: Clock;
  readonly #ask: (queue: string) => void;
  readonly #passOn: (queue: string) => void;
  readonly #places = new Map<InstanceId, Place>();
  readonly #postponed = new Map<string, Postponed>();
  /** Queues whose job this process is to ask for now. */
  readonly #due = new Map<string, Timer>();

  /**
   * @param ask wakes this process's worker
   * @param passOn wakes all others
   */
  constructor(clock: Clock, ask: (queue: string) => void, passOn: (queue: string) => void) {
    this.#clock = clock;
    this.#ask = ask;
    this.#passOn = passOn;
  }

  /** What a heartbeat has found. */
  stand(instance: InstanceId, place: Place): void {
    this.#places.set(instance, place);
  }

  leave(instance: InstanceId): void {
    this.#places.delete(instance);
  }

  /** Whether this process's worker is to hear of a lone job now; otherwise it will later. */
  isFirst(queue: string, job: string): boolean {
    const [place, ...others] = this.#places.values();
    if (place === undefined || others.length > 0 || place.of <= FIRST) return true;
    const steps = (place.before + place.of - Number(BigInt(job) % BigInt(place.of))) % place.of;
    if (steps < FIRST) this.#expect(queue);
    else this.#postpone(queue, job);
    return steps < FIRST;
  }

  /** The worker asks for jobs of these queues: whatever was heard of them is done with. */
  asked(wants: readonly Want[]): void {
    if (this.#due.size === 0 && this.#postponed.size === 0) return;
    for (const { queue } of wants) {
      this.#due.get(queue)?.cancel();
      this.#due.delete(queue);
      this.#forget(queue);
    }
  }

  /** Jobs that are over need not be asked for. */
  finished(jobs: readonly JobId[]): void {
    for (const [queue, { jobs: waiting }] of this.#postponed) {
      if (waiting === null) continue;
      for (const id of jobs) waiting.delete(id.slice(id.indexOf("-") + 1));
      if (waiting.size === 0) this.#forget(queue);
    }
  }

  [Symbol.dispose](): void {
    for (const timer of this.#due.values()) timer.cancel();
    this.#due.clear();
    for (const queue of this.#postponed.keys()) this.#forget(queue);
  }

  #expect(queue: string): void {
    if (this.#due.has(queue)) return;
    const over = () => {
      this.#due.delete(queue);
      this.#passOn(queue);
    };
    this.#due.set(queue, this.#clock.setTimer(PASSED_ON, over, { ref: false }));
  }

  #postpone(queue: string, job: string): void {
    const postponed = this.#postponed.get(queue);
    if (postponed === undefined) {
      const over = () => {
        this.#postponed.delete(queue);
        this.#ask(queue);
      };
      const timer = this.#clock.setTimer(LATER, over, { ref: false });
      this.#postponed.set(queue, { timer, jobs: new Set([job]) });
    } else if (postponed.jobs !== null && postponed.jobs.size >= MOST) postponed.jobs = null;
    else postponed.jobs?.add(job);
  }

  #forget(queue: string): void {
    this.#postponed.get(queue)?.timer.cancel();
    this.#postponed.delete(queue);
  }
}

/** The queue and the number of the job, when news tell of nothing but one job. */
export function loneJob({ one, queues, lanes }: News): { readonly queue: string; readonly job: string } | null {
  const queue = queues?.[0];
  const job = lanes?.[0]?.[1];
  return one === true && queue !== undefined && job !== undefined ? { queue, job } : null;
}
