/** Two loggers that write nowhere: one forgets, one remembers. */
import { type LogEntry, leveledLogger } from "./leveled.ts";
import type { LoggerLike, LogLevel } from "./logger.ts";

/** A logger that says nothing. */
export const silentLogger: LoggerLike = leveledLogger("silent", () => undefined);

/** A logger that keeps what it is given, for tests to look at. */
export interface CapturingLogger extends LoggerLike {
  /** Everything logged so far, by this logger and its children. */
  readonly entries: readonly LogEntry[];
  /** The messages, of one level if given. */
  messages(level?: LogLevel): string[];
}

/**
 * A logger for tests.
 *
 * @example
 * ```ts
 * import { capturingLogger } from "nightshift/testing";
 *
 * const logger = capturingLogger();
 * logger.child({ name: "shop" }).warn("low stock");
 * console.log(logger.messages("warn")); // ["low stock"]
 * ```
 */
export function capturingLogger(level: LogLevel = "trace"): CapturingLogger {
  const entries: LogEntry[] = [];
  return {
    ...leveledLogger(level, (entry) => entries.push(entry)),
    entries,
    messages: (of) => entries.filter((entry) => of === undefined || entry.level === of).map((entry) => entry.message),
  };
}
