/**
 * From readings of a wall clock to instants: the one place that decides what a change of the clock does to a rule.
 *
 * Readings that the clock jumps over are up to the {@link GapRule}. When the clock is turned back, a rule of fixed times
 * fires in the first pass only; one that means "every so often" fires in both.
 */
import { DAY, SECOND } from "./civil.ts";
import { EARLIEST, LATEST } from "./rule-trigger.ts";
import type { Span, Zone } from "./zone.ts";

/**
 * What happens to a reading that the clock jumps over: it fires when the jump ends (once, however many there are), it
 * is moved by the length of the jump, or it is left out.
 */
export type GapRule = "end" | "shift" | "skip";

export const GAP_RULES: readonly GapRule[] = ["end", "shift", "skip"];

/** A rule about readings of a wall clock, which are milliseconds as if the clock showed UTC. */
export interface WallRule {
  /** Whether the rule means "every so often" rather than "at". */
  readonly interval: boolean;
  /** The first reading of the rule at or after `local`, which is a whole second. */
  next(local: number): number | undefined;
  /** The last reading of the rule at or before `local`, which is a whole second. */
  previous(local: number): number | undefined;
}

/** A wall clock rule in a zone. */
export class ZonedSearch {
  readonly #zone: Zone;
  readonly #wall: WallRule;
  readonly #gap: GapRule;

  constructor(zone: Zone, wall: WallRule, gap: GapRule) {
    this.#zone = zone;
    this.#wall = wall;
    this.#gap = gap;
  }

  /** The first fire time at or after an instant. */
  atOrAfter(instant: number): number | undefined {
    let from = Math.ceil(instant / SECOND) * SECOND;
    while (from <= LATEST) {
      const span = this.#zone.spanAt(from);
      const gapFire = this.#fireAfterGap(span, from) ?? Infinity;
      const found = this.#wall.next(Math.max(from + span.offset, this.#firstNewReading(span)));
      const fire = found === undefined ? Infinity : found - span.offset;
      const first = Math.min(fire, gapFire);
      if (first < span.end) return first;
      const back = span.end < LATEST && this.#zone.spanAt(span.end).offset < span.offset;
      if (found === undefined && !back) return undefined;
      // Nothing matches up to `found`: go there at once, unless a turned-back clock shows earlier readings again.
      from = back ? span.end : Math.max(span.end, fire - 2 * DAY);
    }
    return undefined;
  }

  /** The last fire time at or before an instant. */
  atOrBefore(instant: number): number | undefined {
    let from = Math.floor(instant / SECOND) * SECOND;
    while (from >= EARLIEST) {
      const span = this.#zone.spanAt(from);
      const found = this.#wall.previous(from + span.offset);
      const fire = found === undefined ? -Infinity : found - span.offset;
      const inSpan = found !== undefined && fire >= span.start && found >= this.#firstNewReading(span);
      const last = Math.max(inSpan ? fire : -Infinity, this.#fireBeforeGap(span, from) ?? -Infinity);
      if (last > -Infinity) return last;
      const back = span.start > EARLIEST && this.#zone.spanAt(span.start - 1).offset > span.offset;
      if (found === undefined && !back) return undefined;
      from = back ? span.start - SECOND : Math.min(span.start - SECOND, fire + 2 * DAY);
    }
    return undefined;
  }

  /** The first reading of a span that was not shown before it. Fixed times fire in the first pass only. */
  #firstNewReading(span: Span): number {
    if (this.#wall.interval || span.start < EARLIEST) return -Infinity;
    const before = this.#zone.spanAt(span.start - 1);
    return before.offset > span.offset ? span.start + before.offset : -Infinity;
  }

  /** The first fire at or after `from` that the gap at the span's start gives to the span. */
  #fireAfterGap(span: Span, from: number): number | undefined {
    if (span.start < EARLIEST || from - span.start > DAY || this.#gap === "skip") return undefined;
    const before = this.#zone.spanAt(span.start - 1).offset;
    const length = span.offset - before;
    if (length <= 0) return undefined;
    const shift = this.#gap === "shift";
    if (shift ? this.#wall.interval || from >= span.start + length : from > span.start) return undefined;
    const found = this.#wall.next((shift ? from : span.start) + before);
    if (found === undefined || found >= span.start + span.offset) return undefined;
    return shift ? found - before : span.start;
  }

  /** The last fire at or before `from` that the gap at the span's start gives to the span. */
  #fireBeforeGap(span: Span, from: number): number | undefined {
    if (this.#gap === "skip" || span.start < EARLIEST) return undefined;
    const before = this.#zone.spanAt(span.start - 1).offset;
    const length = span.offset - before;
    if (length <= 0) return undefined;
    const shift = this.#gap === "shift";
    if (shift && this.#wall.interval) return undefined;
    const last = span.start + span.offset - SECOND;
    const found = this.#wall.previous(shift ? Math.min(from + before, last) : last);
    if (found === undefined || found < span.start + before) return undefined;
    return shift ? found - before : span.start;
  }
}
