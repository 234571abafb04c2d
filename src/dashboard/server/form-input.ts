/** The input of a schedule as a person typed it: JSON text, read without a value being changed on the way. */
import { NightshiftError, show } from "../../errors/index.ts";
import { HIDDEN, type IsHidden } from "./redact.ts";

/** The value of the text; undefined when it is blank. @throws NS_JOB_INPUT */
export function readInput(text: string, isHidden: IsHidden): { readonly value: unknown } | undefined {
  if (text.trim() === "") return undefined;
  try {
    const value: unknown = JSON.parse(
      text,
      function look(this: unknown, key, parsed: unknown, context?: { source?: string }) {
        // What was shown hidden and comes back like that would overwrite the real value.
        if (parsed === HIDDEN && !Array.isArray(this) && isHidden(key)) {
          throw wrong(`${show(key)} is ${HIDDEN}: write its real value, or leave the input as it is.`);
        }
        if (typeof parsed === "number") refuseInexact(parsed, context?.source);
        return parsed;
      },
    );
    return { value };
  } catch (error) {
    if (error instanceof SyntaxError) throw wrong(`The input is not JSON: ${error.message}.`);
    if (error instanceof RangeError) throw wrong("The input is nested too deeply.");
    throw error;
  }
}

/** An id beyond 2^53 would become its neighbour. */
function refuseInexact(number: number, source: string | undefined): void {
  if (source === undefined || Number.isSafeInteger(number) || !/^-?\d+$/.test(source)) return;
  throw wrong(`The number ${source.slice(0, 40)} cannot be kept digit for digit: write it as text.`);
}

function wrong(message: string): NightshiftError {
  return new NightshiftError("NS_JOB_INPUT", message);
}
