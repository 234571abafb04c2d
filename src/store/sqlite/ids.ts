/** Ids: whole numbers in the file, text outside. */

/** The number in an id; null for text that is no id of this store, which then simply does not exist. */
export function parseId(id: string): number | null {
  return /^[1-9]\d{0,15}$/.test(id) ? Number(id) : null;
}
