/** Calls to the API, typed by the same types that the server implements. Addresses are relative: the page may be mounted anywhere. */
import type { ApiError, FieldProblem, OperateApi, ReadApi } from "../api.ts";

/** The server said no; the message is for the reader. */
export class ApiFailure extends Error {
  readonly status: number;
  /** The stable code; empty when what answered was not the API. */
  readonly code: string;
  /** Which fields are wrong, where a form was refused. */
  readonly problems: readonly FieldProblem[];

  constructor(status: number, message: string, code = "", problems: readonly FieldProblem[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.problems = problems;
  }
}

/** Asks. */
export async function read<P extends keyof ReadApi>(
  path: P,
  query: ReadApi[P]["query"],
  signal?: AbortSignal,
): Promise<ReadApi[P]["answer"]> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value);
  const text = parameters.toString();
  return answerOf(await ask(text === "" ? path : `${path}?${text}`, signal ? { signal } : {}));
}

/** Acts. */
export async function operate<P extends keyof OperateApi>(
  path: P,
  body: OperateApi[P]["body"],
): Promise<OperateApi[P]["answer"]> {
  return answerOf(
    await ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  );
}

/** Each browser has words of its own for a server that is not there ("Failed to fetch"), and none of them help. */
async function ask(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ApiFailure(0, `The application does not answer at ${location.host}. Look whether it runs.`);
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  if (!isJson) throw new ApiFailure(response.status, `The server answered ${response.status}, and not with data.`);
  const value: unknown = await response.json();
  if (response.ok) return value as T;
  const { message, code, problems } = (value as ApiError).error;
  throw new ApiFailure(response.status, message, code, problems);
}
