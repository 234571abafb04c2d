/** Time zones through `Intl`, with their transitions cached. One place decides what a wall clock means as an instant. */
import { didYouMean, NightshiftError, show } from "../errors/index.ts";
import { DAY, dayNumber, HOUR, isLeapYear, MINUTE, SECOND, weekdayOf } from "./civil.ts";

/** A stretch of time in which a zone keeps one offset: `[start, end)`, all in milliseconds; local = instant + offset. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
}

/** What a wall clock reading means in a zone. */
export type Resolved =
  | { readonly kind: "once"; readonly instant: number }
  /** The clock was turned back: the reading comes twice. */
  | { readonly kind: "twice"; readonly instant: number; readonly second: number }
  /** The clock was turned forward over the reading, at `end`, by `length` milliseconds. */
  | { readonly kind: "never"; readonly end: number; readonly length: number };

/** More than any zone's distance from UTC, and than any turn of a clock (Samoa left out a whole day). */
const WIDEST = 26 * 3_600_000;
/** `Intl` counts the years before 1 downwards, without a sign: what was before, is taken to have been as on this day. */
const FIRST_ASKED = -62_135_424_000_000;
const ALWAYS_UTC = /^(?:etc\/)?(?:utc|uct|gmt|zulu|universal|greenwich|gmt[+-]?0)$/i;
/** Far ahead zones only have rules, so that years of the same kind are alike: years after this are told from earlier ones. */
const LAST_OWN_YEAR = 2_128;

/** For each of the 14 kinds of years, one of the last 28. */
const LIKE_YEARS = new Map(
  Array.from({ length: 28 }, (_, back) => [kindOfYear(LAST_OWN_YEAR - back), LAST_OWN_YEAR - back]),
);

/** A time zone. Make one with {@link zoneOf}, which shares them. */
export class Zone {
  /** The name, as the time zone database writes it. */
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #years = new Map<number, readonly Span[]>();
  #last: Span;

  constructor(name: string) {
    this.#format = formatOf(name);
    this.name = properName(name, this.#format.resolvedOptions().timeZone);
    const fixed = ALWAYS_UTC.test(name);
    this.#last = fixed ? { start: -Infinity, end: Infinity, offset: 0 } : { start: 0, end: 0, offset: 0 };
  }

  /**
   * The span that holds an instant. Spans are also cut around the turn of each UTC year, but never within three days of
   * a transition: whoever stands less than that from one sees it as the span's start or end.
   */
  spanAt(instant: number): Span {
    const last = this.#last;
    if (instant >= last.start && instant < last.end) return last;
    const spans = this.#spansOf(new Date(instant).getUTCFullYear());
    for (const span of spans) if (instant < span.end) return (this.#last = span);
    return last; // not reached: the last span ends after the year
  }

  /** Local time minus UTC at an instant, in milliseconds. */
  offsetAt(instant: number): number {
    return this.spanAt(instant).offset;
  }

  /** What the wall clock reading `local` (milliseconds, as if it were UTC) means. */
  resolve(local: number): Resolved {
    const guess = this.spanAt(local - this.#last.offset);
    const near = local - guess.offset;
    if (near - WIDEST > guess.start && near + WIDEST < guess.end) return { kind: "once", instant: near };
    const found: number[] = [];
    for (let span = this.spanAt(local - WIDEST); ; ) {
      const instant = local - span.offset;
      if (instant >= span.start && instant < span.end && !found.includes(instant)) found.push(instant);
      if (span.end > local + WIDEST) break;
      const next = this.spanAt(span.end);
      if (instant >= span.end && local - next.offset < span.end && found.length === 0) {
        return { kind: "never", end: span.end, length: next.offset - span.offset };
      }
      span = next;
    }
    const [instant, second] = found;
    if (instant === undefined) throw new RangeError(`No instant in ${this.name} shows ${local}.`);
    return second === undefined ? { kind: "once", instant } : { kind: "twice", instant, second };
  }

  #spansOf(year: number): readonly Span[] {
    const near = year <= LAST_OWN_YEAR ? year : (LIKE_YEARS.get(kindOfYear(year)) ?? LAST_OWN_YEAR);
    let spans = this.#years.get(near);
    if (!spans) {
      spans = this.#findSpans(near);
      this.#years.set(near, spans);
    }
    if (near === year) return spans;
    const shift = startOfYear(year) - startOfYear(near);
    return spans.map(({ start, end, offset }) => ({ start: start + shift, end: end + shift, offset }));
  }

  /** One look a week finds every transition: no zone since 1970 has changed its clock and changed it back in a week. */
  #findSpans(year: number): Span[] {
    const [from, to] = [startOfYear(year) - 3 * DAY, startOfYear(year + 1) + 3 * DAY];
    const spans: Span[] = [];
    let start = from;
    let offset = this.#ask(from);
    let known = from;
    while (known < to) {
      const look = Math.min(known + 7 * DAY, to);
      for (const seen = this.#ask(look); seen !== offset; ) {
        let [same, changed] = [known, look];
        while (changed - same > 1_000) {
          const middle = same + Math.floor((changed - same) / 2_000) * 1_000;
          if (this.#ask(middle) === offset) same = middle;
          else changed = middle;
        }
        spans.push({ start, end: changed, offset });
        start = known = changed;
        offset = this.#ask(changed);
      }
      known = look;
    }
    spans.push({ start, end: to, offset });
    return spans;
  }

  #ask(asked: number): number {
    const instant = Math.max(asked, FIRST_ASKED);
    // "11/22/2026, 10:52:15": reading the digits is several times as fast as formatToParts
    const text = this.#format.format(instant);
    const numbers = [0, 0, 0, 0, 0, 0];
    for (let at = 0, field = 0; at < text.length; at++) {
      const digit = text.charCodeAt(at) - 48;
      if (digit >= 0 && digit <= 9) numbers[field] = (numbers[field] ?? 0) * 10 + digit;
      else if (text.charCodeAt(at) !== 32) field++;
    }
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = numbers;
    return (
      dayNumber(year, month, day) * DAY +
      hour * HOUR +
      minute * MINUTE +
      second * SECOND -
      Math.floor(instant / SECOND) * SECOND
    );
  }
}

const zones = new Map<string, Zone>();

/**
 * The zone of an IANA name (or an offset such as `"+05:30"`). Zones are shared: what `Intl` told about one is asked once.
 *
 * @throws NS_TIME_ZONE_UNKNOWN
 */
export function zoneOf(name: string): Zone {
  let zone = zones.get(name);
  if (!zone) {
    zone = new Zone(name);
    zones.set(name, zone);
  }
  return zone;
}

function formatOf(name: string): Intl.DateTimeFormat {
  try {
    if (typeof name !== "string" || name === "") throw new RangeError("not a name");
    return new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const known = Intl.supportedValuesOf("timeZone");
    const hint = typeof name === "string" ? didYouMean(name, known) : "";
    const ways = 'Give an IANA name such as "Europe/Oslo" or "UTC".';
    throw new NightshiftError("NS_TIME_ZONE_UNKNOWN", `${show(name)} is not a known time zone.${hint} ${ways}`, {
      cause,
      details: { timeZone: name },
    });
  }
}

/** `"europe/oslo"` is Europe/Oslo. Links keep their name: what a runtime takes for their target changes with its version. */
function properName(given: string, resolved: string): string {
  return given.toLowerCase() === resolved.toLowerCase() ? resolved : given;
}

function startOfYear(year: number): number {
  return dayNumber(year, 1, 1) * DAY;
}

/** Years of one kind begin on the same weekday and are as long. */
function kindOfYear(year: number): number {
  return weekdayOf(dayNumber(year, 1, 1)) + (isLeapYear(year) ? 7 : 0);
}
