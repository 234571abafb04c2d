/** Reads a cron expression into lists of elements, field by field, and writes it back in canonical form. */
import { didYouMean, NightshiftError, show } from "../../errors/index.ts";
import {
  type CronDialect,
  FIELD_COUNTS,
  type FieldKind,
  type FieldName,
  fieldsOf,
  MACROS,
  QUARTZ_MACROS,
} from "./fields.ts";
import { cronError, formatItem, type Item, type Place, parseItem } from "./items.ts";

/** A cron expression as data: what it says, before a hash key and the calendar give it meaning. */
export interface ParsedCron {
  readonly dialect: CronDialect;
  readonly fields: Readonly<Record<FieldName, readonly Item[]>>;
}

/** Longer text than any schedule needs; reading stays cheap whatever is given. */
const LONGEST = 1_000;
const EVERY: readonly Item[] = [{ kind: "any", step: 1, mark: "*" }];
const ZERO: readonly Item[] = [{ kind: "value", value: 0 }];

/**
 * Reads an expression.
 *
 * @throws NS_CRON_SYNTAX with the field, the column, the value and the allowed range
 */
export function parseCron(expression: string, dialect: CronDialect): ParsedCron {
  if (typeof expression !== "string") {
    throw new NightshiftError(
      "NS_CRON_SYNTAX",
      `A cron expression is text such as "0 3 * * *", got ${show(expression)}.`,
    );
  }
  if (expression.length > LONGEST) {
    throw new NightshiftError(
      "NS_CRON_SYNTAX",
      `${show(expression)} has ${expression.length} characters; ${LONGEST} is the most.`,
    );
  }
  const words = [...expression.matchAll(/\S+/g)].map((match) => ({ text: match[0], column: match.index + 1 }));
  const [first] = words;
  if (first?.text.startsWith("@")) return parseCron(macroOf(expression, words.length, first.text, dialect), dialect);
  const counts = FIELD_COUNTS[dialect];
  if (!counts.includes(words.length)) {
    const wanted =
      counts.length === 3
        ? "5, 6 (seconds first) or 7 (year last)"
        : counts[0] === 5
          ? "5 or 6 (seconds first)"
          : "6 (seconds first) or 7 (year last)";
    const got = words.length === 1 ? "1 field" : `${words.length} fields`;
    throw new NightshiftError(
      "NS_CRON_SYNTAX",
      `${show(expression)}: the ${dialect} dialect takes ${wanted} fields, got ${got}.`,
      {
        details: { expression, fields: words.length },
      },
    );
  }
  const kinds = fieldsOf(dialect);
  const offset = words.length === 5 ? 1 : 0;
  const fields: Record<FieldName, readonly Item[]> = {
    second: ZERO,
    minute: EVERY,
    hour: EVERY,
    day: EVERY,
    month: EVERY,
    weekday: EVERY,
    year: EVERY,
  };
  for (const [index, word] of words.entries()) {
    const kind = kinds[index + offset];
    if (kind)
      fields[kind.name] = parseField({ expression, field: kind, dialect }, word.text.toUpperCase(), word.column);
  }
  if (dialect === "quartz" && isUnset(fields.day) && isUnset(fields.weekday)) {
    throw cronError(
      placeOf(expression, dialect, "weekday", kinds),
      words[5]?.column ?? 1,
      "?",
      "? may stand for day of month or for day of week, not for both",
    );
  }
  return { dialect, fields };
}

/** Whether a field says `?`. */
export function isUnset(items: readonly Item[]): boolean {
  return items[0]?.kind === "any" && items[0].mark === "?";
}

/** Whether the expression has an `H` and so needs a key. */
export function needsHashKey(parsed: ParsedCron): boolean {
  return Object.values(parsed.fields).some((items) => items.some((item) => item.kind === "hash"));
}

/** The canonical text: numbers for names, one space between fields, no seconds or year unless they say something. */
export function formatCron({ dialect, fields }: ParsedCron): string {
  const text = (name: FieldName) => fields[name].map(formatItem).join(",");
  const words = (["second", "minute", "hour", "day", "month", "weekday", "year"] as const).map(text);
  if (words[6] === "*") words.pop();
  if (words[0] === "0" && words.length === 6 && dialect !== "quartz") words.shift();
  return words.join(" ");
}

function parseField(place: Place, text: string, column: number): readonly Item[] {
  let at = column;
  const items: Item[] = [];
  for (const part of text.split(",")) {
    items.push(normal(place.field, place.dialect, parseItem(place, part, at)));
    at += part.length + 1;
  }
  if (items.length > 1) checkList(place, items, text, column);
  return tidy(items);
}

/** Lists that mean the same are the same: in order, nothing twice. A star stays where it is: unix asks whether it comes first. */
function tidy(items: readonly Item[]): readonly Item[] {
  const once = [...new Map(items.map((item) => [formatItem(item), item])).values()];
  const rank = (item: Item) => (item.kind === "value" ? item.value : item.kind === "range" ? item.from : 10_000);
  return once.some(({ kind }) => kind === "any") ? once : once.sort((a, b) => rank(a) - rank(b));
}

function checkList(place: Place, items: readonly Item[], text: string, column: number): void {
  const special = items.find((item) => {
    if (item.kind === "any") return item.mark === "?" || place.dialect === "cronos";
    return place.dialect === "cronos" && !["value", "range", "hash"].includes(item.kind);
  });
  if (special) throw cronError(place, column, text, `${formatItem(special)} stands alone in ${place.field.label}`);
}

/** Sunday is 0 where it may also be 7. */
function normal(field: FieldKind, dialect: CronDialect, item: Item): Item {
  if (field.name !== "weekday" || dialect === "quartz") return item;
  if (item.kind === "value") return { ...item, value: item.value % 7 };
  if (item.kind === "nth" || item.kind === "last-of-month") return { ...item, weekday: item.weekday % 7 };
  return item;
}

function macroOf(expression: string, words: number, text: string, dialect: CronDialect): string {
  const macros = dialect === "quartz" ? QUARTZ_MACROS : MACROS;
  const known = words === 1 ? macros[text.toLowerCase()] : undefined;
  if (known !== undefined) return known;
  const why =
    text.toLowerCase() === "@reboot"
      ? " Nothing is rebooted here: use a hosted service for work at start."
      : didYouMean(text, Object.keys(macros));
  throw new NightshiftError(
    "NS_CRON_SYNTAX",
    `${show(expression)} is not a known macro (${Object.keys(macros).join(", ")}).${why}`,
    {
      details: { expression, value: text, column: 1 },
    },
  );
}

function placeOf(expression: string, dialect: CronDialect, name: FieldName, kinds: readonly FieldKind[]): Place {
  const field = kinds.find((kind) => kind.name === name) ?? kinds[0];
  if (!field) throw new RangeError(`No field ${name}.`);
  return { expression, field, dialect };
}
