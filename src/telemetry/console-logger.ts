/** The logger for people: one line per entry, colours on a terminal only, nothing that a value could use to forge a line. */
import { inspect } from "node:util";
import { type Clock, systemClock } from "../time/index.ts";
import { type LogEntry, leveledLogger } from "./leveled.ts";
import type { LoggerLike, LogLevel } from "./logger.ts";

/** How {@link consoleLogger} writes. */
export interface ConsoleLoggerOptions {
  /** The lowest level written. Default `"info"`; `"silent"` writes nothing. */
  readonly level?: LogLevel | "silent";
  /** Where lines go. Default: standard error for `error` and `fatal`, standard output for the others. */
  readonly write?: (line: string, level: LogLevel) => void;
  /** Default: when standard output is a terminal and `NO_COLOR` is not set. */
  readonly colours?: boolean;
  /** Where the time of a line comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

const COLOURS: Readonly<Record<LogLevel, number>> = { trace: 90, debug: 90, info: 32, warn: 33, error: 31, fatal: 35 };

/**
 * A readable logger: time, level, name, message, then facts as `key=value`; errors with stack and causes, indented below.
 *
 * @example
 * ```ts
 * import { consoleLogger } from "nightshift";
 *
 * consoleLogger({ level: "debug" }).child({ name: "shop" }).info({ orders: 3 }, "imported");
 * // 2026-01-01T00:00:00.000Z INFO  shop: imported orders=3
 * ```
 */
export function consoleLogger(options: ConsoleLoggerOptions = {}): LoggerLike {
  const clock = options.clock ?? systemClock;
  const colours = options.colours ?? (process.stdout.isTTY === true && !process.env["NO_COLOR"]);
  const write = options.write ?? writeToProcess;
  return leveledLogger(options.level ?? "info", (entry) => {
    write(formatEntry(entry, new Date(clock.now()).toISOString(), colours), entry.level);
  });
}

/** An entry as text, without the last line end. */
export function formatEntry(entry: LogEntry, time: string, colours: boolean): string {
  const paint = (code: number, text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const level = paint(COLOURS[entry.level], entry.level.toUpperCase().padEnd(5));
  const name = entry.name === undefined ? "" : `${paint(36, escapeControls(entry.name))}: `;
  const facts = Object.entries(entry.facts).map(
    ([key, value]) => ` ${paint(90, `${escapeControls(key)}=`)}${valueText(value)}`,
  );
  const line = `${paint(90, time)} ${level} ${name}${escapeControls(entry.message)}${facts.join("")}`;
  return entry.error === undefined ? line : `${line}\n${errorText(entry.error)}`;
}

/** Line ends, escape sequences and other controls as visible text, so that one entry cannot pose as two. */
export function escapeControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are exactly what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function valueText(value: unknown): string {
  if (typeof value === "string") return /^[\w.:/@+-]+$/.test(value) ? value : escapeControls(JSON.stringify(value));
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  return escapeControls(inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY, compact: true }));
}

/** Stack and causes. The stack's own line ends stay; everything else is escaped, and each line is indented. */
function errorText(error: unknown): string {
  const text = inspect(error, { depth: 4 });
  const lines = text.split("\n").map((line) => `    ${escapeControls(line)}`);
  return lines.join("\n");
}

function writeToProcess(line: string, level: LogLevel): void {
  (level === "error" || level === "fatal" ? process.stderr : process.stdout).write(`${line}\n`);
}
