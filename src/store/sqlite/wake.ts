/**
 * Hearing of commits by others: other processes, and handles of the application's own in this one. Who has committed
 * touches the -shm file, which the others watch; `PRAGMA data_version` tells whether it was another's commit, for about
 * a microsecond. A handle of the application's own touches nothing, so its process watches the log, and tells the
 * others. Where watching does not work, reading data_version now and then is enough.
 */
import { utimesSync } from "node:fs";
import type { LoggerLike } from "../../telemetry/logger.ts";
import { systemClock, type Timer } from "../../time/index.ts";
import type { Connection } from "./connection.ts";
import { FileWatch } from "./file-watch.ts";
import { DATA_VERSION } from "./sql/schema.ts";

/**
 * Waits between looks after the log was written, in milliseconds. The commit can be seen only after the disk has it and
 * the index in shared memory says so, which gives no sign: one look would be too early.
 */
const LOOKS = [1, 1, 2, 4, 8, 16, 32, 64];
/** The first of several commits is told at once, those of this time after it together. */
const TELL_AT_MOST_EVERY = 1;
/**
 * On other systems a watch opens the file, and closing any descriptor of the -shm file drops the locks that SQLite holds
 * on it: there all watch the log.
 */
const WATCHES_SHM = process.platform === "linux";
/** How much less often to look without a sign once the watch has given one: only what tells nobody is found so. */
const LESS_OFTEN = 4;

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
  #shm: FileWatch | null = null;
  #log: FileWatch | null = null;
  #poll: Timer | null = null;
  #looking: Timer | null = null;
  #step = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #owesTelling = false;
  #closed = false;
  /** What fails at present, so that each is said once and not with every look. */
  readonly #failing = new Set<string>();

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#version = this.#dataVersion();
    if (WATCHES_SHM) this.#shm = new FileWatch(`${options.path}-shm`, options.logger, () => void this.look());
    else this.#watchLog();
    this.#tell(); // heard by oneself too, which shows that the watch works
    this.#schedulePoll();
  }

  /** This process committed what others may wait for. */
  committed(): void {
    if (systemClock.monotonic() - this.#toldAt < TELL_AT_MOST_EVERY) this.#owesTelling = true;
    else this.#tell();
  }

  /** No more commits for now: what was not told must not wait for the next one. */
  settled(): void {
    if (this.#owesTelling) this.#tell();
  }

  /** Looks whether others committed, and passes it on. */
  look(): boolean {
    if (this.#closed) return false;
    const version = this.#attempt("reading the file's version", () => this.#dataVersion());
    if (version === undefined || version === this.#version) return false;
    this.#version = version;
    this.#options.onChange();
    if (this.#log !== null) this.#tell(); // it may have been a handle of the application's own
    return true;
  }

  /** A transaction of the application's own is about to commit, which nobody will tell of. */
  expectSoon(): void {
    this.#watchLog();
    this.#lookClosely();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#shm?.[Symbol.dispose]();
    this.#log?.[Symbol.dispose]();
    this.#poll?.cancel();
    this.#looking?.cancel();
  }

  /** Timers and watchers call in here, where an error would end the process: it is said, and the next look tries again. */
  #attempt<T>(doing: string, step: () => T, failed = "watching the database file failed"): T | undefined {
    try {
      const result = step();
      this.#failing.delete(doing);
      return result;
    } catch (err) {
      if (!this.#failing.has(doing)) this.#options.logger.warn({ err, doing }, failed);
      this.#failing.add(doing);
      return undefined;
    }
  }

  #dataVersion(): number {
    return this.#options.on.number(DATA_VERSION) ?? 0;
  }

  #tell(): void {
    this.#owesTelling = false;
    if (!WATCHES_SHM) return;
    this.#toldAt = systemClock.monotonic();
    const now = Date.now() / 1_000;
    const touch = () => utimesSync(`${this.#options.path}-shm`, now, now);
    // A process that does not own the file may not touch it.
    this.#attempt("telling other processes", touch, "other processes hear of commits only when they look on their own");
  }

  #watchLog(): void {
    const { path, logger } = this.#options;
    this.#log ??= new FileWatch(`${path}-wal`, logger, () => {
      this.look();
      this.#lookClosely();
    });
  }

  #lookClosely(): void {
    this.#step = 0;
    if (this.#looking === null) this.#lookAgain();
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

  /** Real time, whatever clock the store was given: other processes live in it. */
  #schedulePoll(): void {
    const poll = () => {
      this.#shm?.arm();
      this.#log?.arm();
      this.#attempt("looking for the file", () => this.#options.check());
      this.look();
      this.#schedulePoll();
    };
    if (this.#closed) return;
    const wait = this.#options.pollInterval * (this.#shm?.works ? LESS_OFTEN : 1);
    this.#poll = systemClock.setTimer(wait, poll, { ref: false });
  }
}
