/** Sweeping, in slices, along keys. */

export const SWEEP_ROLLUP = `
  DELETE FROM nightshift_rollup WHERE (minute, what) IN (
    SELECT minute, what FROM nightshift_rollup WHERE minute < ? ORDER BY minute LIMIT ?
  ) RETURNING minute`;

export const SWEEP_IMPORTED = `
  DELETE FROM nightshift_imported WHERE (source, source_job) IN (
    SELECT source, source_job FROM nightshift_imported WHERE at < ? ORDER BY at LIMIT ?
  ) RETURNING job_id`;

/** Before terms go: their tokens must not be given out again. */
export const RAISE_TERM_FLOOR = `
  INSERT INTO nightshift_counter (name, value)
  SELECT 'term', coalesce(max(token), 0) FROM nightshift_leader WHERE true
  ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`;

/** Over on both clocks. A handful of rows. */
export const SWEEP_LEADERS = `
  DELETE FROM nightshift_leader WHERE role IN (
    SELECT role FROM nightshift_leader WHERE expires_at < ? AND expires_tick < ? LIMIT ?
  ) RETURNING role`;
