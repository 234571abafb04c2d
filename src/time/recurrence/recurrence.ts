/** `recurrence(...)`: recurrence rules of RFC 5545 as triggers. */
import { NightshiftError, show } from "../../errors/index.ts";
import { DAY, dayOf, formatLocal } from "../civil.ts";
import { checkOptions, compact, isoOf, oneOf, readInstant, readStart } from "../limits.ts";
import { isPlain, plainText, readReading, zoneNameOf } from "../moments.ts";
import { RuleTrigger } from "../rule-trigger.ts";
import { readLocal } from "../time-of-day.ts";
import type { Moment, PlainReading, Trigger, TriggerJSON } from "../trigger.ts";
import { type Zone, zoneOf } from "../zone.ts";
import { GAP_RULES, type GapRule, ZonedSearch } from "../zoned-search.ts";
import { describeRecurrence } from "./describe.ts";
import { formatParts, parseParts, type RecurrenceParts, readDateTime, recurrenceError } from "./parts.ts";
import { RecurrenceRule } from "./recurrence-rule.ts";

/** Where a recurrence starts, and in which zone. */
export interface RecurrenceOptions {
  /**
   * The start (DTSTART): an instant, or a reading of the zone's clock such as `"2026-03-01T09:00:00"` or a
   * `Temporal.PlainDateTime`. It is the first fire time if the rule matches it, and gives the rule what it leaves open.
   * May be in the text as a DTSTART line.
   */
  readonly start?: Moment | PlainReading | string;
  /**
   * The IANA zone whose calendar and clock are meant. Default: the TZID of a DTSTART line, that of a
   * `Temporal.ZonedDateTime` as start, else `"UTC"`.
   */
  readonly timeZone?: string;
  /** More fire times, as instants or readings (RDATE). */
  readonly include?: readonly (Moment | PlainReading | string)[];
  /** Fire times to leave out, as instants, readings or whole dates (EXDATE). A `Temporal.PlainDate` is a whole date. */
  readonly exclude?: readonly (Moment | PlainReading | string)[];
  /** What becomes of readings that the clock jumps over. Default `"shift"`, as RFC 5545 has it. */
  readonly gap?: GapRule;
}

interface Rule {
  readonly parts: RecurrenceParts;
  readonly start: number;
  readonly timeZone: string;
  /** Instants, in order. */
  readonly include: readonly number[];
  /** Instants. */
  readonly exclude: readonly number[];
  /** Local days. */
  readonly excludedDays: readonly number[];
  readonly gap: GapRule;
}

class RecurrenceTrigger extends RuleTrigger {
  readonly #rule: Rule;
  readonly #zone: Zone;
  readonly #search: ZonedSearch;
  readonly #end: number;
  readonly #exclude: ReadonlySet<number>;
  readonly #excludedDays: ReadonlySet<number>;

  constructor(rule: Rule) {
    super();
    this.#rule = rule;
    this.#zone = zoneOf(rule.timeZone);
    this.#search = new ZonedSearch(this.#zone, new RecurrenceRule(rule.parts, rule.start), rule.gap);
    this.#end = endOf(rule.parts, this.#zone);
    this.#exclude = new Set(rule.exclude);
    this.#excludedDays = new Set(rule.excludedDays);
  }

  atOrAfter(instant: number): number | undefined {
    for (let from = instant; ; from++) {
      const byRule = this.#search.atOrAfter(from);
      const byDate = this.#rule.include.find((at) => at >= from);
      const ruled = byRule === undefined || byRule > this.#end ? Infinity : byRule;
      from = Math.min(ruled, byDate ?? Infinity);
      if (from === Infinity) return undefined;
      if (!this.#isExcluded(from)) return from;
    }
  }

  atOrBefore(instant: number): number | undefined {
    for (let from = instant; ; from--) {
      const byRule = this.#search.atOrBefore(Math.min(from, this.#end));
      const byDate = this.#rule.include.findLast((at) => at <= from);
      from = Math.max(byRule ?? -Infinity, byDate ?? -Infinity);
      if (from === -Infinity) return undefined;
      if (!this.#isExcluded(from)) return from;
    }
  }

  describe(locale?: string): string {
    return describeRecurrence(this.#rule.parts, this.#rule.start, this.#rule.timeZone, locale);
  }

  toString(): string {
    const { parts, start, timeZone, include, exclude, excludedDays, gap } = this.#rule;
    const zone = timeZone === "UTC" ? "" : ` in ${timeZone}`;
    const more = include.length === 0 ? "" : ` include ${include.map(isoOf).join(",")}`;
    const days = excludedDays.map((day) => formatLocal(day * DAY).slice(0, 10));
    const out = [...exclude.map(isoOf), ...days];
    const less = out.length === 0 ? "" : ` exclude ${out.join(",")}`;
    return `${formatParts(parts)} from ${formatLocal(start)}${zone}${more}${less}${gap === "shift" ? "" : ` gap ${gap}`}`;
  }

  toJSON(): TriggerJSON {
    const { parts, start, timeZone, include, exclude, excludedDays, gap } = this.#rule;
    const days = excludedDays.map((day) => formatLocal(day * DAY).slice(0, 10));
    const out = [...exclude.map(isoOf), ...days];
    const json = { rule: formatParts(parts), start: formatLocal(start), timeZone, gap };
    const lists = {
      include: include.length > 0 ? include.map(isoOf) : undefined,
      exclude: out.length > 0 ? out : undefined,
    };
    return compact({ type: "recurrence", ...json, ...lists }) as TriggerJSON;
  }

  #isExcluded(instant: number): boolean {
    if (this.#exclude.has(instant)) return true;
    return this.#excludedDays.size > 0 && this.#excludedDays.has(dayOf(instant + this.#zone.offsetAt(instant)));
  }
}

/**
 * A trigger from a recurrence rule: `FREQ=MONTHLY;BYDAY=-1FR`, with or without `RRULE:` before it, or several lines with
 * DTSTART, RRULE, RDATE and EXDATE.
 *
 * A rule of years to days means readings of the clock: what the clock jumps over is moved by the jump's length, what
 * comes twice fires in the first pass. A rule of hours, minutes or seconds fires in both passes. `COUNT` counts the
 * rule's readings, before EXDATE leaves any out.
 *
 * @throws NS_RECURRENCE_SYNTAX, NS_TRIGGER_INVALID, NS_TIME_INVALID, NS_TIME_ZONE_UNKNOWN, NS_OPTION_UNKNOWN
 * @example
 * ```ts
 * import { recurrence } from "nightshift/time";
 *
 * recurrence("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", { start: "2026-01-30T17:00:00", timeZone: "Europe/Oslo" });
 * ```
 */
export function recurrence(rule: string, options: RecurrenceOptions = {}): Trigger {
  checkOptions("recurrence()", options, ["start", "timeZone", "include", "exclude", "gap"]);
  if (typeof rule !== "string") {
    throw new NightshiftError(
      "NS_RECURRENCE_SYNTAX",
      `recurrence() takes text such as "FREQ=DAILY", got ${show(rule)}.`,
    );
  }
  const lines = readLines(rule);
  const zone = zoneOf(options.timeZone ?? lines.timeZone ?? zoneNameOf(options.start) ?? "UTC");
  const start = options.start ?? lines.start;
  if (start === undefined)
    throw recurrenceError(rule, "a recurrence needs a start: give the option, or a DTSTART line.");
  const excluded = [...(options.exclude ?? []), ...lines.exclude].map((at) => (isPlain(at) ? plainText(at) : at));
  const days = excluded.filter((at): at is string => typeof at === "string" && /^\d{4}-\d\d-\d\d$/.test(at));
  const instants = excluded.filter((at) => typeof at !== "string" || !days.includes(at));
  const include = [...(options.include ?? []), ...lines.include].map((at) =>
    instantIn("recurrence()'s include", at, zone),
  );
  return new RecurrenceTrigger({
    parts: parseParts(lines.rule),
    start: readStart("recurrence()'s start", start, zone),
    timeZone: zone.name,
    include: [...new Set(include)].sort((a, b) => a - b),
    exclude: [...new Set(instants.map((at) => instantIn("recurrence()'s exclude", at, zone)))].sort((a, b) => a - b),
    excludedDays: days.map((day) => dayOf(readLocal(day) ?? 0)),
    gap: oneOf("recurrence()'s gap", options.gap ?? "shift", GAP_RULES),
  });
}

/** A recurrence from its stored form. */
export function recurrenceFromJSON({ type: _, rule, ...options }: TriggerJSON): Trigger {
  return recurrence(rule as string, options as RecurrenceOptions);
}

interface Lines {
  rule: string;
  start: string | undefined;
  timeZone: string | undefined;
  include: string[];
  exclude: string[];
}

/** Takes apart what a calendar file has on several lines. */
function readLines(text: string): Lines {
  const lines: Lines = { rule: "", start: undefined, timeZone: undefined, include: [], exclude: [] };
  for (const line of text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)) {
    const match = /^(RRULE|DTSTART|RDATE|EXDATE)((?:;[^:]*)?):(.+)$/i.exec(line);
    const name = match?.[1]?.toUpperCase() ?? "RRULE";
    const value = match?.[3] ?? line;
    const zone = /;TZID=([^;]+)/i.exec(match?.[2] ?? "")?.[1];
    if (name === "RRULE") {
      if (lines.rule !== "") throw recurrenceError(text, "only one RRULE is taken; combine several with anyOf().");
      lines.rule = value;
    } else if (name === "DTSTART") {
      lines.start = readPoint(text, value);
      if (zone !== undefined) lines.timeZone = zone;
    } else {
      const points = value.split(",").map((point) => readPoint(text, point, name === "EXDATE"));
      const list = name === "RDATE" ? lines.include : lines.exclude;
      list.push(...points.map((point) => inOtherZone(point, zone)));
    }
  }
  return lines;
}

/** ISO text of `20260301T090000`, with Z if it has one. Whole dates are midnight, except where a whole day is meant. */
function readPoint(text: string, value: string, wholeDays = false): string {
  const point = readDateTime(value.trim().toUpperCase());
  if (!point)
    throw recurrenceError(text, `${show(value)} is not a date-time such as 20260301T090000 or 20260301T080000Z.`);
  const iso = formatLocal(point.value);
  if (point.kind === "date" && wholeDays) return iso.slice(0, 10);
  return point.kind === "instant" ? `${iso}Z` : iso;
}

/** A reading of a zone of its own becomes an instant; others are readings of the rule's zone. */
function inOtherZone(point: string, timeZone: string | undefined): string {
  const local = readLocal(point);
  if (timeZone === undefined || local === undefined || point.length === 10) return point;
  return new Date(instantOfReading(local, zoneOf(timeZone))).toISOString();
}

function instantIn(what: string, at: Moment | PlainReading | string, zone: Zone): number {
  const local = readReading(at);
  return local === undefined ? readInstant(what, at as Moment | string) : instantOfReading(local, zone);
}

function instantOfReading(local: number, zone: Zone): number {
  const resolved = zone.resolve(local);
  return resolved.kind === "never" ? local - zone.offsetAt(resolved.end - 1) : resolved.instant;
}

/** The last instant that UNTIL allows. */
function endOf({ until }: RecurrenceParts, zone: Zone): number {
  if (until === undefined) return Infinity;
  if (until.kind === "instant") return until.value;
  if (until.kind === "date") return instantOfReading(until.value + DAY, zone) - 1;
  const resolved = zone.resolve(until.value);
  return resolved.kind === "twice" ? resolved.second : instantOfReading(until.value, zone);
}
