/** PostgreSQL's array literals. The driver's own encoder is general; these know what they are given. */

/** An array of numbers, or of numbers as text; null elements allowed. */
export function numbers(values: readonly (number | string | null)[]): string {
  // Joined, not added up: each piece added would be a string of its own.
  const known = values.includes(null) ? values.map((value) => value ?? "NULL") : values;
  return `{${known.join(",")}}`;
}

const SPECIAL = /["\\]/;
const ALL_SPECIAL = /["\\]/g;

/** An array of texts; null elements allowed. */
export function texts(values: readonly (string | null | undefined)[]): string {
  let text = "{";
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (index > 0) text += ",";
    if (value === null || value === undefined) text += "NULL";
    else text += SPECIAL.test(value) ? `"${value.replace(ALL_SPECIAL, "\\$&")}"` : `"${value}"`;
  }
  return `${text}}`;
}

/** The elements of an array of numbers, as text. */
export function numberElements(literal: string | null): string[] {
  return literal === null || literal === "{}" ? [] : literal.slice(1, -1).split(",");
}
