/** Says in the log that the event loop stood still and which handlers were at work, also where it costs no lease. */
import type { LoggerLike } from "../../telemetry/index.ts";
import { type Clock, formatDuration, systemClock, type Timer } from "../../time/index.ts";

/** A block is seen shorter by up to that. An idle process wakes up for each look, so they are few. */
const EVERY = 1_000;
/** So long a block is no hiccup of a busy machine: every other job, request and heartbeat of the process waited for it. */
const LONG = 1_000;
const TOLD_AT_MOST_EVERY = 60_000;

export interface LoopWatchParts {
  readonly logger: LoggerLike;
  /** For people: which handlers run, or have just ended. */
  readonly atWork: () => readonly string[];
  /** A block as long as the leases is told where they are lost. */
  readonly leaseTtl: number;
  /** The machine's own: it measures this process. A test may give another. */
  readonly clock?: Clock;
}

export class LoopWatch {
  readonly #parts: LoopWatchParts;
  readonly #clock: Clock;
  #due = 0;
  #timer: Timer | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  /** Blocks since the last line, and the longest of them. */
  #untold = 0;
  #worst = 0;

  constructor(parts: LoopWatchParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
  }

  start(): void {
    this.#due = this.#clock.monotonic() + EVERY;
    this.#timer = this.#clock.setTimer(EVERY, () => this.#look(), { ref: false });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const now = this.#clock.monotonic();
    const late = now - this.#due;
    if (late >= LONG && late < this.#parts.leaseTtl) this.#blocked(late, now);
    this.start();
  }

  #blocked(late: number, now: number): void {
    if (now - this.#toldAt < TOLD_AT_MOST_EVERY) {
      this.#untold++;
      this.#worst = Math.max(this.#worst, late);
      return;
    }
    const { logger, atWork } = this.#parts;
    const names = atWork();
    const who = names.length === 0 ? "No handler was at work" : `At work: ${names.join(", ")}`;
    const others = `and ${this.#untold} times since this was said last, for ${whole(this.#worst)} at most`;
    const before = this.#untold === 0 ? "" : ` (${others})`;
    const message = `The event loop was blocked for ${whole(late)} or longer${before}: no other job, request or heartbeat of this process went on. ${who}. Move long calculations into a worker thread, or let the loop turn between their steps (setImmediate of node:timers/promises).`;
    logger.warn({ blocked: Math.round(late), atWork: names }, message);
    this.#toldAt = now;
    this.#untold = 0;
    this.#worst = 0;
  }
}

function whole(milliseconds: number): string {
  return formatDuration(Math.round(milliseconds));
}
