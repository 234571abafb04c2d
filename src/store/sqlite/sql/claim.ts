/** Claiming. The write lock is held from the first statement, so what is read is what is deleted. */

/** The head of a queue with the bodies, read in the order of the primary key; a join by rowid per job. */
export const HEAD_OF_QUEUE = `
  SELECT r.rank, r.job_id, r.attempt, j.name_id, j.max_attempts, j.created_at, j.input, j.meta
  FROM nightshift_ready AS r JOIN nightshift_job AS j ON j.id = r.job_id
  WHERE r.queue_id = ?
  ORDER BY r.rank, r.job_id
  LIMIT ?`;

/** One range delete for the whole batch, in place of a look-up per job: half the time of "job_id IN (...) RETURNING". */
export const DELETE_HEAD = `DELETE FROM nightshift_ready WHERE queue_id = ? AND (rank, job_id) <= (?, ?)`;

/** Whether anything stands at the head of a queue: one step down the primary key. */
export const ANY_READY = `SELECT 1 AS ready FROM nightshift_ready WHERE queue_id = ? LIMIT 1`;

/** One row per claimed batch. AUTOINCREMENT: a fencing token must never come back. */
export const INSERT_LEASE = `
  INSERT INTO nightshift_lease (instance_id, queue_id, claimed_at, size, jobs) VALUES (?, ?, ?, ?, ?) RETURNING id`;

export const PAUSE_OF = `SELECT 1 AS paused FROM nightshift_pause WHERE queue_id = ?`;
