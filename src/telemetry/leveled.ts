/** A logger made of one function that receives finished entries: levels, bindings and the two call forms are done here. */
import type { LoggerLike, LogLevel, LogMethod } from "./logger.ts";

/** One thing that was logged. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  /** The facts of the call and those of the child logger, without `name` and `err`. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Who logs: the `name` of the child logger. */
  readonly name: string | undefined;
  /** The error, if one was given as `err`, or as the facts themselves. */
  readonly error: unknown;
}

/** From most to least talkative. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const satisfies readonly LogLevel[];

/** What a logger must have. */
export const LOGGER_METHODS: readonly string[] = [...LOG_LEVELS, "child"];

/** A logger that gives every entry at `level` or above to `write`. */
export function leveledLogger(level: LogLevel | "silent", write: (entry: LogEntry) => void): LoggerLike {
  const lowest = level === "silent" ? LOG_LEVELS.length : LOG_LEVELS.indexOf(level);
  const make = (bindings: Record<string, unknown>): LoggerLike => {
    const method = (at: LogLevel): LogMethod => {
      if (LOG_LEVELS.indexOf(at) < lowest) return () => undefined;
      return (first: string | object, message?: string) => write(entryOf(at, bindings, first, message));
    };
    return loggerOf(method, (more) => make({ ...bindings, ...more }));
  };
  return make({});
}

/** A logger out of what one method of it does. */
export function loggerOf(method: (level: LogLevel) => LogMethod, child: LoggerLike["child"]): LoggerLike {
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    fatal: method("fatal"),
    child,
  };
}

function entryOf(
  level: LogLevel,
  bindings: Record<string, unknown>,
  first: string | object,
  message: string | undefined,
): LogEntry {
  const given: Record<string, unknown> =
    typeof first === "string" ? {} : first instanceof Error ? { err: first } : { ...first };
  const { name, err, ...facts } = { ...bindings, ...given };
  const text = typeof first === "string" ? first : (message ?? (err instanceof Error ? err.message : ""));
  return { level, message: text, facts, name: name === undefined ? undefined : String(name), error: err };
}
