/** One element of a field's list (`5`, `MON-FRI/2`, `15W`, `H(0-29)`), read into data. Errors say field and column. */
import { didYouMean, NightshiftError } from "../../errors/index.ts";
import type { CronDialect, FieldKind } from "./fields.ts";

/** What an element of a list says. Weekdays are as the dialect counts them. */
export type Item =
  | { readonly kind: "any"; readonly step: number; readonly mark: "*" | "?" }
  | {
      readonly kind: "range";
      readonly from: number;
      readonly to: number;
      readonly step: number;
      readonly open: boolean;
    }
  | { readonly kind: "value"; readonly value: number }
  | {
      readonly kind: "hash";
      readonly from: number;
      readonly to: number;
      readonly step: number;
      readonly whole: boolean;
    }
  /** `L-n`; with `weekday`, `L-nW`: the weekday nearest to it. */
  | { readonly kind: "last"; readonly back: number; readonly weekday: boolean }
  /** `LW-n`: so many days before the month's last weekday. */
  | { readonly kind: "last-weekday"; readonly back: number }
  | { readonly kind: "nearest"; readonly day: number }
  | { readonly kind: "nth"; readonly weekday: number; readonly nth: number }
  | { readonly kind: "last-of-month"; readonly weekday: number };

/** Where an element stands, for messages. */
export interface Place {
  readonly expression: string;
  readonly field: FieldKind;
  readonly dialect: CronDialect;
}

/** An error about a part of an expression. `column` counts from 1. */
export function cronError(place: Place, column: number, value: string, message: string, hint = ""): NightshiftError {
  const text = `${JSON.stringify(place.expression)}: ${message} at column ${column}.${hint}`;
  return new NightshiftError("NS_CRON_SYNTAX", text, {
    details: { expression: place.expression, field: place.field.name, column, value },
  });
}

const HASH = /^H(?:\((\w+)-(\w+)\))?(?:\/(\w+))?$/;
const RANGE = /^([A-Z0-9]+)-([A-Z0-9]+)(?:\/(\w+))?$/;
const STEPPED = /^([A-Z0-9]+)\/(\w+)$/;

/** Reads one element. `text` is upper case, `column` is where it starts. */
export function parseItem(place: Place, text: string, column: number): Item {
  const { field } = place;
  const fail = (message: string) => cronError(place, column, text, message);
  if (text === "") throw fail(`${field.label} has an empty element`);

  // Quartz reads a step with nothing before it as one from the field's beginning.
  if (place.dialect === "quartz" && text.startsWith("/")) {
    return { kind: "any", step: stepOf(place, text.slice(1), column + 1), mark: "*" };
  }
  const star = /^([*?])(?:\/(.*))?$/.exec(text);
  if (star) {
    const mark = star[1] === "?" ? "?" : "*";
    if (mark === "?" && place.dialect !== "cronos" && field.name !== "day" && field.name !== "weekday") {
      throw fail(`? stands only for day of month or day of week, not for ${field.label}; write *`);
    }
    const step = star[2] === undefined ? 1 : stepOf(place, star[2], column + 2);
    return { kind: "any", step, mark };
  }
  const hash = HASH.exec(text);
  if (hash) return hashItem(place, hash, column);
  const special = specialItem(place, text, column);
  if (special) return special;

  const range = RANGE.exec(text);
  if (range) {
    const [, first = "", last = "", step] = range;
    const from = readValue(place, first, column);
    const to = readValue(place, last, column + first.length + 1);
    const by = step === undefined ? 1 : stepOf(place, step, column + first.length + last.length + 2);
    if (field.name === "year" && from > to) throw fail(`year ${from}-${to} runs backwards`);
    return { kind: "range", from, to, step: by, open: false };
  }
  const stepped = STEPPED.exec(text);
  if (stepped) {
    const [, first = "", step = ""] = stepped;
    const from = readValue(place, first, column);
    return { kind: "range", from, to: field.max, step: stepOf(place, step, column + first.length + 1), open: true };
  }
  return { kind: "value", value: readValue(place, text, column) };
}

function hashItem(place: Place, match: RegExpExecArray, column: number): Item {
  const { field } = place;
  const [text, first, last, step] = match;
  if (field.name === "year") throw cronError(place, column, text, "H has no meaning for year");
  // Every month has the days 1 to 28; weekday 7 would be a second Sunday.
  const highest = field.name === "day" ? 28 : field.min + field.size - 1;
  const from = first === undefined ? field.min : readValue(place, first, column + 2);
  const to = last === undefined ? highest : readValue(place, last, column + 3 + (first ?? "").length);
  if (from > to) throw cronError(place, column, text, `${field.label} ${text} runs backwards`);
  const by = step === undefined ? 0 : stepOf(place, step, column + text.length - step.length);
  return { kind: "hash", from, to, step: by, whole: first === undefined };
}

function specialItem(place: Place, text: string, column: number): Item | undefined {
  const { field, dialect } = place;
  if (field.name === "day") {
    const last = /^L(?:-(\d{1,9}))?(W)?$/.exec(text);
    const lastWeekday = /^LW-(\d{1,9})$/.exec(text);
    if (last || lastWeekday) {
      const back = Number((last ?? lastWeekday)?.[1] ?? 0);
      if (back > 30) throw cronError(place, column + text.indexOf("-") + 1, text, `L- takes 0-30 days, got ${back}`);
      if (lastWeekday || text === "LW") return { kind: "last-weekday", back };
      return { kind: "last", back, weekday: last?.[2] !== undefined };
    }
    const nearest = /^(\d+)W$/.exec(text);
    if (nearest) return { kind: "nearest", day: readValue(place, nearest[1] ?? "", column) };
  }
  if (field.name === "weekday") {
    if (text === "L" && dialect === "quartz") return { kind: "value", value: 7 };
    const nth = /^([A-Z0-9]+)#(\w*)$/.exec(text);
    if (nth) {
      const [, day = "", number = ""] = nth;
      if (!/^[1-5]$/.test(number)) {
        throw cronError(
          place,
          column + day.length + 1,
          text,
          `# takes 1-5, the which of the month, got ${number || "nothing"}`,
        );
      }
      return { kind: "nth", weekday: readValue(place, day, column), nth: Number(number) };
    }
    const lastOne = /^([A-Z0-9]+)L$/.exec(text);
    if (lastOne) return { kind: "last-of-month", weekday: readValue(place, lastOne[1] ?? "", column) };
  }
  return undefined;
}

/** A number in the field's range, or one of its names. */
function readValue(place: Place, text: string, column: number): number {
  const { field } = place;
  const range = `${field.label} is ${field.min}-${field.max}`;
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    if (value >= field.min && value <= field.max) return value;
    const sunday = field.name === "weekday" && value === 0 ? " The quartz dialect counts from 1, Sunday." : "";
    throw cronError(place, column, text, `${range}, got ${text}`, sunday);
  }
  const named = field.names.indexOf(text);
  if (named >= 0) return field.namedFrom + named;
  if (field.names.length === 0) throw cronError(place, column, text, `${range}, got ${JSON.stringify(text)}`);
  // MONDAY means MON more surely than an edit distance can tell.
  const whole = field.names.find((name) => text.startsWith(name));
  const hint = whole === undefined ? didYouMean(text, field.names) : ` Did you mean ${JSON.stringify(whole)}?`;
  const names = `${range} or ${field.names[0]}-${field.names.at(-1)}`;
  throw cronError(place, column, text, `${names}, got ${JSON.stringify(text)}`, hint);
}

function stepOf(place: Place, text: string, column: number): number {
  const { field } = place;
  const most = field.name === "year" ? field.max - field.min : field.max;
  const step = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (step >= 1 && step <= most) return step;
  throw cronError(
    place,
    column,
    text,
    `the step of ${field.label} is 1-${most}, got ${text === "" ? "nothing" : text}`,
  );
}

/** The canonical text of an element. */
export function formatItem(item: Item): string {
  const by = (step: number) => (step > 1 ? `/${step}` : "");
  switch (item.kind) {
    case "any":
      return item.mark + by(item.step);
    case "range":
      return item.open ? `${item.from}/${item.step}` : `${item.from}-${item.to}${by(item.step)}`;
    case "value":
      return String(item.value);
    case "hash":
      return `H${item.whole ? "" : `(${item.from}-${item.to})`}${item.step > 0 ? `/${item.step}` : ""}`;
    case "last":
      return `L${item.back > 0 ? `-${item.back}` : ""}${item.weekday ? "W" : ""}`;
    case "last-weekday":
      return `LW${item.back > 0 ? `-${item.back}` : ""}`;
    case "nearest":
      return `${item.day}W`;
    case "nth":
      return `${item.weekday}#${item.nth}`;
    case "last-of-month":
      return `${item.weekday}L`;
  }
}
