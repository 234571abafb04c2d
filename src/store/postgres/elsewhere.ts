/**
 * Statements that take numbers are of one server: what a process remembers, and what was given before, may be unknown to
 * the next one. Each says when its server started, and does nothing on another.
 */

/** A statement did nothing, since the database is on another server than was thought. */
export class Elsewhere extends Error {
  override readonly name = "Elsewhere";
}

/** Whether a statement runs on the server of which its parameter says when it started. */
export function here(parameter: number): string {
  return `pg_postmaster_start_time() = $${parameter}::timestamptz`;
}
