/** The shop's own tables. They live in the same file as Nightshift's, so that one transaction can span both. */
import { DatabaseSync } from "node:sqlite";

const TABLES = `
  CREATE TABLE IF NOT EXISTS customer (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, signed_up_at INTEGER NOT NULL) STRICT;
  -- Written by the till, which knows nothing of jobs. OrderWatcher notices new rows.
  CREATE TABLE IF NOT EXISTS purchase (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer, cents INTEGER NOT NULL, bought_at INTEGER NOT NULL, noticed_at INTEGER) STRICT;
  CREATE INDEX IF NOT EXISTS purchase_new ON purchase (id) WHERE noticed_at IS NULL;
  CREATE TABLE IF NOT EXISTS login_session (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer, expires_at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS exchange_rate (currency TEXT PRIMARY KEY, rate REAL NOT NULL, pulled_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Opens a connection as every part of the shop does: durable, and patient with other writers. */
export function connect(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  return database;
}

/** Makes the shop's tables if they are not there. */
export function migrate(file: string): void {
  const database = connect(file);
  database.exec(TABLES);
  database.close();
}
