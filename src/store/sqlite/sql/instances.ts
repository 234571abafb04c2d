/** Processes and what they hold. */

export const INSERT_INSTANCE = `
  INSERT INTO nightshift_instance
    (name_id, host, pid, version, queues, names, concurrency, started_at,
     expires_at, expires_tick, boot, namespace, os_pid, os_started)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`;

export const LIFE_OF_INSTANCE = `SELECT expires_at, expires_tick, boot FROM nightshift_instance WHERE id = ?`;

export const NAME_OF_INSTANCE = `SELECT name_id FROM nightshift_instance WHERE id = ?`;

/** The only row that is updated regularly: one per process and heartbeat. */
export const EXTEND_INSTANCE = `
  UPDATE nightshift_instance SET expires_at = ?, expires_tick = ?, boot = ? WHERE id = ?`;

export const DELETE_INSTANCE = `DELETE FROM nightshift_instance WHERE id = ?`;

/** A handful of rows; who is over is decided outside, since that takes more than one clock. */
export const ALL_INSTANCES = `
  SELECT i.id, n.text AS name, i.name_id, i.host, i.pid, i.version, i.queues, i.names, i.concurrency, i.started_at,
    i.expires_at, i.expires_tick, i.boot, i.namespace, i.os_pid, i.os_started,
    (SELECT coalesce(sum(size), 0) FROM nightshift_lease AS l WHERE l.instance_id = i.id) AS running
  FROM nightshift_instance AS i JOIN nightshift_name AS n ON n.id = i.name_id
  ORDER BY i.id`;

export const LEASES_OF_INSTANCE = `
  SELECT id, queue_id, claimed_at, jobs FROM nightshift_lease WHERE instance_id = ? ORDER BY id LIMIT ?`;

/** Everything that runs anywhere: as many rows as batches are out, not as jobs run. */
export const ALL_LEASES = `
  SELECT l.id, l.queue_id, l.claimed_at, l.jobs, n.text AS name, i.host, i.pid, i.expires_at
  FROM nightshift_lease AS l
    JOIN nightshift_instance AS i ON i.id = l.instance_id
    JOIN nightshift_name AS n ON n.id = i.name_id`;
