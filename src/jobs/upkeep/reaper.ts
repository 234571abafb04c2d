/** Takes jobs from instances that vanished, so that somebody else runs them. Every process looks; the store lets one win. */
import type { RescuedJob, Store } from "../../store/contract.ts";
import { Routine, type RoutineParts } from "./routine.ts";

/** Leases in one commit. */
const SLICE = 100;
/** How long a process that is overdue itself leaves the leases alone, in milliseconds. */
const AFTER_US = 100;

export class Reaper {
  readonly #store: Store;
  readonly #routine: Routine;
  readonly #parts: Omit<RoutineParts, "name" | "duty">;
  readonly #every: number;
  readonly #isOverdue: () => boolean;

  /**
   * @param ttl how long a silent instance keeps its leases: looked for twice in that time
   * @param isOverdue whether this very process was silent for too long
   */
  constructor(store: Store, ttl: number, parts: Omit<RoutineParts, "name" | "duty">, isOverdue: () => boolean) {
    this.#isOverdue = isOverdue;
    this.#store = store;
    this.#parts = parts;
    this.#every = ttl / 2;
    this.#routine = new Routine({ ...parts, name: "reaper", duty: () => this.#rescue() });
  }

  start(): void {
    // Right away: the instance that vanished may be this process's own last life.
    this.#routine.start(0);
  }

  stop(): Promise<void> {
    return this.#routine.stop();
  }

  async #rescue(): Promise<number> {
    // After a blocked loop all timers fire at once. First the handlers here are told that their leases are lost: taken
    // before, their jobs would begin again beside them.
    if (this.#isOverdue()) return AFTER_US;
    const rescued = await this.#store.rescue(SLICE);
    for (const job of rescued) this.#tell(job);
    if (rescued.length >= SLICE) return 0;
    // Spread, so that processes started together do not look together for ever.
    return this.#every * (0.8 + 0.4 * this.#parts.random());
  }

  #tell({ job, name, queue, attempt, instance, now }: RescuedJob): void {
    const { logger } = this.#parts;
    // Not `name`: that is who logs.
    const facts = { job, jobName: name, queue, attempt, instance };
    const said = `Job ${job} (${name}) lost its worker ${instance} in attempt ${attempt}`;
    if (now === "dead") logger.error(facts, `${said} and is dead: attempts or crashes are spent.`);
    else if (now === "cancelled") logger.warn(facts, `${said} and is cancelled, as was asked for.`);
    else logger.warn(facts, `${said} and is ready again.`);
  }
}
