/**
 * What the log says of parts that fail and try again: one voice for all of an engine, since with the store they fail
 * together. The first failure is said with its error, then at growing intervals that it lasts, and once that it is over;
 * each single failure is there at level debug. A failure of another kind is said for itself.
 */
import { messageOf, NightshiftError } from "../errors/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import { type Clock, formatDuration } from "../time/index.ts";

/** In milliseconds, doubled each time. */
const FIRST_INTERVAL = 30_000;
const LONGEST_INTERVAL = 600_000;

interface Outage {
  readonly since: number;
  interval: number;
  sayAt: number;
  failures: number;
  /** All that met it, in the order in which they did. */
  readonly parts: Set<string>;
  readonly failing: Set<string>;
}

export class Outages {
  readonly #clock: Clock;
  readonly #logger: LoggerLike;
  /** By their kind. */
  readonly #outages = new Map<string, Outage>();

  constructor(clock: Clock, logger: LoggerLike) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * @param part for people: `worker`
   * @param wait after how long it tries again, in milliseconds
   */
  failed(part: string, err: unknown, wait: number): void {
    const now = this.#clock.monotonic();
    const outage = this.#of(part, err, now);
    outage.failures++;
    outage.parts.add(part);
    outage.failing.add(part);
    this.#logger.debug({ err, part }, `The ${part} failed, again in ${Math.round(wait)} ms: ${messageOf(err)}`);
    if (now < outage.sayAt) return;
    if (outage.failures === 1) {
      this.#logger.error({ err, part }, `The ${part} failed, and tries again until it succeeds: ${messageOf(err)}`);
    } else {
      const message = `Still failing, for ${lasted(outage, now)}; tried again and again. The last time: ${messageOf(err)}`;
      this.#logger.error({ failures: outage.failures }, message);
      outage.interval = Math.min(2 * outage.interval, LONGEST_INTERVAL);
    }
    outage.sayAt = now + outage.interval;
  }

  /** The part's last call succeeded. */
  succeeded(part: string): void {
    const now = this.#clock.monotonic();
    for (const [kind, outage] of this.#outages) {
      if (!outage.failing.delete(part) || outage.failing.size > 0) continue;
      this.#outages.delete(kind);
      this.#logger.info({ failures: outage.failures }, `Works again, after ${lasted(outage, now)}.`);
    }
  }

  #of(part: string, error: unknown, now: number): Outage {
    // What is no error of ours is each part's own.
    const kind = error instanceof NightshiftError ? error.code : `${part} ${error instanceof Error ? error.name : ""}`;
    let outage = this.#outages.get(kind);
    if (outage === undefined) {
      outage = {
        ...{ since: now, interval: FIRST_INTERVAL, sayAt: now, failures: 0 },
        ...{ parts: new Set<string>(), failing: new Set<string>() },
      };
      this.#outages.set(kind, outage);
    }
    return outage;
  }
}

/** `1m 5s (worker, heartbeat)`. */
function lasted({ since, parts }: Outage, now: number): string {
  const long = now - since;
  const rounded = long < 10_000 ? Math.round(long) : Math.round(long / 1_000) * 1_000;
  return `${formatDuration(rounded)} (${[...parts].join(", ")})`;
}
