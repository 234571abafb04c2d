/** What all stores' claims keep to. */

/**
 * A batch ends with the job whose inputs bring it here, in bytes, so that a queue of large inputs does not fill a
 * worker's memory.
 */
export const MOST_BYTES = 16 * 1_024 * 1_024;
