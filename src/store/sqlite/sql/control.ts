/** What people do: pause, cancel, retry, and finding where a job is for that. */

export const PAUSE = `
  INSERT INTO nightshift_pause (queue_id, reason, since) VALUES (?, ?, ?)
  ON CONFLICT (queue_id) DO UPDATE SET reason = excluded.reason`;

export const RESUME = `DELETE FROM nightshift_pause WHERE queue_id = ? RETURNING queue_id`;

export const ANY_CANCELLATION = `SELECT 1 FROM nightshift_cancellation LIMIT 1`;

export const CANCELLATION_OF = `SELECT reason FROM nightshift_cancellation WHERE job_id = ?`;

export const REQUEST_CANCELLATION = `
  INSERT INTO nightshift_cancellation (job_id, reason) VALUES (?, ?)
  ON CONFLICT (job_id) DO UPDATE SET reason = excluded.reason`;

export const FORGET_CANCELLATION = `DELETE FROM nightshift_cancellation WHERE job_id = ?`;

/** Without the input, which may be large and comes last in the row: it is not even read from the disk. */
export const JOB_BODY = `
  SELECT id, queue_id, name_id, priority, max_attempts, max_crashes, created_at FROM nightshift_job WHERE id = ?`;

export const JOB_INPUT = `SELECT input, meta FROM nightshift_job WHERE id = ?`;

/** The last line of a job's history decides whether it is over. The index on job_id ends in the rowid, so this is one step. */
export const LAST_FINISHED = `
  SELECT id, at, attempt, what, error, result FROM nightshift_finished WHERE job_id = ? ORDER BY id DESC LIMIT 1`;

export const SCHEDULED_ENTRY = `SELECT run_at, attempt FROM nightshift_scheduled WHERE job_id = ?`;

export const READY_ENTRY = `SELECT attempt FROM nightshift_ready WHERE queue_id = ? AND rank = ? AND job_id = ?`;

export const DELETE_READY = `DELETE FROM nightshift_ready WHERE queue_id = ? AND rank = ? AND job_id = ?`;

export const PARKED_ENTRY = `SELECT attempt FROM nightshift_parked WHERE name_id = ? AND job_id = ?`;

export const CRASHES_OF = `SELECT count(*) AS crashes FROM nightshift_finished WHERE job_id = ? AND what = 'l'`;
