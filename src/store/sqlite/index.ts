/** `nightshift/sqlite`: a store in an SQLite file. */
export type { SqliteOptions } from "./options.ts";
export { sqlite } from "./sqlite-store.ts";
