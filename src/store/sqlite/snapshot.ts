/**
 * A moment of the file that is read on between the commits of one turn. Each transaction of SQLite's takes a reader's
 * place in the log and gives it back: four of the ten system calls of a small commit. While a statement of the same
 * connection is being read, it keeps its place. Nobody waits for a reader, and one transaction's end is the next one's
 * beginning: where somebody else has committed in between, SQLite refuses the write lock, and the place is given up.
 */
import type { Connection } from "./connection.ts";
import { READ_ON } from "./sql/transaction.ts";

export class Snapshot {
  readonly #on: Connection;
  #rows: Iterator<unknown> | null = null;

  constructor(on: Connection) {
    this.#on = on;
  }

  get isHeld(): boolean {
    return this.#rows !== null;
  }

  /** Holds what is committed now, if nothing is held. Outside a transaction. */
  hold(): void {
    if (this.#rows !== null) return;
    const rows = this.#on.iterate(READ_ON)[Symbol.iterator]();
    rows.next();
    this.#rows = rows;
  }

  /** Gives up what is held, if anything. */
  release(): void {
    const rows = this.#rows;
    this.#rows = null;
    rows?.return?.();
  }
}
