/** Tells a person what a cron expression will do: its next fires with their offsets, and every daylight-saving edge. */
import { DAY, formatLocal, MINUTE, SECOND } from "../civil.ts";
import { checkOptions, wholeNumber } from "../limits.ts";
import { instantOf } from "../moments.ts";
import type { Moment } from "../trigger.ts";
import { type Zone, zoneOf } from "../zone.ts";
import type { GapRule } from "../zoned-search.ts";
import { WallClockRule } from "./compile.ts";
import { type CronOptions, makeCron } from "./cron.ts";
import { defaultGap } from "./cron-trigger.ts";
import { resolveHashes } from "./hash.ts";
import { formatCron, needsHashKey, parseCron } from "./parse.ts";

/** What `explainCron()` looks at. */
export interface ExplainOptions extends CronOptions {
  /** From when on. */
  readonly from: Moment;
  /** How many fire times to name. Default 10. */
  readonly count?: number;
  /** How many days ahead to look for changes of the clock. Default 400. */
  readonly days?: number;
}

/** One fire time as people see it. */
export interface ExplainedFire {
  readonly at: Date;
  /** What the clock shows: `"2026-03-29T03:00:00"`. */
  readonly local: string;
  /** How far that is from UTC: `"+02:00"`. */
  readonly offset: string;
}

/** What a cron expression will do. `String()` of it is text for a terminal. */
export interface CronExplanation {
  readonly description: string;
  /** The canonical expression, with every `H` decided. */
  readonly expression: string;
  readonly timeZone: string;
  readonly fires: readonly ExplainedFire[];
  /** A sentence for each change of the clock that the expression notices, and for expressions that never fire. */
  readonly warnings: readonly string[];
  toString(): string;
}

/**
 * The next fires of an expression with their offsets from UTC, and a warning for each change of the clock that moves,
 * drops or repeats one of them.
 *
 * @throws what `cron()` throws
 * @example
 * ```ts
 * import { explainCron } from "nightshift/time";
 *
 * console.log(String(explainCron("30 2 * * *", { timeZone: "Europe/Oslo", from: new Date("2026-03-27T00:00:00Z") })));
 * ```
 */
export function explainCron(expression: string, options: ExplainOptions): CronExplanation {
  checkOptions("explainCron()", options, ["timeZone", "dialect", "gap", "hashKey", "from", "count", "days"]);
  const { from, count = 10, days = 400, ...cronOptions } = options;
  const { timeZone = "UTC", dialect = "unix", hashKey } = options;
  const trigger = makeCron(expression, cronOptions);
  const zone = zoneOf(timeZone);
  const start = instantOf(from, "explainCron()'s from");
  const upcoming = trigger.upcoming(wholeNumber("explainCron()'s count", count, 1, 10_000), new Date(start));
  const fires = upcoming.map((at) => fireIn(at, zone));
  const parsed = parseCron(expression, dialect);
  const resolved = needsHashKey(parsed) && hashKey !== undefined ? resolveHashes(parsed, hashKey) : parsed;
  const end = start + wholeNumber("explainCron()'s days", days, 0, 4_000) * DAY;
  const warnings = edges(new WallClockRule(resolved), zone, options.gap ?? defaultGap(dialect), start, end);
  if (fires.length === 0) warnings.unshift("The expression never fires again.");
  const explanation = { description: trigger.describe(), expression: formatCron(resolved), timeZone, fires, warnings };
  return { ...explanation, toString: () => textOf(explanation) };
}

/**
 * A fire time as the clocks of a zone show it.
 *
 * @throws NS_TIME_ZONE_UNKNOWN
 * @example
 * ```ts
 * import { explainFire } from "nightshift/time";
 *
 * explainFire(new Date("2026-03-29T01:00:00Z"), "Europe/Oslo").local; // "2026-03-29T03:00:00"
 * ```
 */
export function explainFire(at: Date, timeZone: string): ExplainedFire {
  return fireIn(at, zoneOf(timeZone));
}

function fireIn(at: Date, zone: Zone): ExplainedFire {
  const offset = zone.offsetAt(at.getTime());
  return { at, local: formatLocal(at.getTime() + offset), offset: formatOffset(offset) };
}

/** `"+02:00"`; seconds, which some zones had long ago, are dropped. */
function formatOffset(offset: number): string {
  const minutes = Math.floor(Math.abs(offset) / MINUTE);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function edges(wall: WallClockRule, zone: Zone, gap: GapRule, from: number, to: number): string[] {
  const warnings: string[] = [];
  for (let span = zone.spanAt(from); span.end < to; ) {
    const next = zone.spanAt(span.end);
    const [before, after] = [span.end + span.offset, span.end + next.offset];
    const [low, high] = [Math.min(before, after), Math.max(before, after)];
    const readings = low === high ? [] : readingsBetween(wall, low, high);
    if (readings.length > 0) {
      const what =
        next.offset > span.offset ? gapText(gap, wall.interval, after, high - low) : overlapText(wall.interval);
      const clock = `the clock goes from ${time(before)} to ${time(after)}`;
      warnings.push(`${formatLocal(before).slice(0, 10)}: ${clock}; ${list(readings)} ${what}`);
    }
    span = next;
  }
  return warnings;
}

function gapText(gap: GapRule, interval: boolean, end: number, length: number): string {
  if (gap === "end") return `does not exist and fires once, at ${time(end)}.`;
  if (gap === "shift" && !interval) return `does not exist and fires ${length / MINUTE} minutes later.`;
  return "does not exist and is left out.";
}

function overlapText(interval: boolean): string {
  return interval ? "comes twice and fires both times." : "comes twice and fires the first time only.";
}

/** The first few readings of the rule in `[from, to)`. */
function readingsBetween(wall: WallClockRule, from: number, to: number): number[] {
  const found: number[] = [];
  for (let at = wall.next(from); at !== undefined && at < to && found.length < 4; at = wall.next(at + SECOND))
    found.push(at);
  return found;
}

function list(readings: readonly number[]): string {
  return readings.length < 4 ? readings.map(time).join(", ") : `${readings.slice(0, 3).map(time).join(", ")}, …`;
}

function time(local: number): string {
  const text = formatLocal(local).slice(11);
  return text.endsWith(":00") ? text.slice(0, 5) : text;
}

function textOf({ description, expression, timeZone, fires, warnings }: Omit<CronExplanation, "toString">): string {
  const lines = [description, `${expression}   ${timeZone}`, ""];
  for (const { at, local, offset } of fires) lines.push(`  ${local.replace("T", " ")} ${offset}   ${at.toISOString()}`);
  if (warnings.length > 0) lines.push("", ...warnings.map((warning) => `  ! ${warning}`));
  return lines.join("\n");
}
