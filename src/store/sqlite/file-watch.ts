/** Watching one file, as well as the platform can: a watch that was lost, or could not be had, is tried again when asked. */
import { type FSWatcher, watch } from "node:fs";
import type { LoggerLike } from "../../telemetry/logger.ts";

export class FileWatch implements Disposable {
  readonly #path: string;
  readonly #logger: LoggerLike;
  readonly #onSign: () => void;
  #watcher: FSWatcher | null = null;
  #works = false;

  constructor(path: string, logger: LoggerLike, onSign: () => void) {
    this.#path = path;
    this.#logger = logger;
    this.#onSign = onSign;
    this.arm();
  }

  /** Whether this watch has given a sign: on some mounts one can be had that never does. */
  get works(): boolean {
    return this.#works;
  }

  /** Watches, if it does not already. */
  arm(): void {
    if (this.#watcher !== null) return;
    try {
      this.#watcher = watch(this.#path, { persistent: false }, (event) => {
        // Renamed or removed: the watch looks at a file that nobody writes any more.
        if (event === "rename") this[Symbol.dispose]();
        else this.#works = true;
        this.#onSign();
      });
      this.#watcher.on("error", () => this[Symbol.dispose]());
    } catch (err) {
      this.#logger.debug({ err }, `${this.#path} cannot be watched; polling tells of other processes`);
    }
  }

  [Symbol.dispose](): void {
    this.#works = false;
    this.#watcher?.close();
    this.#watcher = null;
  }
}
