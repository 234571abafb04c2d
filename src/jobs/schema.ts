/** Any Standard Schema (zod, valibot, arktype, ...) as this room uses it: check a value, say what is wrong with it. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { pathText } from "./json.ts";

/** One thing that a schema found wrong. */
export interface InputIssue {
  /** Where in the value: `to[0].name`; empty for the value as a whole. */
  readonly path: string;
  readonly message: string;
}

/** The result of a check: what the schema made of the value, or what is wrong with it. */
export type Checked = StandardSchemaV1.SuccessResult<unknown> | { readonly issues: readonly InputIssue[] };

/**
 * A type without a check: the value is taken to be what it says. For inputs and outputs that come from code you trust;
 * a real schema is better, as jobs outlive the code that enqueued them.
 *
 * @example
 * ```ts
 * import { defineJob, unchecked } from "nightshift";
 *
 * export const resize = defineJob({
 *   name: "image.resize",
 *   input: unchecked<{ file: string; width: number }>(),
 *   run({ file, width }, job) {
 *     job.logger.info(`resizing ${file} to ${width}`);
 *   },
 * });
 * ```
 */
export function unchecked<T>(): StandardSchemaV1<T, T> {
  return ANYTHING as StandardSchemaV1<T, T>;
}

/** The schema that accepts everything as it is: what it would be asked need not be made. */
export const ANYTHING: StandardSchemaV1 = {
  "~standard": { version: 1, vendor: "nightshift", validate: (value) => ({ value }) },
};

/** Checks a value. Synchronous when the schema is, so that a row can be written before the caller's next statement. */
export function check(schema: StandardSchemaV1, value: unknown): Checked | Promise<Checked> {
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then(judge) : judge(result);
}

/** Whether a value is a Standard Schema. arktype's are functions, so both shapes count. */
export function isSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as { readonly "~standard"?: { readonly validate?: unknown } })["~standard"];
  return typeof standard?.validate === "function";
}

/** Issues as one line of text: `to: Invalid email; name: Required`. */
export function issuesText(issues: readonly InputIssue[]): string {
  const shown = issues.slice(0, 5).map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  const more = issues.length > shown.length ? `; and ${issues.length - shown.length} more` : "";
  return shown.join("; ") + more;
}

function judge(result: StandardSchemaV1.Result<unknown>): Checked {
  if (result.issues === undefined) return result;
  const issues = result.issues.map((issue) => ({
    path: pathText((issue.path ?? []).map((part) => (typeof part === "object" ? part.key : part))),
    message: issue.message,
  }));
  return { issues };
}
