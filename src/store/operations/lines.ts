/** Chunks of bytes or text as lines, one in memory at a time. */
import { importError } from "./format.ts";

/** Longer lines are no export of ours: inputs are limited long before. In characters. */
const LONGEST = 256 * 1_024 * 1_024;

/** @throws NS_IMPORT_INVALID for bytes that are not UTF-8 and lines without end. Empty lines are passed over but counted by nobody: there are none in an export. */
export async function* linesOf(
  input: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let number = 1;
  const decode = (chunk: Uint8Array | undefined): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (cause) {
      throw importError(number, "this is not text in UTF-8. Give the file of an export.", cause);
    }
  };
  for await (const chunk of input) {
    const text = typeof chunk === "string" ? chunk : decode(chunk);
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST)
      throw importError(number + lines.length, `the line does not end within ${LONGEST} characters.`);
    for (const line of lines) {
      number++;
      yield line;
    }
  }
  rest += decode(undefined);
  if (rest.length > 0) yield rest;
}
