/** Roll-ups: one or two small updates per commit, however many jobs it finished. */

export const ADD_TO_ROLLUP = `
  INSERT INTO nightshift_rollup (minute, what, count) VALUES (?, ?, ?)
  ON CONFLICT (minute, what) DO UPDATE SET count = count + excluded.count`;

/** All-time totals beside the minutes, so that nobody sums up years of minutes. */
export const ADD_TO_TOTAL = `
  INSERT INTO nightshift_total (what, count) VALUES (?, ?)
  ON CONFLICT (what) DO UPDATE SET count = count + excluded.count`;

export const TOTALS = `SELECT what, count FROM nightshift_total`;

export const ROLLUP_BETWEEN = `SELECT minute, what, count FROM nightshift_rollup WHERE minute >= ? AND minute < ?`;
