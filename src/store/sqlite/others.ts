/**
 * What the writing connection knows of others on the file. Whoever opens it enters the list of processes, which is a
 * commit, and a commit of another connection changes `PRAGMA data_version`: as long as that stays, nobody new is there,
 * and what this process remembers of the file is as it was.
 */
import type { Connection } from "./connection.ts";
import { DATA_VERSION, SEVERAL_PROCESSES } from "./sql/schema.ts";

/** While others are known to be there, whether they still are is asked with every so many transactions: all that hangs on it is a sign too many. */
const ASK_AGAIN_AFTER = 32;

export class Others {
  readonly #on: Connection;
  #version: number | undefined;
  #any = true;
  /** Transactions since others were asked for, once there was reason to ask again; null while there is none. */
  #unasked: number | null = ASK_AGAIN_AFTER;

  constructor(on: Connection) {
    this.#on = on;
  }

  /** Whether any other has the file open, and so may wait to hear of commits; as of the last transaction. */
  get any(): boolean {
    return this.#any;
  }

  /** Asked inside each transaction: whether anybody else has committed since the last one. */
  haveCommitted(): boolean {
    const version = this.#on.number(DATA_VERSION);
    const changed = version !== this.#version;
    this.#version = version;
    if (changed) this.#unasked ??= 0;
    if (this.#unasked !== null && (!this.#any || ++this.#unasked > ASK_AGAIN_AFTER)) {
      this.#any = this.#on.get(SEVERAL_PROCESSES) !== undefined;
      this.#unasked = null;
    }
    return changed;
  }
}
