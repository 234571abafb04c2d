/** Mistakes in a schedule that a person wrote, told at the fields where they were made, in the library's own words. */
import { type ErrorCode, NightshiftError, problemsOf } from "../../errors/index.ts";
import type { FieldProblem } from "../api.ts";
import { Refusal, withoutCode } from "./refusal.ts";

/** Codes of mistakes in what was sent, with the field that each is about. Their messages hold nothing else. */
const FIELDS: ReadonlyMap<ErrorCode, string | null> = new Map<ErrorCode, string | null>([
  ["NS_CRON_SYNTAX", "expression"],
  ["NS_TRIGGER_INVALID", "expression"],
  ["NS_SCHEDULE_INVALID", "expression"],
  ["NS_DURATION_INVALID", "every"],
  ["NS_RECURRENCE_SYNTAX", "rule"],
  ["NS_TIME_INVALID", "start"],
  ["NS_CALENDAR_INVALID", "expression"],
  ["NS_OPTION_UNKNOWN", "expression"],
  ["NS_TIME_ZONE_UNKNOWN", "timeZone"],
  ["NS_JOB_UNKNOWN", "job"],
  ["NS_JOB_INPUT", "input"],
  ["NS_JOB_TOO_LARGE", "input"],
  ["NS_SCHEDULE_DUPLICATE", "id"],
  ["NS_SCHEDULE_STALE", null],
  ["NS_OPTION_INVALID", null],
]);
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = { NS_SCHEDULE_STALE: 409, NS_SCHEDULE_DUPLICATE: 409 };

/** The problems that an error tells of; null when it is no mistake of the form. */
export function fieldProblems(error: unknown): readonly FieldProblem[] | null {
  if (!(error instanceof NightshiftError) || error instanceof Refusal) return null;
  const problems = problemsOf(error);
  if (!problems.every(({ code }) => FIELDS.has(code))) return null;
  return problems.map(({ code, message }) => ({
    field: FIELDS.get(code) ?? null,
    code,
    message: withoutCode(code, message),
  }));
}

/** Does something; a mistake of the form becomes a refusal that names its fields. */
export async function withFields<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const problems = fieldProblems(error);
    const [first] = problems ?? [];
    if (problems === null || first === undefined || !(error instanceof NightshiftError)) throw error;
    const code = problems.length === 1 ? error.code : "NS_DASHBOARD_REQUEST";
    const message = problems.length === 1 ? first.message : `${problems.length} fields are wrong. Nothing was written.`;
    throw new Refusal(STATUS[code] ?? 400, message, code, problems);
  }
}
