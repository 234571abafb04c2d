/** Settling: history is appended, the lease goes with its last job. */

/** The guard of every settlement: no row means that the lease is no longer this instance's. */
export const HELD_LEASE = `
  SELECT l.queue_id, l.jobs, i.name_id AS instance
  FROM nightshift_lease AS l JOIN nightshift_instance AS i ON i.id = l.instance_id
  WHERE l.id = ? AND l.instance_id = ?`;

export const INSERT_FINISHED = `
  INSERT INTO nightshift_finished (at, job_id, lease_id, queue_id, name_id, instance, attempt, what, ms, error, result)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const DELETE_LEASE = `DELETE FROM nightshift_lease WHERE id = ?`;

/** A lease settled in parts keeps what is left. The only update of a row on the way of a job, one per part and not per job. */
export const SHRINK_LEASE = `UPDATE nightshift_lease SET size = ?, jobs = ? WHERE id = ?`;

export const JOB_RANK = `SELECT -priority AS rank FROM nightshift_job WHERE id = ?`;

export const RECORDED_UNDER = `
  SELECT 1 FROM nightshift_finished WHERE job_id = ? AND lease_id = ? AND what <> 'l' LIMIT 1`;
