/**
 * Ids of jobs: the day's bucket and the number, so that a lookup goes to one partition. Numbers may exceed what a
 * JavaScript number holds and stay text throughout.
 */
import { TAILS } from "../shared/tails.ts";

/** The parts of a job's id, as text for a statement. */
export interface JobKey {
  readonly bucket: string;
  readonly id: string;
}

const ZERO = "0".charCodeAt(0);
/** As they are written, without zeros before them: a job has one id. Nine and eighteen digits fit whatever they are. */
const SHAPE = /^(0|[1-9]\d{0,8})-(0|[1-9]\d{0,17})$/;

export function jobId(bucket: string | number, id: string | number): string {
  return idPrefix(bucket) + id;
}

/** What the ids of a day's jobs begin with: made once for many, it is one string that they share. */
export function idPrefix(bucket: string | number): string {
  return `${bucket}-`;
}

/**
 * Makes ids of numbers that follow each other, which share all of their text but the last three digits: a worker holds some
 * thousand of them, and they count as alive in each collection of young objects.
 */
export class Consecutive {
  #prefix = "";
  #thousands = "";
  #beginning = "";

  of(prefix: string, number: string): string {
    const at = number.length - 3;
    if (at <= 0) return prefix + number;
    if (this.#thousands.length !== at || prefix !== this.#prefix || !number.startsWith(this.#thousands)) {
      this.#prefix = prefix;
      this.#thousands = number.slice(0, at);
      this.#beginning = prefix + this.#thousands;
    }
    // Digit by digit: a piece of text made only to be read as a number would cost more than the rest.
    const tail = number.charCodeAt(at) * 100 + number.charCodeAt(at + 1) * 10 + number.charCodeAt(at + 2);
    return this.#beginning + (TAILS[tail - 111 * ZERO] as string);
  }
}

/** The parts of an id; null for text that no job of this store has as its id. */
export function parseJobId(id: string): JobKey | null {
  const match = SHAPE.exec(id);
  return match ? { bucket: match[1] as string, id: match[2] as string } : null;
}
