/** Says of whom an error speaks, where the one who threw it does not know. */
import { NightshiftError } from "../errors/index.ts";

/** The same error with `what` before its message; anything that is not one of ours as it is. */
export function withContext(what: string, error: unknown): unknown {
  if (!(error instanceof NightshiftError)) return error;
  const said = error.message.slice(error.code.length + 2);
  return new NightshiftError(error.code, `${what}: ${said}`, { cause: error, details: error.details });
}

/** Runs a check; what it throws says of whom it speaks. */
export function inContext<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw withContext(what, error);
  }
}
