/** What an operation works on inside one transaction, and what is to happen once it is committed. */
import type { FinalState, HistoryEntry } from "../contract.ts";
import { WakeCollector } from "../shared/listeners.ts";
import { type Counted, countedAs, minuteOf } from "../shared/rollup.ts";
import type { Connection } from "./connection.ts";
import type { Instant, Machine } from "./machine.ts";
import { type KnownNames, Names } from "./names.ts";
import { ANY_CANCELLATION } from "./sql/control.ts";
import { LAST_JOB_ID } from "./sql/enqueue.ts";
import { ADD_TO_ROLLUP, ADD_TO_TOTAL } from "./sql/rollup.ts";

/** A transaction as its operations see it: usually all of one turn. */
export class Transaction {
  readonly on: Connection;
  readonly machine: Machine;
  readonly at: Instant;
  readonly names: Names;
  readonly wakes = new WakeCollector();
  /** Made when first needed: most transactions of those who enqueue one by one finish nothing. */
  #counts: Map<number, Map<Counted, number>> | null = null;
  #gone: Map<FinalState, number> | null = null;
  #cancellations: boolean | null = null;
  #lastJobId: number | null;

  /** @param lastJobId the last job id given out, where that is known for sure */
  constructor(on: Connection, machine: Machine, known: KnownNames, lastJobId: number | null = null) {
    this.on = on;
    this.machine = machine;
    this.at = machine.at();
    this.names = new Names(on, known);
    this.#lastJobId = lastJobId;
  }

  /** The last job id given out, if this transaction came to know it. */
  get knownJobId(): number | null {
    return this.#lastJobId;
  }

  /** The next job id. Looked up once: nobody else gives out ids while the write lock is held. */
  nextJobId(): number {
    this.#lastJobId = this.lastJobId() + 1;
    return this.#lastJobId;
  }

  /** The last job id given out. */
  lastJobId(): number {
    this.#lastJobId ??= this.on.get<{ id: number }>(LAST_JOB_ID)?.id ?? 0;
    return this.#lastJobId;
  }

  /** Counts a line of history; written once per transaction by {@link flushCounts}. */
  count(what: HistoryEntry["what"], at = this.at.now): void {
    const counted = countedAs(what);
    if (counted === null) return;
    const minute = minuteOf(at);
    this.#counts ??= new Map();
    let counts = this.#counts.get(minute);
    if (counts === undefined) this.#counts.set(minute, (counts = new Map()));
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
  }

  /** Counts jobs that left a final state: made ready again, or removed. Written with the counts. */
  gone(state: FinalState, jobs = 1): void {
    if (jobs <= 0) return;
    this.#gone ??= new Map();
    this.#gone.set(state, (this.#gone.get(state) ?? 0) + jobs);
  }

  /** Whether any running job is to be cancelled: almost never, and then nobody need look per job. */
  get cancellations(): boolean {
    this.#cancellations ??= this.on.get(ANY_CANCELLATION) !== undefined;
    return this.#cancellations;
  }

  cancellationsChanged(): void {
    this.#cancellations = null;
  }

  /** Writes what {@link count} gathered. The last thing in a transaction. */
  flushCounts(): void {
    if (this.#counts !== null) {
      for (const [minute, counts] of this.#counts) {
        for (const [what, count] of counts) {
          this.on.run(ADD_TO_ROLLUP, minute, what, count);
          this.on.run(ADD_TO_TOTAL, what, count);
        }
      }
      this.#counts = null;
    }
    if (this.#gone !== null) {
      for (const [state, jobs] of this.#gone) this.on.run(ADD_TO_TOTAL, goneName(state), jobs);
      this.#gone = null;
    }
  }
}

/** Where it is counted how many jobs left a final state; what is left in it is the total less this. */
export function goneName(state: FinalState): string {
  return `gone-${state}`;
}
