/** What the library tells: loggers. */
export { type ConsoleLoggerOptions, consoleLogger, escapeControls } from "./console-logger.ts";
export { LOG_LEVELS, LOGGER_METHODS, type LogEntry, leveledLogger } from "./leveled.ts";
export { Logger, type LoggerLike, type LogLevel, type LogMethod } from "./logger.ts";
export { type CapturingLogger, capturingLogger, silentLogger } from "./other-loggers.ts";
