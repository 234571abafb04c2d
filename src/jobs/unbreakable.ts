/** A logger that never throws: an application's logger may be broken, and nothing else may suffer from it. */
import { messageOf } from "../errors/index.ts";
import { loggerOf } from "../telemetry/leveled.ts";
import type { LoggerLike, LogLevel, LogMethod } from "../telemetry/logger.ts";

/** A logger whose failure is not the jobs' failure: what it throws becomes a process warning. */
export function unbreakable(logger: LoggerLike): LoggerLike {
  const method =
    (level: LogLevel): LogMethod =>
    (facts: object | string, message?: string): void => {
      try {
        if (typeof facts === "string") logger[level](facts);
        else logger[level](facts, message);
      } catch (error) {
        process.emitWarning(
          `The logger threw on "${message ?? String(facts)}": ${messageOf(error)}`,
          "NightshiftWarning",
        );
      }
    };
  return loggerOf(method, (bindings) => unbreakable(logger.child(bindings)));
}
