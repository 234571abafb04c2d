/** The schema about itself, and who uses it. */

/** What is named like ours. ESCAPE, because an underscore matches anything. */
export const OUR_OBJECTS = `
  SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name LIKE 'nightshift\\_%' ESCAPE '\\'`;

/** Also our signature: a table of this name with another definition is somebody else's. */
export const CREATE_MIGRATION_TABLE = `CREATE TABLE nightshift_migration (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  compatible_from INTEGER NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT`;

export const APPLIED_MIGRATIONS = `SELECT version, name, compatible_from FROM nightshift_migration ORDER BY version`;

export const INSERT_MIGRATION = `
  INSERT INTO nightshift_migration (version, name, compatible_from, applied_at) VALUES (?, ?, ?, ?)`;

export const ALL_PROCESSES = `SELECT boot, namespace, pid, started, store, engine FROM nightshift_process`;

export const INSERT_PROCESS = `
  INSERT OR REPLACE INTO nightshift_process (boot, namespace, pid, started, store, engine, opened_at)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;

export const DELETE_PROCESS = `
  DELETE FROM nightshift_process WHERE boot = ? AND namespace = ? AND pid = ? AND started = ? AND store = ?`;

/** Changes with each commit of another connection, and with none of one's own. */
export const DATA_VERSION = `PRAGMA data_version`;

/** A row if more than one store has the file open. Those that died without a word count until somebody opens it. */
export const SEVERAL_PROCESSES = `SELECT 1 FROM nightshift_process LIMIT 1 OFFSET 1`;
