/**
 * Checkpoints: what is in the log is moved into the file. That waits for the disk twice, up to 50 ms on a busy one, which
 * no commit should have on top of its own. So it is done when nothing was written for a moment; the commit that makes the log as
 * long as {@link CHECKPOINT_PAGES} does it itself, for those who never pause.
 */
import type { LoggerLike } from "../../telemetry/logger.ts";
import { systemClock, type Timer } from "../../time/index.ts";
import type { Connection } from "./connection.ts";

/** About 4 MB, SQLite's own measure: each commit that makes a file longer costs half as much again as one that writes over it. */
export const CHECKPOINT_PAGES = 1_000;
/**
 * A log that a long reader or a large transaction made longer is cut to this once it begins anew, in bytes. Not to
 * nothing: writing over what is there costs less than growing.
 */
export const LOG_LEFT = 32 * 1_024 * 1_024;

/** How long nothing was written when it is time. */
const PAUSE = 250;
/** Fewer commits are not worth two waits for the disk: the heartbeats of an idle worker, say. */
const WORTHWHILE = 50;

export class Checkpoints implements Disposable {
  readonly #on: Connection;
  readonly #logger: LoggerLike;
  #commits = 0;
  #commitsBefore = 0;
  #timer: Timer | null = null;

  /** @param on the connection that writes, which is in no transaction whenever a timer runs */
  constructor(on: Connection, logger: LoggerLike) {
    this.#on = on;
    this.#logger = logger;
  }

  /** The connection has committed. */
  committed(): void {
    this.#commits++;
    if (this.#commits >= WORTHWHILE && this.#timer === null) this.#wait();
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#commitsBefore = this.#commits;
    const look = () => {
      this.#timer = null;
      if (this.#commits > this.#commitsBefore) return this.#wait();
      this.#commits = 0;
      this.#checkpoint();
    };
    this.#timer = systemClock.setTimer(PAUSE, look, { ref: false });
  }

  /** Moves what it can beside readers and writers, and waits for neither. */
  #checkpoint(): void {
    try {
      this.#on.get("PRAGMA wal_checkpoint(PASSIVE)");
    } catch (err) {
      // As when a commit does it: nothing is lost, the log is longer until it can be done.
      this.#logger.debug({ err }, "the log could not be taken into the database file");
    }
  }
}
