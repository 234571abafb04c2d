/** Whole jobs out and in. */

export const IDENTITY = `SELECT id FROM nightshift_identity`;

/** Along the primary key; whether a job is over is one look-up each. */
export const JOBS_AFTER = `
  SELECT j.id, length(j.input) AS text,
    (SELECT f.what FROM nightshift_finished AS f WHERE f.job_id = j.id ORDER BY f.id DESC LIMIT 1) AS last
  FROM nightshift_job AS j WHERE j.id > ? ORDER BY j.id LIMIT ?`;

export const WHOLE_HISTORY = `
  SELECT f.at, f.attempt, f.what, f.ms, f.error, f.result, n.text AS instance
  FROM nightshift_finished AS f LEFT JOIN nightshift_name AS n ON n.id = f.instance
  WHERE f.job_id = ? ORDER BY f.id`;

export const FIND_IMPORTED = `SELECT job_id FROM nightshift_imported WHERE source = ? AND source_job = ?`;

export const INSERT_IMPORTED = `INSERT INTO nightshift_imported (source, source_job, job_id, at) VALUES (?, ?, ?, ?)`;

export const LAST_LINE = `SELECT coalesce((SELECT max(id) FROM nightshift_finished), 0) AS id`;

/** Slices of one import follow each other, so a block mostly grows. */
export const GROW_BLOCK = `UPDATE nightshift_imported_lines SET last = ? WHERE last = ? RETURNING first`;

export const INSERT_BLOCK = `INSERT OR REPLACE INTO nightshift_imported_lines (first, last) VALUES (?, ?)`;
