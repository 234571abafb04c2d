/** Compares this process's clock with the store's, which is the one that counts, and says so when they differ. */
import type { Store } from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import { type Clock, formatDuration } from "../../time/index.ts";

/** Less than this is nobody's concern. */
const TOLERATED = 2_000;

export class ClockWatch {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #logger: LoggerLike;
  #ahead = 0;

  constructor(store: Store, clock: Clock, logger: LoggerLike) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** How far this process's clock was ahead of the store's when last compared; negative when behind. */
  get ahead(): number {
    return this.#ahead;
  }

  /** Compares, and logs when a difference has begun or ended. */
  async compare(): Promise<void> {
    const before = this.#clock.now();
    const store = await this.#store.now();
    // The answer was made about halfway between question and reply.
    const ahead = Math.round((before + this.#clock.now()) / 2 - store);
    const differs = Math.abs(ahead) > TOLERATED;
    const differed = Math.abs(this.#ahead) > TOLERATED;
    this.#ahead = ahead;
    if (differs === differed) return;
    if (!differs) this.#logger.info({ ahead }, "This process's clock agrees with the store's again.");
    else {
      const how = `${formatDuration(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"} the store's`;
      const message = `This process's clock is ${how}. Jobs and schedules follow the store's clock; set this one right.`;
      this.#logger.warn({ ahead }, message);
    }
  }
}
