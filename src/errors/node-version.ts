/**
 * Refuses to run on a Node.js that is too old, with one sentence in place of whatever would break first. Everything
 * imports the cellar, so every entry point is guarded; modules that older versions lack (`node:sqlite`) must not be
 * imported statically, as imports are resolved before anything here runs.
 */
import { NightshiftError } from "./nightshift-error.ts";

/** The oldest version with a stable `node:sqlite` without a flag. */
const OLDEST = { major: 22, minor: 13 } as const;

/** The error for a version that is too old; undefined for one that will do. */
export function nodeVersionError(version: string): NightshiftError | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return undefined;
  const needed = `Nightshift needs Node.js ${OLDEST.major}.${OLDEST.minor} or newer`;
  const error = new NightshiftError(
    "NS_NODE_VERSION",
    `${needed}, this is ${version}. Install a current one: nodejs.org`,
  );
  // The sentence alone: where it was thrown says nothing about the cause.
  error.stack = error.message;
  return error;
}

const tooOld = nodeVersionError(process.versions.node);
if (tooOld !== undefined) throw tooOld;
