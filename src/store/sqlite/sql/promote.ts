/** Moving due and parked jobs to where they can be claimed. */

export const DUE_JOBS = `
  SELECT run_at, job_id, queue_id, rank, attempt FROM nightshift_scheduled
  WHERE run_at <= ? ORDER BY run_at, job_id LIMIT ?`;

export const DELETE_SCHEDULED = `DELETE FROM nightshift_scheduled WHERE run_at = ? AND job_id = ?`;

export const NEXT_DUE = `SELECT run_at FROM nightshift_scheduled ORDER BY run_at LIMIT 1`;

/** Parked names by skipping from one to the next: a group by would walk over every parked job. */
export const PARKED_NAMES = `
  WITH RECURSIVE each_name (id) AS (
    SELECT min(name_id) FROM nightshift_parked
    UNION ALL
    SELECT (SELECT min(name_id) FROM nightshift_parked WHERE name_id > each_name.id) FROM each_name WHERE id IS NOT NULL
  )
  SELECT id FROM each_name WHERE id IS NOT NULL`;

export const PARKED_OF_NAME = `
  SELECT job_id, queue_id, rank, attempt FROM nightshift_parked WHERE name_id = ? AND queue_id = ? ORDER BY job_id LIMIT ?`;

export const DELETE_PARKED = `DELETE FROM nightshift_parked WHERE name_id = ? AND job_id = ?`;
