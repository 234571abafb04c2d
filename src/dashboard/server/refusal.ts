/** How requests are refused: an error that knows its status, and the answer made of any error. */
import { ERROR_CODES, type ErrorCode, NightshiftError } from "../../errors/index.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import type { ApiError, FieldProblem } from "../api.ts";

/** Ends a request with a status other than 500. Its message goes to the browser, so it holds nothing private. */
export class Refusal extends NightshiftError {
  readonly status: number;
  /** Which fields of a form are wrong, where that is what it is about. */
  readonly problems: readonly FieldProblem[];

  constructor(
    status: number,
    message: string,
    code: ErrorCode = "NS_DASHBOARD_REQUEST",
    problems: readonly FieldProblem[] = [],
  ) {
    super(code, message);
    this.status = status;
    this.problems = problems;
  }
}

/** Codes whose messages speak only of what the caller sent; every other message may hold a path, a host or a statement. */
const MESSAGE_IS_SAFE: ReadonlySet<ErrorCode> = new Set([
  "NS_JOB_NOT_FOUND",
  "NS_JOB_STATE",
  "NS_SCHEDULE_NOT_FOUND",
  "NS_OPTION_INVALID",
]);

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  NS_JOB_NOT_FOUND: 404,
  NS_SCHEDULE_NOT_FOUND: 404,
  NS_JOB_STATE: 409,
  NS_OPTION_INVALID: 400,
  NS_STORE_BUSY: 503,
  NS_STORE_CLOSED: 503,
  NS_STORE_UNAVAILABLE: 503,
};

/** The status and the body for anything thrown. What the browser is not told goes to the log. */
export function refusalOf(thrown: unknown, logger: LoggerLike, path: string): { status: number; body: ApiError } {
  if (thrown instanceof Refusal) return answer(thrown.status, thrown.code, thrown.message, thrown.problems);
  if (thrown instanceof NightshiftError) {
    const status = STATUS[thrown.code] ?? 500;
    if (MESSAGE_IS_SAFE.has(thrown.code)) return answer(status, thrown.code, thrown.message);
    logger.error({ err: thrown, path }, "A request to the dashboard failed");
    return answer(status, thrown.code, `${ERROR_CODES[thrown.code]} The log has the details.`);
  }
  logger.error({ err: thrown, path }, "A request to the dashboard failed");
  return answer(500, "INTERNAL", "Something went wrong. The log has the details.");
}

function answer(status: number, code: string, message: string, problems: readonly FieldProblem[] = []) {
  const error = { code, message: withoutCode(code, message), ...(problems.length === 0 ? {} : { problems }) };
  return { status, body: { error } };
}

/** A message as people read it: the code stands beside it. */
export function withoutCode(code: string, message: string): string {
  const prefix = `${code}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}
