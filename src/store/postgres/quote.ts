/** The one place where a name becomes part of a statement. */
import { createHash } from "node:crypto";
import { NightshiftError, show } from "../../errors/index.ts";

/** PostgreSQL cuts longer names without a word. */
const LONGEST_IDENTIFIER = 63;

/**
 * A name as an identifier, quoted whatever it looks like.
 *
 * @throws NS_OPTION_INVALID for what cannot be an identifier
 */
export function quoteIdentifier(name: string): string {
  const fits = typeof name === "string" && name.length > 0 && Buffer.byteLength(name) <= LONGEST_IDENTIFIER;
  if (!fits || name.includes("\0") || /^pg_/i.test(name)) {
    const advice = `Give a name of 1 to ${LONGEST_IDENTIFIER} bytes that does not begin with pg_.`;
    throw new NightshiftError("NS_OPTION_INVALID", `postgres(): schema is ${show(name)}. ${advice}`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** The channel on which the stores of one schema wake each other. A digest, since names may be too long for one more word. */
export function channelOf(schema: string): string {
  return `nightshift_${createHash("sha256").update(schema).digest("hex").slice(0, 16)}`;
}
