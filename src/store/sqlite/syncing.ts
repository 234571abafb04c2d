/**
 * Whether a commit waits for the disk. With `durability: "full"` each one does whose loss in a power cut would break a
 * promise; a claim or a heartbeat means nothing once all processes of the machine are gone, and waits for none
 * (decision 027). Such a commit takes nothing from those before it: they are on the disk already, and the next one that
 * waits takes the whole log there.
 */
import type { Connection } from "./connection.ts";
import type { Settings } from "./options.ts";

export class Syncing {
  readonly #on: Connection;
  readonly #durability: Settings["durability"];
  #waits: boolean | undefined;

  constructor(on: Connection, durability: Settings["durability"]) {
    this.#on = on;
    this.#durability = durability;
  }

  /** Before a transaction: whether its commit is to be there after a power cut. */
  next(durable: boolean): void {
    const waits = durable && this.#durability === "full";
    if (waits === this.#waits) return;
    // Not prepared: SQLite obeys this pragma when it reads it, not when it is run.
    this.#on.driver.exec(`PRAGMA synchronous = ${waits ? "FULL" : "NORMAL"}`);
    this.#waits = waits;
  }
}
