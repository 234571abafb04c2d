/**
 * Looks now and then for what makes claims slow before anybody wonders, and says it in the log, once per finding and
 * hour. What is looked for is in findings.ts.
 */
import { findings } from "./findings.ts";
import type { Session } from "./session.ts";

const LOOK_EVERY = 60_000;
const REPEAT_EVERY = 3_600_000;

export class HealthWatch {
  readonly #session: Session;
  readonly #said = new Map<string, number>();
  #lookedAt: number;

  constructor(session: Session) {
    this.#session = session;
    this.#lookedAt = session.clock.monotonic();
  }

  /** Looks, if it is time. Never rejects: looking is not worth failing for. */
  async look(): Promise<void> {
    const { clock, logger, s, database } = this.#session;
    if (clock.monotonic() - this.#lookedAt < LOOK_EVERY) return;
    this.#lookedAt = clock.monotonic();
    try {
      for (const { what, message, details } of await findings(this.#session)) {
        const before = this.#said.get(what);
        if (before !== undefined && clock.monotonic() - before < REPEAT_EVERY) continue;
        this.#said.set(what, clock.monotonic());
        logger.warn({ what, ...details, schema: s, location: database.settings.location }, message);
      }
    } catch (err) {
      logger.debug({ err }, "could not look after the database's health");
    }
  }
}
