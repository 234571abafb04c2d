/**
 * Group commit: all writes requested in one turn of the event loop share one BEGIN IMMEDIATE .. COMMIT, hence one
 * fsync, and every promise is settled after it. What is requested by those who heard of a commit follows in the same
 * turn, for a moment. One connection writes; nothing waits for a lock inside the driver for longer than a few
 * milliseconds, since that would stop the whole process.
 */
import { NightshiftError } from "../../errors/index.ts";
import { systemClock } from "../../time/index.ts";
import type { WakeCollector } from "../shared/listeners.ts";
import type { Connection } from "./connection.ts";
import { isBusy, isOfTheFile, translate } from "./errors.ts";
import type { Machine } from "./machine.ts";
import { KnownNames } from "./names.ts";
import type { Others } from "./others.ts";
import { Snapshot } from "./snapshot.ts";
import { BEGIN, COMMIT, RELEASE, ROLLBACK, ROLLBACK_TO_SAVEPOINT, SAVEPOINT } from "./sql/transaction.ts";
import type { Syncing } from "./syncing.ts";
import { Transaction } from "./transaction.ts";

/** Once a transaction took this long, the rest of the turn's operations go into the next one, so that others get their turn at the lock. */
const LONGEST_TRANSACTION = 10;
/** A turn goes on with what was requested after its commits for so long; then timers and sockets get theirs. */
const LONGEST_TURN = 2;
/** Waits between tries for the lock: short at first, since most holders are gone within a commit. */
const FIRST_WAIT = 1;
const LONGEST_WAIT = 5;

/** Something to do in a transaction. It may be run again from the start after a rollback, so it changes nothing but the database. */
export type Operation<T> = (tx: Transaction) => T;

interface Pending {
  readonly operation: Operation<unknown>;
  /** Whether it must be there after a power cut. */
  readonly durable: boolean;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  /** When the lock was first found taken; null as long as it was not. */
  busySince: number | null;
  /** What the operation returned; promised when the transaction is committed. */
  value: unknown;
}

/** Nothing left of a batch. */
const NONE: readonly Pending[] = [];

export interface WriterOptions {
  readonly on: Connection;
  readonly machine: Machine;
  readonly others: Others;
  readonly syncing: Syncing;
  readonly path: string;
  /** How long a write waits for others' locks before NS_STORE_BUSY, in milliseconds. */
  readonly busyTimeout: number;
  /** Called before each turn's first transaction where that promises something: throws when nothing may be written any more. */
  readonly check: (now: number) => void;
  /** Hears of commits, before the promises are settled. */
  readonly onCommit: (wakes: WakeCollector) => void;
  /** Called at the end of a turn that committed. */
  readonly onRest: () => void;
}

export class Writer {
  readonly names = new KnownNames();
  readonly #options: WriterOptions;
  readonly #snapshot: Snapshot;
  #queue: Pending[] = [];
  #state: "idle" | "due" = "idle";
  /** The last job id given out, as long as nobody else commits; null when it must be looked up. */
  #lastJobId: number | null = null;
  #turnEnds = 0;
  #tries = 0;
  #drained: (() => void)[] = [];

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#snapshot = new Snapshot(options.on);
  }

  /**
   * Runs an operation with the others of this turn; resolves once it is committed.
   *
   * @param durable whether it must be there after a power cut
   */
  submit<T>(operation: Operation<T>, durable = true): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const pending: Pending = { operation, durable, resolve, reject, busySince: null, value: undefined };
      // Most are alone, and an array that grows from nothing has room for seventeen at once.
      if (this.#queue.length === 0) this.#queue = [pending];
      else this.#queue.push(pending);
      if (this.#state === "idle") this.#schedule();
    });
  }

  /** Whether nothing is being written, or about to be. */
  get isIdle(): boolean {
    return this.#state === "idle";
  }

  /** Resolves when everything that was submitted is settled and the last turn is over. */
  drained(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #schedule(): void {
    this.#state = "due";
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    const now = systemClock.monotonic();
    this.#turnEnds = now + LONGEST_TURN;
    try {
      if (this.#queue.some(isDurable)) this.#options.check(now);
    } catch (error) {
      this.#fail(this.#queue.splice(0), error);
      this.#rest();
      return;
    }
    this.#flush(now, false);
  }

  #flush(now: number, goesOn: boolean): void {
    const batch = this.#queue;
    this.#queue = [];
    const rest = this.#commit(batch, now, goesOn);
    if (rest.length > 0) this.#queue = [...rest, ...this.#queue];
    if (this.#tries > 0 && this.#queue.length > 0) this.#waitForLock();
    // All microtasks that are due run before the tick that one of them asks for.
    else queueMicrotask(this.#afterCallers);
  }

  /**
   * Who waited for this commit hears of it now, and often asks for the next write at once. That follows without a round
   * of the event loop in between, which costs about as much as a small transaction.
   */
  readonly #goOn = () => {
    const now = systemClock.monotonic();
    if (this.#queue.length > 0 && now < this.#turnEnds) return this.#flush(now, true);
    this.#snapshot.release();
    this.#options.onRest();
    if (this.#queue.length > 0) this.#schedule();
    else this.#rest();
  };
  readonly #afterCallers = () => process.nextTick(this.#goOn);

  #rest(): void {
    this.#state = "idle";
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  /** The lock is another's: try again a little later, at random, so that waiting processes do not move in step. */
  #waitForLock(): void {
    this.#state = "due";
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#tries);
    // The holder is another process and lives in real time, whatever clock the store was given.
    systemClock.setTimer(longest * (0.5 + Math.random() / 2), () => this.#turn());
  }

  /** Returns what is to be tried again: the part after a long transaction, or all of it when the lock was not free. */
  #commit(batch: readonly Pending[], now: number, goesOn: boolean): readonly Pending[] {
    const { on, others, syncing } = this.#options;
    try {
      syncing.next(batch.some(isDurable));
      this.#begin(goesOn);
    } catch (error) {
      return isBusy(error) ? this.#stillWaiting(batch) : this.#fail(batch, error);
    }
    this.#tries = 0;
    let tx: Transaction;
    let done: number;
    try {
      if (others.haveCommitted()) this.#lastJobId = null;
      tx = this.#transaction(this.#lastJobId);
      done = this.#runAll(tx, batch, now);
      tx.flushCounts();
      on.run(COMMIT);
    } catch (error) {
      this.#rollBack();
      if (isOfTheFile(error) || batch.length === 1) return this.#fail(batch, error);
      return this.#replay(batch);
    }
    // Outside: what is committed must not be run again, whatever happens from here on.
    const isAll = done === batch.length;
    this.#finish(tx, isAll ? batch : batch.slice(0, done));
    return isAll ? NONE : batch.slice(done);
  }

  /** Takes the write lock. */
  #begin(goesOn: boolean): void {
    const { on, others } = this.#options;
    // The first commit of a turn is without: SQLite makes no checkpoint while a statement is being read.
    if (goesOn && !others.any) this.#snapshot.hold();
    try {
      on.run(BEGIN);
    } catch (error) {
      if (!this.#snapshot.isHeld || !isBusy(error)) throw error;
      this.#snapshot.release();
      on.run(BEGIN);
    }
  }

  #transaction(lastJobId: number | null): Transaction {
    return new Transaction(this.#options.on, this.#options.machine, this.names, lastJobId);
  }

  /** Returns how many of them ran: the first one always. */
  #runAll(tx: Transaction, batch: readonly Pending[], started: number): number {
    let done = 0;
    for (const pending of batch) {
      if (done > 0 && systemClock.monotonic() - started > LONGEST_TRANSACTION) break;
      pending.value = pending.operation(tx);
      done++;
    }
    return done;
  }

  /**
   * Somebody's operation failed: each again inside a savepoint and with a view of its own, so that it fails alone and
   * leaves nothing behind. Rare, so it may be slower.
   */
  #replay(batch: readonly Pending[]): readonly Pending[] {
    const { on } = this.#options;
    const failed: [Pending, unknown][] = [];
    const done: (readonly [Transaction, Pending])[] = [];
    try {
      on.run(BEGIN);
      for (const pending of batch) {
        on.run(SAVEPOINT);
        try {
          const tx = this.#transaction(null);
          pending.value = pending.operation(tx);
          tx.flushCounts();
          done.push([tx, pending]);
        } catch (error) {
          if (isOfTheFile(error)) throw error;
          on.run(ROLLBACK_TO_SAVEPOINT);
          failed.push([pending, error]);
        }
        on.run(RELEASE);
      }
      on.run(COMMIT);
    } catch (error) {
      this.#rollBack();
      return isBusy(error) ? this.#stillWaiting(batch) : this.#fail(batch, error);
    }
    for (const [tx, one] of done) this.#finish(tx, [one]);
    for (const [pending, error] of failed) pending.reject(this.#translated(error));
    return NONE;
  }

  #finish(tx: Transaction, done: readonly Pending[]): void {
    this.names.learn(tx.names.fresh);
    this.#lastJobId = tx.knownJobId ?? this.#lastJobId;
    this.#options.onCommit(tx.wakes);
    for (const { resolve, value } of done) resolve(value as never);
  }

  #stillWaiting(batch: readonly Pending[]): readonly Pending[] {
    const { busyTimeout, path } = this.#options;
    this.#tries = Math.min(this.#tries + 1, 10);
    const now = systemClock.monotonic();
    const message = `${path} stayed locked by another connection for ${busyTimeout} ms. Keep transactions on it short, or raise busyTimeout.`;
    for (const pending of batch) pending.busySince ??= now;
    const expired = batch.filter(({ busySince }) => now - (busySince ?? now) > busyTimeout);
    for (const { reject } of expired) reject(new NightshiftError("NS_STORE_BUSY", message, { details: { path } }));
    return expired.length === 0 ? batch : batch.filter((pending) => !expired.includes(pending));
  }

  #fail(batch: readonly Pending[], error: unknown): readonly Pending[] {
    this.#tries = 0;
    for (const { reject } of batch) reject(this.#translated(error));
    return NONE;
  }

  #translated(error: unknown): NightshiftError {
    return translate(error, this.#options.path);
  }

  /** SQLite has already rolled back after some errors (a full disk, say); a second rollback is then an error of its own, without meaning. */
  #rollBack(): void {
    this.#snapshot.release();
    try {
      this.#options.on.run(ROLLBACK);
    } catch (error) {
      if (isOfTheFile(error)) return;
    }
  }
}

function isDurable({ durable }: Pending): boolean {
  return durable;
}
