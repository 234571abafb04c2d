import type { ErrorCode } from "./catalogue.ts";

/** What an error carries beside its message. */
export interface NightshiftErrorOptions {
  /** The error underneath, if any. */
  readonly cause?: unknown;
  /** Facts for programs: the value received, a list of issues, a job id. Plain data, safe to log. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Every error that Nightshift raises on purpose. The message says what happened, the value received and what to do;
 * {@link code} is stable and meant for programs.
 *
 * @example
 * ```ts
 * import { NightshiftError, parseDuration } from "nightshift";
 *
 * try {
 *   parseDuration(-1, "timeout");
 * } catch (error) {
 *   if (error instanceof NightshiftError && error.code === "NS_DURATION_INVALID") console.log(error.message);
 * }
 * ```
 */
export class NightshiftError extends Error {
  override readonly name = "NightshiftError";
  /** The stable code from the catalogue. */
  readonly code: ErrorCode;
  /** Facts for programs; empty when there are none. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: NightshiftErrorOptions = {}) {
    super(`${code}: ${message}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}
