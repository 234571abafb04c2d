/** Cron on a time zone: the only place that decides what daylight saving does to a cron expression. */
import { NightshiftError } from "../../errors/index.ts";
import { DAY, SECOND } from "../civil.ts";
import { EARLIEST, LATEST, RuleTrigger } from "../rule-trigger.ts";
import type { TriggerJSON } from "../trigger.ts";
import { type Span, type Zone, zoneOf } from "../zone.ts";
import { WallClockRule } from "./compile.ts";
import { describeCron } from "./describe.ts";
import type { CronDialect } from "./fields.ts";
import { resolveHashes } from "./hash.ts";
import { formatCron, needsHashKey, type ParsedCron } from "./parse.ts";

/**
 * What happens to a reading that the clock jumps over: it fires when the jump ends (once, however many there are), it
 * is moved by the length of the jump, or it is left out.
 */
export type GapRule = "end" | "shift" | "skip";

/** Everything that makes a cron trigger what it is. */
export interface CronRule {
  readonly parsed: ParsedCron;
  readonly timeZone: string;
  readonly gap: GapRule;
}

/** A cron expression in a time zone. Made with `cron()`. */
export class CronTrigger extends RuleTrigger {
  readonly #rule: CronRule;
  readonly #zone: Zone;
  readonly #wall: WallClockRule | undefined;

  constructor(rule: CronRule, hashKey?: string) {
    super();
    const parsed = hashKey === undefined ? rule.parsed : resolveHashes(rule.parsed, hashKey);
    this.#rule = { ...rule, parsed };
    this.#zone = zoneOf(rule.timeZone);
    this.#wall = needsHashKey(parsed) ? undefined : new WallClockRule(parsed);
  }

  override withHashKey(key: string): CronTrigger {
    return this.#wall === undefined ? new CronTrigger(this.#rule, key) : this;
  }

  atOrAfter(instant: number): number | undefined {
    const wall = this.#ready();
    let from = Math.ceil(instant / SECOND) * SECOND;
    while (from <= LATEST) {
      const span = this.#zone.spanAt(from);
      const gapFire = this.#fireAfterGap(wall, span, from);
      const local = Math.max(from + span.offset, this.#firstNewReading(wall, span));
      const found = wall.next(local);
      const fire = found === undefined ? Infinity : found - span.offset;
      const first = Math.min(fire, gapFire ?? Infinity);
      if (first < span.end) return first;
      const back = span.end < LATEST && this.#zone.spanAt(span.end).offset < span.offset;
      if (found === undefined && !back) return undefined;
      // Nothing matches up to `found`: go there at once, unless a turned-back clock shows earlier readings again.
      from = back ? span.end : Math.max(span.end, fire - 2 * DAY);
    }
    return undefined;
  }

  atOrBefore(instant: number): number | undefined {
    const wall = this.#ready();
    let from = Math.floor(instant / SECOND) * SECOND;
    while (from >= EARLIEST) {
      const span = this.#zone.spanAt(from);
      const found = wall.previous(from + span.offset);
      const fire = found === undefined ? -Infinity : found - span.offset;
      const inSpan = found !== undefined && fire >= span.start && found >= this.#firstNewReading(wall, span);
      const gapFire = this.#fireBeforeGap(wall, span, from);
      if (inSpan || gapFire !== undefined) return Math.max(inSpan ? fire : -Infinity, gapFire ?? -Infinity);
      const back = span.start > EARLIEST && this.#zone.spanAt(span.start - 1).offset > span.offset;
      if (found === undefined && !back) return undefined;
      from = back ? span.start - SECOND : Math.min(span.start - SECOND, fire + 2 * DAY);
    }
    return undefined;
  }

  describe(locale?: string): string {
    return describeCron(this.#rule.parsed, this.#rule.timeZone, locale);
  }

  toString(): string {
    const { parsed, timeZone, gap } = this.#rule;
    const dialect = parsed.dialect === "unix" ? "" : ` (${parsed.dialect})`;
    const rule = gap === defaultGap(parsed.dialect) ? "" : ` gap ${gap}`;
    return `${formatCron(parsed)}${timeZone === "UTC" ? "" : ` in ${timeZone}`}${dialect}${rule}`;
  }

  toJSON(): TriggerJSON {
    const { parsed, timeZone, gap } = this.#rule;
    return { type: "cron", expression: formatCron(parsed), timeZone, dialect: parsed.dialect, gap };
  }

  /** The first reading of a span that was not shown before it. Fixed times fire in the first pass only. */
  #firstNewReading(wall: WallClockRule, span: Span): number {
    if (wall.interval || span.start < EARLIEST) return -Infinity;
    const before = this.#zone.spanAt(span.start - 1);
    return before.offset > span.offset ? span.start + before.offset : -Infinity;
  }

  /** The first fire at or after `from` that the gap at the span's start gives to the span. */
  #fireAfterGap(wall: WallClockRule, span: Span, from: number): number | undefined {
    if (span.start < EARLIEST || from - span.start > DAY || this.#rule.gap === "skip") return undefined;
    const before = this.#zone.spanAt(span.start - 1).offset;
    const length = span.offset - before;
    if (length <= 0) return undefined;
    const shift = this.#rule.gap === "shift";
    if (shift ? wall.interval || from >= span.start + length : from > span.start) return undefined;
    const found = wall.next((shift ? from : span.start) + before);
    if (found === undefined || found >= span.start + span.offset) return undefined;
    return shift ? found - before : span.start;
  }

  /** The last fire at or before `from` that the gap at the span's start gives to the span. */
  #fireBeforeGap(wall: WallClockRule, span: Span, from: number): number | undefined {
    if (this.#rule.gap === "skip" || span.start < EARLIEST) return undefined;
    const before = this.#zone.spanAt(span.start - 1).offset;
    const length = span.offset - before;
    if (length <= 0) return undefined;
    const shift = this.#rule.gap === "shift";
    if (shift && wall.interval) return undefined;
    const last = span.start + span.offset - SECOND;
    const found = wall.previous(shift ? Math.min(from + before, last) : last);
    if (found === undefined || found < span.start + before) return undefined;
    return shift ? found - before : span.start;
  }

  #ready(): WallClockRule {
    if (this.#wall) return this.#wall;
    const ways = "Give cron() a hashKey, such as the schedule's id.";
    throw new NightshiftError(
      "NS_CRON_SYNTAX",
      `"${formatCron(this.#rule.parsed)}" has an H and no key to decide it. ${ways}`,
    );
  }
}

/** What a dialect does with a gap when nothing else is asked. */
export function defaultGap(dialect: CronDialect): GapRule {
  return dialect === "quartz" ? "shift" : "end";
}
