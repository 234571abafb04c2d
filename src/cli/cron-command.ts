/** `nightshift cron "30 2 * * *" --zone Europe/Oslo`: what an expression will do, before it does it. */
import { parseArgs } from "node:util";
import { NightshiftError, show } from "../errors/index.ts";
import { type Clock, type CronDialect, type ExplainOptions, explainCron, type GapRule } from "../time/index.ts";

export const CRON_USAGE = `nightshift cron "<expression>" [--zone Europe/Oslo] [--dialect unix|cronos|quartz]
                [--gap end|shift|skip] [--key <schedule id>] [--from 2026-03-01T00:00:00Z] [--count 10] [--json]`;

/**
 * The text that the command prints.
 *
 * @throws NightshiftError for a wrong expression or option
 */
export function cronCommand(args: readonly string[], clock: Clock): string {
  const { values, positionals } = read(args);
  const [expression] = positionals;
  if (expression === undefined || positionals.length > 1) {
    const advice = `Put the expression in quotes, or the shell takes it apart.\n\n${CRON_USAGE}`;
    throw new NightshiftError("NS_OPTION_INVALID", `One expression is wanted, got ${positionals.length}. ${advice}`);
  }
  const explained = explainCron(expression, {
    from: values.from === undefined ? new Date(clock.now()) : timeFrom(values.from),
    timeZone: values.zone ?? "UTC",
    ...(values.dialect === undefined ? {} : { dialect: values.dialect as CronDialect }),
    ...(values.gap === undefined ? {} : { gap: values.gap as GapRule }),
    ...(values.key === undefined ? {} : { hashKey: values.key }),
    ...(values.count === undefined ? {} : { count: countFrom(values.count) }),
  } satisfies ExplainOptions);
  return values.json === true ? JSON.stringify(explained, null, 2) : String(explained);
}

function timeFrom(text: string): Date {
  const from = new Date(text);
  if (!Number.isNaN(from.getTime())) return from;
  throw new NightshiftError("NS_TIME_INVALID", `--from is ${show(text)}. Give a time such as 2026-03-01T00:00:00Z.`);
}

function countFrom(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 10_000) return count;
  throw new NightshiftError("NS_OPTION_INVALID", `--count is ${show(text)}. Give a whole number from 1 to 10000.`);
}

function read(args: readonly string[]) {
  const text = { type: "string" } as const;
  const options = {
    zone: text,
    dialect: text,
    gap: text,
    key: text,
    from: text,
    count: text,
    json: { type: "boolean" },
  } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new NightshiftError("NS_OPTION_UNKNOWN", `${cause.message}\n\n${CRON_USAGE}`, { cause });
  }
}
