/**
 * Hearing of commits by others: other processes, and handles of the application's own in this one. The -wal file is
 * watched; `PRAGMA data_version` tells whether it was another's commit, for about a microsecond. Where watching does
 * not work, reading data_version now and then is enough.
 */
import { type FSWatcher, watch } from "node:fs";
import type { LoggerLike } from "../../telemetry/logger.ts";
import { systemClock, type Timer } from "../../time/index.ts";
import type { Connection } from "./connection.ts";

/** How long commits of a caller's transaction are looked for at short intervals, and at which. */
const SOON = { tries: 10, every: 2 } as const;
/** How long signs are gathered while this process commits itself, in milliseconds. */
const BUSY_PAUSE = 1;

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
  #soon: Timer | null = null;
  #later: Timer | null = null;
  /** Whether this process committed since the last look: then a sign is most likely its own. */
  #committed = false;
  #closed = false;

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
    const version = this.#dataVersion();
    if (version === this.#version) return false;
    this.#version = version;
    this.#options.onChange();
    return true;
  }

  /** A caller's transaction is about to commit: look for it closely for a moment, should the watch fail. */
  expectSoon(): void {
    this.#soon?.cancel();
    const lookAgain = (left: number) => {
      if (this.look() || left === 0 || this.#closed) return;
      this.#soon = systemClock.setTimer(SOON.every, () => lookAgain(left - 1), { ref: false });
    };
    this.#soon = systemClock.setTimer(0, () => lookAgain(SOON.tries), { ref: false });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#watcher?.close();
    this.#poll?.cancel();
    this.#soon?.cancel();
    this.#later?.cancel();
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

  /** The file was written. While this process writes itself, one look for many signs is enough: others' commits wait a moment. */
  #onSign(): void {
    if (!this.#committed) {
      this.look();
    } else if (this.#later === null) {
      const look = () => {
        this.#later = null;
        this.look();
      };
      this.#later = systemClock.setTimer(BUSY_PAUSE, look, { ref: false });
    }
  }

  #disarm(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  /** Real time, whatever clock the store was given: other processes live in it. */
  #schedulePoll(): void {
    const poll = () => {
      if (this.#watcher === null) this.#arm();
      this.#options.check();
      this.look();
      this.#schedulePoll();
    };
    if (!this.#closed) this.#poll = systemClock.setTimer(this.#options.pollInterval, poll, { ref: false });
  }
}
