/** Beginning and ending transactions: prepared like everything else, since they run with every commit. */

/** The write lock from the start: a transaction that reads first and writes later may find that it cannot. */
export const BEGIN = `BEGIN IMMEDIATE`;
/** Several reads of one moment. */
export const BEGIN_READING = `BEGIN`;
/** Read as far as its first row, it goes on reading one moment. */
export const READ_ON = `SELECT 1 FROM nightshift_counter UNION ALL SELECT 1 UNION ALL SELECT 1`;
export const COMMIT = `COMMIT`;
export const ROLLBACK = `ROLLBACK`;

/** One caller's part of a transaction that is shared. */
export const SAVEPOINT = `SAVEPOINT nightshift_one`;
export const ROLLBACK_TO_SAVEPOINT = `ROLLBACK TO nightshift_one`;
export const RELEASE = `RELEASE nightshift_one`;
