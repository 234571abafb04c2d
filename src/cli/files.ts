/** The files that commands read and write: opened before anything else is done, and what is wrong with one said by name. */
import { once } from "node:events";
import { createReadStream, createWriteStream, type ReadStream, statSync, type WriteStream } from "node:fs";
import { messageOf, NightshiftError } from "../errors/index.ts";

/** @throws NS_OPTION_INVALID */
export async function fileToRead(path: string): Promise<ReadStream> {
  return opened(path, createReadStream(path));
}

/**
 * Readable by its owner only, since it may hold inputs of jobs.
 *
 * @param fresh whether a file that is there already is refused, rather than replaced
 * @throws NS_OPTION_INVALID
 */
export async function fileToWrite(path: string, { fresh }: { readonly fresh: boolean }): Promise<WriteStream> {
  return opened(path, createWriteStream(path, { flags: fresh ? "wx" : "w", mode: 0o600 }));
}

async function opened<S extends ReadStream | WriteStream>(path: string, stream: S): Promise<S> {
  try {
    await once(stream, "open");
  } catch (cause) {
    throw refused(path, why(cause), cause);
  }
  // A folder can be opened, and fails when it is read.
  if (!statSync(path).isDirectory()) return stream;
  stream.destroy();
  throw refused(path, "is a folder. Give the path of a file.");
}

function why(cause: unknown): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "does not exist, or its folder does not. Give another path.";
    case "EEXIST":
      return "exists already, and is not replaced. Give another name, or remove it.";
    case "EISDIR":
      return "is a folder. Give the path of a file.";
    case "EACCES":
    case "EPERM":
      return "may not be opened by this user. Give another path, or the rights to it.";
    default:
      return `cannot be opened: ${messageOf(cause)}`;
  }
}

function refused(path: string, what: string, cause?: unknown): NightshiftError {
  return new NightshiftError("NS_OPTION_INVALID", `${path} ${what}`, cause === undefined ? {} : { cause });
}
