/**
 * Ids of jobs: the day's bucket and the number, so that a lookup goes to one partition. Numbers may exceed what a
 * JavaScript number holds and stay text throughout.
 */

/** The parts of a job's id, as text for a statement. */
export interface JobKey {
  readonly bucket: string;
  readonly id: string;
}

const SHAPE = /^(\d{1,9})-(\d{1,18})$/;

export function jobId(bucket: string | number, id: string | number): string {
  return idPrefix(bucket) + id;
}

/** What the ids of a day's jobs begin with: made once for many, it is one string that they share. */
export function idPrefix(bucket: string | number): string {
  return `${bucket}-`;
}

/** The parts of an id; null for text that no job of this store has as its id. */
export function parseJobId(id: string): JobKey | null {
  const match = SHAPE.exec(id);
  return match ? { bucket: match[1] as string, id: match[2] as string } : null;
}
