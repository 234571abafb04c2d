/** Schedules, their occurrences, calendars. */

const COLUMNS = `id, group_name, source, job, definition, next_at, paused, revision, created_at, updated_at, last_at, last_job`;

/** One sequence for all schedules, so that a revision never comes back, not even for an id that was removed and made anew. */
export const NEXT_REVISION = `
  INSERT INTO nightshift_counter (name, value) VALUES ('revision', 1)
  ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value`;

export const GET_SCHEDULE = `SELECT ${COLUMNS} FROM nightshift_schedule WHERE id = ?`;

export const PUT_SCHEDULE = `
  INSERT INTO nightshift_schedule (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET group_name = excluded.group_name, source = excluded.source, job = excluded.job,
    definition = excluded.definition, next_at = excluded.next_at, paused = excluded.paused,
    revision = excluded.revision, updated_at = max(updated_at, excluded.updated_at), last_at = excluded.last_at,
    last_job = excluded.last_job
  RETURNING ${COLUMNS}`;

/** Each filter counts only when it is given. The order is that of the primary key. */
export const LIST_SCHEDULES = `
  SELECT ${COLUMNS} FROM nightshift_schedule
  WHERE id > ? AND (? IS NULL OR group_name = ?) AND (? IS NULL OR job = ?) AND (? IS NULL OR paused = ?)
    AND (? IS NULL OR source = ?)
  ORDER BY id LIMIT ?`;

/** The same within one group. The conditions on its name are those of the partial index: schedules without a group are not in it. */
export const LIST_GROUP = `
  SELECT ${COLUMNS} FROM nightshift_schedule
  WHERE group_name = ? AND group_name <> '' AND id > ? AND (? IS NULL OR job = ?) AND (? IS NULL OR paused = ?)
    AND (? IS NULL OR source = ?)
  ORDER BY id LIMIT ?`;

/** Counted whole: it is asked by people, and seldom. */
export const SCHEDULE_GROUPS = `
  SELECT group_name AS "group", count(*) AS schedules, sum(paused) AS paused FROM nightshift_schedule GROUP BY group_name`;

export const DELETE_SCHEDULE = `
  DELETE FROM nightshift_schedule WHERE id = ? AND (? IS NULL OR revision = ?) RETURNING id`;

export const DELETE_OCCURRENCES_OF = `DELETE FROM nightshift_occurrence WHERE schedule = ?`;

/** The conditions on paused and next_at are those of the partial index, word for word, or it is not used. */
export const DUE_SCHEDULES = `
  SELECT ${COLUMNS} FROM nightshift_schedule
  WHERE paused = 0 AND next_at IS NOT NULL AND next_at <= ? ORDER BY next_at, id LIMIT ?`;

export const NEXT_SCHEDULE = `
  SELECT next_at FROM nightshift_schedule
  WHERE paused = 0 AND next_at IS NOT NULL AND next_at > ? ORDER BY next_at LIMIT 1`;

export const OCCURRENCE_EXISTS = `SELECT 1 FROM nightshift_occurrence WHERE schedule = ? AND at = ?`;

export const INSERT_OCCURRENCE = `
  INSERT INTO nightshift_occurrence (schedule, at, what, reason, job_id, fired_at, fired_by)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;

export const LIST_OCCURRENCES = `
  SELECT schedule, at, what, reason, job_id, fired_at, fired_by FROM nightshift_occurrence
  WHERE schedule = ? AND at < ? ORDER BY at DESC LIMIT ?`;

export const PRUNE_OCCURRENCES = `
  DELETE FROM nightshift_occurrence WHERE (schedule, at) IN (
    SELECT schedule, at FROM nightshift_occurrence WHERE at < ? ORDER BY at LIMIT ?
  ) RETURNING at`;

export const PUT_CALENDAR = `
  INSERT INTO nightshift_calendar (name, definition) VALUES (?, ?)
  ON CONFLICT (name) DO UPDATE SET definition = excluded.definition`;

export const DELETE_CALENDAR = `DELETE FROM nightshift_calendar WHERE name = ? RETURNING name`;

export const LIST_CALENDARS = `SELECT name, definition FROM nightshift_calendar ORDER BY name`;
