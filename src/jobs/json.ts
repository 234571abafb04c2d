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
  const flaw = findFlaw(value, [], []);
  if (flaw !== undefined) return { flaw };
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

function findFlaw(value: unknown, path: PropertyKey[], ancestors: object[]): Flaw | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : at(path, `${value} would become null in JSON`);
    case "bigint":
      return at(path, "a BigInt cannot be written as JSON: pass it as text");
    case "function":
    case "symbol":
      return at(path, `a ${typeof value} cannot be written as JSON`);
    default:
      return value === null ? undefined : flawOfObject(value as object, path, ancestors);
  }
}

function flawOfObject(value: object, path: PropertyKey[], ancestors: object[]): Flaw | undefined {
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? at(path, "an invalid Date would become null in JSON") : undefined;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return undefined;
  if (ancestors.includes(value)) return at(path, "refers back to something that contains it");
  if (ancestors.length >= DEEPEST) return at(path, `is nested more than ${DEEPEST} levels deep`);
  ancestors.push(value);
  let flaw: Flaw | undefined;
  if (Array.isArray(value)) flaw = flawOfArray(value, path, ancestors);
  else if (isLost(value)) flaw = at(path, `${show(value)} would lose its content in JSON`);
  else flaw = flawOfProperties(value as Record<string, unknown>, path, ancestors);
  ancestors.pop();
  return flaw;
}

function flawOfArray(value: readonly unknown[], path: PropertyKey[], ancestors: object[]): Flaw | undefined {
  for (let index = 0; index < value.length; index++) {
    path.push(index);
    const element = value[index];
    const flaw =
      element === undefined
        ? at(path, "undefined in an array would become null in JSON")
        : findFlaw(element, path, ancestors);
    if (flaw !== undefined) return flaw;
    path.pop();
  }
  return undefined;
}

function flawOfProperties(value: Record<string, unknown>, path: PropertyKey[], ancestors: object[]): Flaw | undefined {
  for (const key of Object.keys(value)) {
    const property = value[key];
    if (typeof property === "string") continue; // most are
    path.push(key);
    const flaw = findFlaw(property, path, ancestors);
    if (flaw !== undefined) return flaw;
    path.pop();
  }
  return undefined;
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

function at(path: readonly PropertyKey[], message: string): Flaw {
  return { path: pathText(path), message };
}
