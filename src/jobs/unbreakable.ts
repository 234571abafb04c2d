/** A logger that never throws: an application's logger may be broken, and nothing else may suffer from it. */
import { messageOf } from "../errors/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";

/** A logger whose failure is not the jobs' failure: what it throws becomes a process warning. */
export function unbreakable(logger: LoggerLike): LoggerLike {
  const method =
    (level: "trace" | "debug" | "info" | "warn" | "error" | "fatal") =>
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
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    fatal: method("fatal"),
    child: (bindings) => unbreakable(logger.child(bindings)),
  };
}
