/**
 * Hearing of commits by others: other processes, and handles of the application's own in this one. The -wal file is
 * watched; `PRAGMA data_version` tells whether it was another's commit, for about a microsecond. Where watching does
 * not work, reading data_version now and then is enough.
 */
import { type FSWatcher, watch } from "node:fs";
import type { LoggerLike } from "../../telemetry/logger.ts";
import { systemClock, type Timer } from "../../time/index.ts";
import type { Connection } from "./connection.ts";

/**
 * Waits between looks after a sign, in milliseconds. The sign comes when the log is written, but the commit can be seen
 * only after the disk has it and the index in shared memory says so, which gives no sign: one look would be too early.
 */
const LOOKS = [1, 1, 2, 4, 8, 16, 32, 64];

export interface WatcherOptions {
  /** The writing connection: its data_version changes with everybody's commits but its own. */
  readonly on: Connection;
  readonly path: string;
  /** Milliseconds between two looks without a sign. */
  readonly pollInterval: number;
  readonly logger: LoggerLike;
  /** Somebody else committed. */
  readonly onChange: () => void;
  /** Called at each look without a sign: whether the file is still the one that was opened. */
  readonly check: () => void;
}

export class Watcher implements Disposable {
  readonly #options: WatcherOptions;
  #version: number;
  #watcher: FSWatcher | null = null;
  #poll: Timer | null = null;
  #looking: Timer | null = null;
  #step = 0;
  /** Whether this process committed since the last look: then a sign is most likely its own. */
  #committed = false;
  #closed = false;
  /** What fails at present, so that each is said once and not with every look. */
  readonly #failing = new Set<string>();

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#version = this.#dataVersion();
    this.#arm();
    this.#schedulePoll();
  }

  /** This process committed. */
  committed(): void {
    this.#committed = true;
  }

  /** Looks whether others committed, and tells. */
  look(): boolean {
    if (this.#closed) return false;
    this.#committed = false;
    const version = this.#attempt("reading the file's version", () => this.#dataVersion());
    if (version === undefined || version === this.#version) return false;
    this.#version = version;
    this.#options.onChange();
    return true;
  }

  /** A commit of somebody else is on its way (a caller's transaction, a write to the log): looks closely for a moment. */
  expectSoon(): void {
    this.#step = 0;
    if (this.#looking === null) this.#lookAgain();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#watcher?.close();
    this.#poll?.cancel();
    this.#looking?.cancel();
  }

  /** Timers and watchers call in here, where an error would end the process: it is said, and the next look tries again. */
  #attempt<T>(doing: string, step: () => T): T | undefined {
    try {
      const result = step();
      this.#failing.delete(doing);
      return result;
    } catch (err) {
      if (!this.#failing.has(doing)) this.#options.logger.warn({ err, doing }, "watching the database file failed");
      this.#failing.add(doing);
      return undefined;
    }
  }

  #dataVersion(): number {
    return this.#options.on.get<{ data_version: number }>("PRAGMA data_version")?.data_version ?? 0;
  }

  #arm(): void {
    this.#watcher?.close();
    this.#watcher = null;
    try {
      this.#watcher = watch(`${this.#options.path}-wal`, { persistent: false }, (event) => {
        // Renamed or removed: the watch looks at a file that nobody writes any more. The next poll arms it anew.
        if (event === "rename") this.#disarm();
        this.#onSign();
      });
      this.#watcher.on("error", () => this.#disarm());
    } catch (err) {
      this.#options.logger.debug({ err }, "the -wal file cannot be watched; polling tells of other processes");
    }
  }

  /** The log was written. What this process has just written itself is no reason to look at once. */
  #onSign(): void {
    if (!this.#committed) this.look();
    this.expectSoon();
  }

  /** Goes on after a commit was seen too: another one may have given its sign meanwhile. */
  #lookAgain(): void {
    const wait = LOOKS[this.#step++];
    if (wait === undefined || this.#closed) return;
    const look = () => {
      this.#looking = null;
      this.look();
      this.#lookAgain();
    };
    this.#looking = systemClock.setTimer(wait, look, { ref: false });
  }

  #disarm(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  /** Real time, whatever clock the store was given: other processes live in it. */
  #schedulePoll(): void {
    const poll = () => {
      if (this.#watcher === null) this.#arm();
      this.#attempt("looking for the file", () => this.#options.check());
      this.look();
      this.#schedulePoll();
    };
    if (!this.#closed) this.#poll = systemClock.setTimer(this.#options.pollInterval, poll, { ref: false });
  }
}
