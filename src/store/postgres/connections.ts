/**
 * Connections of a pool. Those of the store's own pool stay at hand between statements: the way through the pool (a turn,
 * two timers, listeners on and off) costs a lone statement a tenth of its processor time. An application's pool has each
 * back at once, since others may wait for it.
 */
import type { Clock, Timer } from "../../time/index.ts";
import { checkOut, type PgPool, type PgPoolClient } from "./driver.ts";

/** After so long at hand unused, in milliseconds, one goes back to the pool, which ends it in its own time. */
const REST = 10_000;

export class Connections {
  readonly #pool: PgPool;
  readonly #isOwn: boolean;
  readonly #clock: Clock;
  /** The one that was used last is used next. */
  readonly #atHand: PgPoolClient[] = [];
  /** The fewest that were at hand since the last look: so many were not needed. */
  #fewest = 0;
  #timer: Timer | undefined;
  #isOver = false;
  /** Broke while somebody had it. */
  readonly #broken = new WeakMap<PgPoolClient, Error>();
  readonly #broke: (error: Error) => void;

  /** @param isOwn nobody else takes from this pool */
  constructor(pool: PgPool, isOwn: boolean, clock: Clock) {
    this.#pool = pool;
    this.#isOwn = isOwn;
    this.#clock = clock;
    const atHand = this.#atHand;
    const broken = this.#broken;
    // One that breaks under a statement rejects it, by whatever error; nobody but this hears of one that breaks at hand.
    this.#broke = function (this: PgPoolClient, error: Error) {
      const place = atHand.indexOf(this);
      if (place >= 0) atHand.splice(place, 1)[0]?.release(error);
      else broken.set(this, error);
    };
  }

  take(): PgPoolClient | Promise<PgPoolClient> {
    const client = this.#atHand.pop();
    if (client === undefined) return checkOut(this.#pool, this.#broke);
    this.#fewest = Math.min(this.#fewest, this.#atHand.length);
    return client;
  }

  /** Whoever has it will let it go as one that broke, whatever is said then. */
  giveUp(client: PgPoolClient, why: Error): void {
    this.#broken.set(client, why);
  }

  /** @param broken why it is of no use any more; the listener stays on it, which may say so again */
  letGo(client: PgPoolClient, broken: Error | null): void {
    const why = broken ?? this.#broken.get(client);
    if (why !== undefined) client.release(why);
    else if (!this.#isOwn || this.#isOver || this.#pool.waitingCount !== 0) this.#giveBack(client);
    else {
      this.#atHand.push(client);
      if (this.#timer === undefined) this.#look();
    }
  }

  /** Gives back what is at hand, and from now on each at once. */
  over(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    for (const client of this.#atHand.splice(0)) this.#giveBack(client);
  }

  #giveBack(client: PgPoolClient): void {
    client.removeListener("error", this.#broke);
    client.release();
  }

  #look(): void {
    this.#fewest = this.#atHand.length;
    const then = () => {
      this.#timer = undefined;
      for (const client of this.#atHand.splice(0, this.#fewest)) this.#giveBack(client);
      if (this.#atHand.length > 0) this.#look();
    };
    this.#timer = this.#clock.setTimer(REST, then, { ref: false });
  }
}
