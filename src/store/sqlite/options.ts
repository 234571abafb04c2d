/** Options of the SQLite store, checked when it is declared. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Problems, show } from "../../errors/index.ts";
import type { Duration } from "../../time/index.ts";
import { patienceOf } from "../shared/patience.ts";

/** Options of {@link sqlite}. */
export interface SqliteOptions {
  /**
   * The file: a path, or a `file:` URL. Created when it does not exist, for its owner alone; its folder must be there. The
   * application may keep its own tables in it.
   */
  readonly path: string | URL;
  /**
   * What a resolved promise survives. `full` (the default): power loss; each commit waits for the disk. `normal`: the
   * death of the process, but a power loss or a crash of the operating system may take back the last commits; the
   * database stays whole. Ten times faster for single writes.
   */
  readonly durability?: "full" | "normal";
  /** How long a write waits for other connections' transactions before it rejects with NS_STORE_BUSY: `"10s"` or milliseconds, at most 24 days. Default 10 s. */
  readonly busyTimeout?: Duration;
  /**
   * How often other processes' commits are looked for without a sign of them; four times less often once watching the file
   * has proved to work. A duration, `"1s"` say, or milliseconds. Default 500 ms.
   */
  readonly pollInterval?: Duration;
}

/** A URL of a file. That it has no `path` is said for editors: in options with a path they then offer no members of URLs. */
export type FileUrl = URL & { readonly path?: never };

/** The options as they are used. */
export interface Settings {
  readonly path: string;
  readonly durability: "full" | "normal";
  readonly busyTimeout: number;
  readonly pollInterval: number;
}

const KNOWN: readonly (keyof SqliteOptions)[] = ["path", "durability", "busyTimeout", "pollInterval"];

/** @throws NS_OPTION_UNKNOWN, NS_OPTION_INVALID, NS_DURATION_INVALID, or one error that lists several */
export function readOptions(given: string | URL | SqliteOptions): Settings {
  const options: SqliteOptions =
    typeof given === "object" && given !== null && !(given instanceof URL) ? given : { path: given };
  const problems = new Problems();
  problems.unknownOptions("sqlite()", options, KNOWN);
  const path = options.path instanceof URL ? pathOf(options.path) : options.path;
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    problems.add("NS_OPTION_INVALID", `sqlite(): path is ${show(path)}. Give the path of a file.`);
  } else if (path === ":memory:" || path.startsWith("file:")) {
    const advice = "Give the path of a file, or use memory() from nightshift/memory.";
    problems.add("NS_OPTION_INVALID", `sqlite(): path is ${show(path)}. ${advice}`);
  } else if (/^sqlite:/i.test(path)) {
    const bare = path.replace(/^sqlite:(\/\/)?/i, "");
    const advice = `Give the path alone, ${show(bare)}: sqlite: is for the nightshift command.`;
    problems.add("NS_OPTION_INVALID", `sqlite(): path is ${show(path)}. ${advice}`);
  } else if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) {
    // The value is not shown: a URL may hold a password.
    problems.add("NS_OPTION_INVALID", "sqlite(): path is a URL of something else. Give the path of a file.");
  }
  const { durability = "full" } = options;
  if (durability !== "full" && durability !== "normal") {
    problems.add("NS_OPTION_INVALID", `sqlite(): durability is ${show(durability)}. Give "full" or "normal".`);
  }
  const busyTimeout = patienceOf(options.busyTimeout ?? "10s", "sqlite(): busyTimeout", problems);
  const pollInterval = patienceOf(options.pollInterval ?? "500ms", "sqlite(): pollInterval", problems);
  problems.throwIfAny("sqlite()");
  // Resolved now: the working directory may change before the store is opened.
  return {
    path: resolve(path),
    durability,
    busyTimeout,
    pollInterval: Math.max(1, pollInterval),
  };
}

/** A URL that names no file stays as it is, to be refused. */
function pathOf(url: URL): string {
  return url.protocol === "file:" ? fileURLToPath(url) : url.href;
}
