/** The logger that the library writes to: the part of pino's interface that it needs, so that a pino logger fits as it is. */

/** The levels, from most to least talkative. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/** Writes a message, or facts and then a message. Facts are plain data; an error goes under `err`. */
export interface LogMethod {
  (message: string): void;
  (facts: object, message?: string): void;
}

/** A structured logger. pino's loggers satisfy it. */
export interface LoggerLike {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** A logger that adds these facts to every line. */
  child(bindings: Record<string, unknown>): LoggerLike;
}
