/** What people and dashboards ask. Read on a connection of its own, which waits for no writer. */

/** Grouped in the order of the primary key: one walk over a narrow table. */
export const READY_BY_QUEUE = `SELECT queue_id, count(*) AS count FROM nightshift_ready GROUP BY queue_id`;

export const PARKED_BY_QUEUE = `
  SELECT queue_id, count(*) AS count, min(job_id) AS first FROM nightshift_parked GROUP BY queue_id`;

export const SCHEDULED_BY_QUEUE = `SELECT queue_id, count(*) AS count FROM nightshift_scheduled GROUP BY queue_id`;

export const RUNNING_BY_QUEUE = `SELECT queue_id, sum(size) AS count FROM nightshift_lease GROUP BY queue_id`;

export const PAUSES = `SELECT queue_id, reason, since FROM nightshift_pause`;

/** The lanes (priorities) of a queue by skipping from one to the next, each with its first job. Takes the queue three times. */
export const LANES = `
  WITH RECURSIVE lane (rank) AS (
    SELECT min(rank) FROM nightshift_ready WHERE queue_id = ?
    UNION ALL
    SELECT (SELECT min(rank) FROM nightshift_ready WHERE queue_id = ? AND rank > lane.rank)
    FROM lane WHERE rank IS NOT NULL
  )
  SELECT rank, (SELECT min(job_id) FROM nightshift_ready WHERE queue_id = ? AND rank = lane.rank) AS first
  FROM lane WHERE rank IS NOT NULL`;

/** Queues with ready jobs, by skipping too. */
export const READY_QUEUES = `
  WITH RECURSIVE each_queue (id) AS (
    SELECT min(queue_id) FROM nightshift_ready
    UNION ALL
    SELECT (SELECT min(queue_id) FROM nightshift_ready WHERE queue_id > each_queue.id)
    FROM each_queue WHERE id IS NOT NULL
  )
  SELECT id FROM each_queue WHERE id IS NOT NULL`;

export const CREATED_AT = `SELECT created_at FROM nightshift_job WHERE id = ?`;

export const LANE_DESCENDING = `
  SELECT job_id AS key, job_id, attempt FROM nightshift_ready
  WHERE queue_id = ? AND rank = ? AND job_id < ? ORDER BY job_id DESC LIMIT ?`;

export const PARKED_DESCENDING = `
  SELECT job_id AS key, job_id, attempt FROM nightshift_parked
  WHERE name_id = ? AND job_id < ? ORDER BY job_id DESC LIMIT ?`;

export const SCHEDULED_DESCENDING = `
  SELECT job_id AS key, job_id, attempt, run_at AS at FROM nightshift_scheduled
  WHERE job_id < ? ORDER BY job_id DESC LIMIT ?`;

export const SUCCEEDED_DESCENDING = `
  SELECT id AS key, job_id, attempt, at, what FROM nightshift_finished WHERE id < ? ORDER BY id DESC LIMIT ?`;

/** "what <> 's'" is said again, or the partial index is not used. */
export const BAD_DESCENDING = `
  SELECT id AS key, job_id, attempt, at, what FROM nightshift_finished
  WHERE what = ? AND what <> 's' AND id < ? ORDER BY id DESC LIMIT ?`;

export const LAST_ERROR = `
  SELECT error FROM nightshift_finished
  WHERE job_id = ? AND error IS NOT NULL AND what <> 'c' ORDER BY id DESC LIMIT 1`;

export const HISTORY = `
  SELECT f.at, f.attempt, f.what, f.ms, f.error, n.text AS instance
  FROM nightshift_finished AS f LEFT JOIN nightshift_name AS n ON n.id = f.instance
  WHERE f.job_id = ? ORDER BY f.id`;
