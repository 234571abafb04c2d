/** A duty that is done again and again: one loop with a bell, a wait that the duty itself names, and patience with the store. */
import { setImmediate } from "node:timers/promises";
import { NightshiftError } from "../../errors/index.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import type { Clock } from "../../time/index.ts";
import { Bell } from "../bell.ts";
import type { Outages } from "../outages.ts";
import { storeBackoff } from "../retry.ts";

/** What a routine is made of. */
export interface RoutineParts {
  /** For the log: `promoter`. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly random: () => number;
  readonly outages: Outages;
  /** Does the duty once; says after how many milliseconds it is due again. */
  duty(): Promise<number>;
}

/** Runs a duty until stopped. A failing duty is told and tried again with back-off and jitter, until the store is closed. */
export class Routine {
  readonly #parts: RoutineParts;
  readonly #bell: Bell;
  #stopping = false;
  #failures = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: RoutineParts) {
    this.#parts = parts;
    this.#bell = new Bell(parts.clock);
  }

  /** @param first the wait before the first time, in milliseconds */
  start(first: number): void {
    this.#loop = this.#run(first);
  }

  /** Does the duty now, or once more if it is being done. */
  wake(): void {
    this.#bell.ring();
  }

  /** Resolves when the duty is not being done any more. */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#bell.ring();
    return this.#loop;
  }

  async #run(first: number): Promise<void> {
    let wait = first;
    for (;;) {
      await this.#bell.wait(wait);
      if (this.#stopping) return this.#bell.still();
      wait = await this.#once();
      // A duty that is due at once again must not keep others from their turn.
      if (wait <= 0) await setImmediate();
    }
  }

  async #once(): Promise<number> {
    const { name, outages, random, duty } = this.#parts;
    try {
      const wait = await duty();
      if (this.#failures > 0) outages.succeeded(name);
      this.#failures = 0;
      return wait;
    } catch (error) {
      if (error instanceof NightshiftError && error.code === "NS_STORE_CLOSED") return this.#end();
      this.#failures++;
      const wait = storeBackoff(this.#failures, random());
      outages.failed(name, error, wait);
      return wait;
    }
  }

  /** Nobody opens the store again: the host was disposed, and nobody had stopped it. */
  #end(): number {
    const { name, logger } = this.#parts;
    this.#stopping = true;
    logger.warn(`The ${name} ends, since the store was closed. Stop a host before it is disposed.`);
    return 0;
  }
}
