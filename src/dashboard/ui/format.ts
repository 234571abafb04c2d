/** Numbers, times and lengths of time as people read them. */

const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** 1,234; and 1.2M from a hundred thousand on. */
export function count(value: number): string {
  return value < 100_000 ? whole.format(value) : compact.format(value);
}

/** Every digit. */
export function exact(value: number): string {
  return whole.format(value);
}

/** `12 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return two(minutes, "min", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? two(hours, "h", minutes % 60, "min") : two(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** `12 s ago`, `3 min ago`, `in 2 h 10 min`, `now`: what is past can be rough, what is to come is waited for. */
export function relative(at: number, now: number): string {
  const distance = Math.round((at - now) / 1_000) * 1_000;
  if (Math.abs(distance) < 2_000) return "now";
  const [amount, unit, ...rest] = duration(Math.abs(distance)).replace(".0", "").split(" ");
  return distance > 0 ? `in ${[amount, unit, ...rest].join(" ")}` : `${amount} ${unit} ago`;
}

/** A full date and time in the reader's own zone. */
export function absoluteTime(at: number): string {
  return absolute.format(at);
}

/** Weekday, date and time to the second. */
const FULL = {
  weekday: "short",
  year: "numeric",
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
} as const satisfies Intl.DateTimeFormatOptions;

/** A date and time in a schedule's zone, else the reader's, with the offset that holds then. */
export function timeIn(at: number, timeZone: string | null): string {
  const style: Intl.DateTimeFormatOptions = { ...FULL, timeZoneName: "shortOffset" };
  try {
    return new Intl.DateTimeFormat("en-GB", timeZone === null ? style : { ...style, timeZone }).format(at);
  } catch (error) {
    // A zone that this browser does not know, from a server with newer data.
    if (!(error instanceof RangeError)) throw error;
    return new Intl.DateTimeFormat("en-GB", { ...style, timeZone: "UTC" }).format(at);
  }
}

const wall = new Intl.DateTimeFormat("en-GB", { ...FULL, timeZone: "UTC" });

/** What a clock somewhere shows, given as `2026-03-29T03:00:00`: no zone has a say in it. */
export function wallClock(local: string): string {
  const at = Date.parse(`${local}Z`);
  return Number.isNaN(at) ? local : wall.format(at);
}

function two(a: number, unitA: string, b: number, unitB: string): string {
  return b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`;
}
