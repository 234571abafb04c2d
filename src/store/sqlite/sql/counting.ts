/**
 * Counting jobs, a portion at a time: rows below a key, in falling order. Each takes its filters (twice each, null for
 * any), what it walks over, the key and how many rows.
 */

/** Looks at a bounded number of rows, of which it counts those that are wanted. */
const portion = (rows: string) =>
  `SELECT count(*) AS looked, coalesce(sum(wanted), 0) AS count, min(key) AS key FROM (${rows})`;

const isOfName = (alias: string) => `
  CASE WHEN ? IS NULL THEN 1 ELSE (SELECT j.name_id = ? FROM nightshift_job AS j WHERE j.id = ${alias}.job_id) END`;

/** Takes a name, the queue and the rank. Names are in the job's body, which is only read when one is asked for. */
export const READY_IN_LANE = portion(`
  SELECT r.job_id AS key, ${isOfName("r")} AS wanted FROM nightshift_ready AS r
  WHERE r.queue_id = ? AND r.rank = ? AND r.job_id < ? ORDER BY r.job_id DESC LIMIT ?`);

/** Takes a queue, and the name. */
export const PARKED_OF_NAME = portion(`
  SELECT job_id AS key, (? IS NULL OR queue_id = ?) AS wanted FROM nightshift_parked
  WHERE name_id = ? AND job_id < ? ORDER BY job_id DESC LIMIT ?`);

/** Takes a queue and a name. */
export const SCHEDULED = portion(`
  SELECT w.job_id AS key, (? IS NULL OR w.queue_id = ?) AND ${isOfName("w")} AS wanted FROM nightshift_scheduled AS w
  WHERE w.job_id < ? ORDER BY w.job_id DESC LIMIT ?`);

/** A line of history counts only as its job's last one: the job may have been made ready again. */
const isWantedLine = `(? IS NULL OR f.queue_id = ?) AND (? IS NULL OR f.name_id = ?)
    AND NOT EXISTS (SELECT 1 FROM nightshift_finished AS later WHERE later.job_id = f.job_id AND later.id > f.id)`;

/** Takes a queue and a name. Most lines are successes, which have no index of their own. */
export const SUCCEEDED = portion(`
  SELECT f.id AS key, f.what = 's' AND ${isWantedLine} AS wanted FROM nightshift_finished AS f
  WHERE f.id < ? ORDER BY f.id DESC LIMIT ?`);

/** Takes a queue, a name and the letter. "what <> 's'" is said again, or the partial index is not used. */
export const BAD = portion(`
  SELECT f.id AS key, ${isWantedLine} AS wanted FROM nightshift_finished AS f
  WHERE f.what = ? AND f.what <> 's' AND f.id < ? ORDER BY f.id DESC LIMIT ?`);
