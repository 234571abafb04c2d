/** `cron(...)`: the front of the cron engine. */
import { didYouMean, Problems, show } from "../../errors/index.ts";
import { checkObject } from "../limits.ts";
import type { Trigger, TriggerJSON } from "../trigger.ts";
import { zoneOf } from "../zone.ts";
import { GAP_RULES, type GapRule } from "../zoned-search.ts";
import { CronTrigger, defaultGap } from "./cron-trigger.ts";
import { type CronDialect, DIALECTS } from "./fields.ts";
import type { CronLiteral } from "./literal.ts";
import { parseCron } from "./parse.ts";

/** How `cron()` reads an expression. */
export interface CronOptions {
  /** The IANA time zone whose wall clock the expression means. Default `"UTC"`. */
  readonly timeZone?: string;
  /** The dialect. Default `"unix"`. */
  readonly dialect?: CronDialect;
  /** What becomes of readings that the clock jumps over. Default `"end"`; `"shift"` in the quartz dialect. */
  readonly gap?: GapRule;
  /** What `H` is worked out from: usually the schedule's id, which a schedule gives by itself. */
  readonly hashKey?: string;
}

const KNOWN = ["timeZone", "dialect", "gap", "hashKey"];

/**
 * A trigger from a cron expression: five fields, six (seconds first) or seven (year last), or a macro such as `@daily`.
 *
 * Daylight saving: what the clock jumps over is up to `gap`. When the clock is turned back, fixed times fire once, in
 * the first pass; expressions with `*`, a range or a step in seconds, minutes or hours fire in both.
 *
 * A literal with the wrong number of fields or an impossible value does not compile.
 *
 * @throws NS_CRON_SYNTAX with field, column, value and allowed range; NS_TIME_ZONE_UNKNOWN; NS_OPTION_UNKNOWN;
 * NS_OPTION_INVALID
 * @example
 * ```ts
 * import { cron } from "nightshift/time";
 *
 * cron("30 2 * * MON-FRI", { timeZone: "America/New_York" });
 * cron("0 0 9 ? * 6#3", { dialect: "quartz" });
 * ```
 */
export function cron<const E extends string, const D extends CronDialect = "unix">(
  expression: CronLiteral<E, D>,
  options: CronOptions & { readonly dialect?: D } = {},
): Trigger {
  return makeCron(expression, options);
}

/** {@link cron} for text that is not known before it runs. */
export function makeCron(expression: string, options: CronOptions): Trigger {
  checkObject("cron()", options);
  const problems = new Problems();
  problems.unknownOptions("cron()", options, KNOWN);
  const dialect = options.dialect ?? "unix";
  oneOf(problems, "dialect", dialect, DIALECTS);
  const gap = options.gap ?? defaultGap(dialect);
  oneOf(problems, "gap", gap, GAP_RULES);
  if (options.hashKey !== undefined && typeof options.hashKey !== "string") {
    problems.add("NS_OPTION_INVALID", `cron()'s hashKey is text, got ${show(options.hashKey)}.`);
  }
  problems.throwIfAny("cron()");
  const rule = { parsed: parseCron(expression, dialect), timeZone: zoneOf(options.timeZone ?? "UTC").name, gap };
  return new CronTrigger(rule, options.hashKey);
}

/** A cron trigger from its stored form. */
export function cronFromJSON({ type: _, expression, ...options }: TriggerJSON): Trigger {
  return makeCron(expression as string, options as CronOptions);
}

function oneOf(problems: Problems, name: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value === "string" && allowed.includes(value)) return;
  const hint = typeof value === "string" ? didYouMean(value, allowed) : "";
  problems.add("NS_OPTION_INVALID", `cron()'s ${name} is ${allowed.join(", ")}; got ${show(value)}.${hint}`);
}
