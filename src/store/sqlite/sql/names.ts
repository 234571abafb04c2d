/** Interned names: hot rows carry a small number in place of text. */

export const FIND_NAME = `SELECT id FROM nightshift_name WHERE text = ?`;

export const NAME_OF = `SELECT text FROM nightshift_name WHERE id = ?`;

/** No "on conflict": the caller holds the write lock and has just looked. */
export const INSERT_NAME = `INSERT INTO nightshift_name (text) VALUES (?) RETURNING id`;
