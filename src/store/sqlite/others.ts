/**
 * What the writing connection knows of others on the file. Whoever opens it enters the list of processes, which is a
 * commit, and a commit of another connection changes `PRAGMA data_version`: as long as that stays, nobody new is there,
 * and what this process remembers of the file is as it was.
 */
import type { Connection } from "./connection.ts";
import { DATA_VERSION, SEVERAL_PROCESSES } from "./sql/schema.ts";

export class Others {
  readonly #on: Connection;
  #version: number | undefined;
  #any = true;

  constructor(on: Connection) {
    this.#on = on;
  }

  /** Whether any other has the file open, and so may wait to hear of commits; as of the last transaction. */
  get any(): boolean {
    return this.#any;
  }

  /** Asked inside each transaction: whether anybody else has committed since the last one. */
  haveCommitted(): boolean {
    const version = this.#on.get<{ data_version: number }>(DATA_VERSION)?.data_version;
    if (version === this.#version) return false;
    this.#version = version;
    this.#any = this.#on.get(SEVERAL_PROCESSES) !== undefined;
    return true;
  }
}
