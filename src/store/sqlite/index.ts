/** `nightshift/sqlite`: a store in an SQLite file. */
export { type Backup, backupSqlite } from "./backup.ts";
export type { SqliteOptions } from "./options.ts";
export { sqlite } from "./sqlite-store.ts";
