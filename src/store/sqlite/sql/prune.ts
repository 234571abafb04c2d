/** Retention, in slices. Nothing here looks at live jobs: they have no final last line. */

/**
 * For the search of the last line of an age: `at` rises with the id but for steps of the clock, so no index on it is
 * needed. Blocks of imported lines, whose times are in no order, are stepped over.
 */
export const FINISHED_FROM = `
  SELECT id, at FROM nightshift_finished WHERE id >= max(?, coalesce(
    (SELECT last + 1 FROM nightshift_imported_lines WHERE first <= ? ORDER BY first DESC LIMIT 1), 0)) ORDER BY id LIMIT 1`;

/** Two look-ups; min and max of one SELECT would walk the table. */
export const FINISHED_RANGE = `
  SELECT coalesce((SELECT min(id) FROM nightshift_finished), 0) AS first,
    coalesce((SELECT max(id) FROM nightshift_finished), 0) AS last`;

export const HISTORY_EPOCH = `SELECT value FROM nightshift_counter WHERE name = 'history'`;

export const NEXT_HISTORY_EPOCH = `
  INSERT INTO nightshift_counter (name, value) VALUES ('history', 1)
  ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value`;

const IS_LAST = `NOT EXISTS (SELECT 1 FROM nightshift_finished AS n WHERE n.job_id = f.job_id AND n.id > f.id)`;

export const OLD_SUCCEEDED = `
  SELECT f.id, f.job_id FROM nightshift_finished AS f
  WHERE f.id > ? AND f.id <= ? AND f.at <= ? AND f.what = 's' AND ${IS_LAST} ORDER BY f.id LIMIT ?`;

/** "lease_id = 0" is what imported lines have, and what their partial index is about. */
export const OLD_IMPORTED = `
  SELECT f.id, f.job_id FROM nightshift_finished AS f
  WHERE f.lease_id = 0 AND f.what = ? AND f.at <= ? AND ${IS_LAST} ORDER BY f.at LIMIT ?`;

/** "what <> 's'" is said again, or the partial index is not used. */
export const OLD_BAD = `
  SELECT f.id, f.job_id FROM nightshift_finished AS f
  WHERE f.what = ? AND f.what <> 's' AND f.id > ? AND f.id <= ? AND f.at <= ? AND ${IS_LAST} ORDER BY f.id LIMIT ?`;

/** Two rows of a table of a few. */
export const KEPT = `
  SELECT coalesce((SELECT count FROM nightshift_total WHERE what = ?), 0)
    - coalesce((SELECT count FROM nightshift_total WHERE what = ?), 0) AS kept`;

export const DELETE_HISTORY = `DELETE FROM nightshift_finished WHERE job_id = ?`;

export const DELETE_JOB = `DELETE FROM nightshift_job WHERE id = ?`;

/** Before the newest job may go: its id must not be given out again. */
export const RAISE_JOB_FLOOR = `
  INSERT INTO nightshift_counter (name, value) VALUES ('job', ?)
  ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`;
