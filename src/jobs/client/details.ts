/** A job as people and programs see it: what the store keeps as JSON text, read. */
import type { HistoryEntry, JobDetail } from "../../store/contract.ts";
import { type JobFailure, parseFailure } from "../failure.ts";

/** One line of a job's history. */
export interface JobHistoryEntry extends Omit<HistoryEntry, "error"> {
  /** Why the attempt failed, or why it was cancelled. */
  readonly error: JobFailure | null;
}

/** Everything about a job. Times are milliseconds since 1970 by the store's clock. */
export interface JobDetails extends Omit<JobDetail, "input" | "meta" | "result" | "error" | "history"> {
  /** The stored input, not checked by a schema: what was enqueued, as JSON keeps it. */
  readonly input: unknown;
  /** What was enqueued as `meta`; empty when nothing was. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** What it returned, if it succeeded and its definition keeps an output; else undefined. */
  readonly result: unknown;
  /** The last failure, if an attempt failed. */
  readonly error: JobFailure | null;
  /** Oldest first. */
  readonly history: readonly JobHistoryEntry[];
}

export function readDetail(detail: JobDetail): JobDetails {
  return {
    ...detail,
    input: readJson(detail.input),
    meta: readMeta(detail.meta),
    result: detail.result === null ? undefined : readJson(detail.result),
    error: detail.error === null ? null : parseFailure(detail.error),
    history: detail.history.map((entry) => ({
      ...entry,
      error: entry.error === null ? null : parseFailure(entry.error),
    })),
  };
}

/** Stored meta as an object; whatever else is in there is as good as nothing. */
export function readMeta(text: string | null | undefined): Readonly<Record<string, unknown>> {
  if (text === null || text === undefined) return {};
  const value = readJson(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** Text that is not JSON (another program wrote it) is shown as it is. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
