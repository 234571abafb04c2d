/** The logger that the library writes to: the part of pino's interface that it needs, so that a pino logger fits as it is. */
import { token } from "../services/index.ts";

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

/** The logger as a service: what is injected carries the asking class's name. */
export type Logger = LoggerLike;
/**
 * The host's logger, injected.
 *
 * @example
 * ```ts
 * import { Logger } from "nightshift";
 *
 * class Mailer {
 *   static readonly inject = [Logger] as const;
 *   readonly log: Logger;
 *   constructor(log: Logger) {
 *     this.log = log; // a child logger with { name: "Mailer" }
 *   }
 * }
 * ```
 */
export const Logger = token<LoggerLike>("Logger");
