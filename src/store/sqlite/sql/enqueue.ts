/** Accepting jobs. All of it also runs inside a caller's own transaction, on a caller's own connection. */

/**
 * The last job id ever given out. Ids are given out under the write lock, so they rise in the order of commits.
 * Pruning may remove the newest job, hence the floor, which it raises first; AUTOINCREMENT would write its counter
 * with every insert to the same end.
 */
export const LAST_JOB_ID = `
  SELECT max(
    coalesce((SELECT max(id) FROM nightshift_job), 0),
    coalesce((SELECT value FROM nightshift_counter WHERE name = 'job'), 0)
  ) AS id`;

export const INSERT_JOB = `
  INSERT INTO nightshift_job (id, queue_id, name_id, priority, max_attempts, max_crashes, created_at, input, meta)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** `rank` is the negated priority, so that the table's own order is the order of claiming. */
export const INSERT_READY = `INSERT INTO nightshift_ready (queue_id, rank, job_id, attempt) VALUES (?, ?, ?, ?)`;

export const INSERT_SCHEDULED = `
  INSERT INTO nightshift_scheduled (run_at, job_id, queue_id, rank, attempt) VALUES (?, ?, ?, ?, ?)`;

export const INSERT_PARKED = `
  INSERT INTO nightshift_parked (name_id, job_id, queue_id, rank, attempt) VALUES (?, ?, ?, ?, ?)`;
