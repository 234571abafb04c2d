/** Stored JSON as it is shown: values hidden by their names, numbers digit for digit, indented, and cut when very long. */
import type { StoredJsonView } from "../api.ts";

/** Names whose values are hidden unless `redact` says otherwise. */
export const REDACTED_BY_DEFAULT: readonly string[] = [
  "password",
  "passwd",
  "passphrase",
  "secret",
  "clientSecret",
  "token",
  "accessToken",
  "refreshToken",
  "idToken",
  "apiKey",
  "authorization",
  "cookie",
  "privateKey",
  "credentials",
  "cardNumber",
  "cvc",
];

/** Stands in the place of a hidden value. */
export const HIDDEN = "[redacted]";
const LONGEST_SHOWN = 200_000;

/** Tells whether a property's value is to be hidden. Case and the separators `-` `_` do not count. */
export type IsHidden = (key: string) => boolean;

/** @param names the property names to hide */
export function hiddenBy(names: readonly string[]): IsHidden {
  const hidden = new Set(names.map(plain));
  return (key) => hidden.has(plain(key));
}

/** JSON text made ready to be shown. Text that cannot be read is not shown at all: it could not be redacted. */
export function showJson(text: string, isHidden: IsHidden): StoredJsonView {
  let redacted = 0;
  try {
    const value: unknown = JSON.parse(
      text,
      function keepDigits(this: unknown, key, parsed: unknown, context?: unknown) {
        // Array indexes come through here as well, and are not names.
        if (key !== "" && !Array.isArray(this) && isHidden(key)) {
          redacted += 1;
          return HIDDEN;
        }
        return typeof parsed === "number" ? exactly(parsed, context) : parsed;
      },
    );
    const shown = JSON.stringify(value, null, 2) ?? "null";
    const cut = shown.length > LONGEST_SHOWN;
    return { text: cut ? shown.slice(0, LONGEST_SHOWN) : shown, cut, redacted };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    return { text: "(This is not JSON, or nested too deeply, and is not shown.)", cut: true, redacted };
  }
}

/** A number as it was written where a double would change it: ids beyond 2^53 stay what they are. */
function exactly(number: number, context: unknown): unknown {
  const source = (context as { readonly source?: unknown } | undefined)?.source;
  if (typeof source !== "string" || String(number) === source) return number;
  const { rawJSON } = JSON as unknown as { readonly rawJSON?: (text: string) => unknown };
  return rawJSON === undefined ? number : rawJSON(source);
}

function plain(key: string): string {
  return key.toLowerCase().replaceAll(/[-_]/g, "");
}
