/** Terms of leadership. */

export const CURRENT_TERM = `SELECT token, holder, expires_at, expires_tick, boot FROM nightshift_leader WHERE role = ?`;

/** The row stays when a term ends, so that the token goes on growing; when it is swept, the floor does that. */
export const BEGIN_TERM = `
  INSERT INTO nightshift_leader (role, token, holder, expires_at, expires_tick, boot)
  VALUES (?, 1 + coalesce((SELECT value FROM nightshift_counter WHERE name = 'term'), 0), ?, ?, ?, ?)
  ON CONFLICT (role) DO UPDATE SET token = token + 1, holder = excluded.holder, expires_at = excluded.expires_at,
    expires_tick = excluded.expires_tick, boot = excluded.boot
  RETURNING token`;

export const EXTEND_TERM = `
  UPDATE nightshift_leader SET expires_at = ?, expires_tick = ?, boot = ? WHERE role = ?`;

/** Times below every clock: over, on whichever counts. */
export const END_TERM = `
  UPDATE nightshift_leader SET expires_at = -1, expires_tick = -1 WHERE role = ? AND token = ?`;

export const ALL_TERMS = `
  SELECT role, token, holder, expires_at, expires_tick, boot FROM nightshift_leader ORDER BY role`;
