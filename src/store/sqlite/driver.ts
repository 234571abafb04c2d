/**
 * `node:sqlite`, asked for at run time: a static import of a module that an older Node.js lacks would fail before the
 * guard in the cellar can say so in one sentence.
 */
import "../../errors/index.ts";

export const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
export type DatabaseSync = InstanceType<typeof DatabaseSync>;
