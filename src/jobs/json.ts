/**
 * Inputs, outputs and meta as JSON text. What JSON would change without a word (a Map becomes `{}`, NaN becomes null) is
 * refused here, with its path; what it changes in a known way is documented: a Date arrives as ISO text.
 */
import { messageOf, NightshiftError, show } from "../errors/index.ts";

/** Deeper than this is taken for a mistake; it also keeps the walk and every later reader off the stack's end. */
const DEEPEST = 200;

/** Something in a value that JSON cannot carry. */
export interface Flaw {
  readonly path: string;
  readonly message: string;
}

/** A value as JSON text, or what in it JSON cannot carry. `undefined` as a whole is `null`; as a property it is left out. */
export function toJson(value: unknown): { readonly text: string } | { readonly flaw: Flaw } {
  const flaw = findFlaw(value, undefined);
  if (flaw !== undefined) return { flaw: { path: pathText(flaw.path), message: flaw.message } };
  try {
    const text = JSON.stringify(value) ?? "null";
    // JSON.rawJSON() writes what it is given; everything else is escaped.
    if (!text.isWellFormed()) return { flaw: { path: "", message: "holds half a surrogate pair, unescaped" } };
    return { text };
  } catch (error) {
    // A toJSON() of the application's own threw, or gave something that cannot be written.
    return { flaw: { path: "", message: `cannot be written as JSON: ${messageOf(error)}` } };
  }
}

/** The bytes of a text in UTF-8, without the count where it cannot matter. */
export function isLongerThan(text: string, bytes: number): boolean {
  if (text.length > bytes) return true;
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}

/** Throws NS_JOB_TOO_LARGE when a text has more bytes than allowed. */
export function refuseLongerThan(text: string, limit: number, what: () => string): void {
  if (!isLongerThan(text, limit)) return;
  const bytes = Buffer.byteLength(text);
  const advice = "Keep large data elsewhere and pass a reference, or raise maxPayload.";
  throw new NightshiftError(
    "NS_JOB_TOO_LARGE",
    `${what()} has ${bytes} bytes of JSON, ${limit} are allowed. ${advice}`,
    {
      details: { bytes, limit },
    },
  );
}

/** A path as people read it: `to[0].name`. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? String(key) : `.${String(key)}`;
  }
  return text;
}

/** What a value is in: the way up, for telling a circle from a value that is met twice. */
interface Above {
  readonly value: object;
  readonly above: Above | undefined;
  readonly depth: number;
}

/** A flaw on its way up to the top, where its path is complete. Most values have none, so that no path is kept on the way down. */
interface Found {
  readonly path: PropertyKey[];
  readonly message: string;
}

function findFlaw(value: unknown, above: Above | undefined): Found | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : here(`${value} would become null in JSON`);
    case "bigint":
      return here("a BigInt cannot be written as JSON: pass it as text");
    case "function":
    case "symbol":
      return here(`a ${typeof value} cannot be written as JSON`);
    default:
      return value === null ? undefined : flawOfObject(value as object, above);
  }
}

function flawOfObject(value: object, above: Above | undefined): Found | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === Array.prototype || prototype === null;
  if (!isPlain && value instanceof Date) {
    return Number.isNaN(value.getTime()) ? here("an invalid Date would become null in JSON") : undefined;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return undefined;
  for (let each = above; each !== undefined; each = each.above) {
    if (each.value === value) return here("refers back to something that contains it");
  }
  const depth = (above?.depth ?? 0) + 1;
  if (depth > DEEPEST) return here(`is nested more than ${DEEPEST} levels deep`);
  const inside = { value, above, depth };
  if (Array.isArray(value)) return flawOfArray(value, inside);
  if (!isPlain && isLost(value)) return here(`${show(value)} would lose its content in JSON`);
  return flawOfProperties(value as Record<string, unknown>, inside);
}

function flawOfArray(value: readonly unknown[], inside: Above): Found | undefined {
  for (let index = 0; index < value.length; index++) {
    const element = value[index];
    const flaw =
      element === undefined ? here("undefined in an array would become null in JSON") : findFlaw(element, inside);
    if (flaw !== undefined) return within(index, flaw);
  }
  return undefined;
}

function flawOfProperties(value: Record<string, unknown>, inside: Above): Found | undefined {
  for (const key of Object.keys(value)) {
    const property = value[key];
    if (typeof property === "string") continue; // most are
    const flaw = findFlaw(property, inside);
    if (flaw !== undefined) return within(key, flaw);
  }
  return undefined;
}

function here(message: string): Found {
  return { path: [], message };
}

function within(key: PropertyKey, flaw: Found): Found {
  flaw.path.unshift(key);
  return flaw;
}

/** Objects whose content is not in their properties, so that JSON would write `{}` or a list of bytes as an object. */
function isLost(value: object): boolean {
  return (
    value instanceof Map ||
    value instanceof Set ||
    value instanceof WeakMap ||
    value instanceof WeakSet ||
    value instanceof Promise ||
    value instanceof RegExp ||
    value instanceof Error ||
    value instanceof ArrayBuffer ||
    ArrayBuffer.isView(value)
  );
}
