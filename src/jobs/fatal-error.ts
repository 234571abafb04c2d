/** What a handler, or anything it calls, throws to steer its job. */

/**
 * An error that no further attempt can cure: the job is `dead` at once, with this as its reason.
 *
 * @example
 * ```ts
 * import { FatalError, defineJob, unchecked } from "nightshift";
 *
 * export const charge = defineJob({
 *   name: "card.charge",
 *   input: unchecked<{ card: string }>(),
 *   run({ card }) {
 *     if (card === "") throw new FatalError("the card was removed");
 *   },
 * });
 * ```
 */
export class FatalError extends Error {
  override readonly name = "FatalError";
}

/** Thrown by `job.snooze()`; the worker knows it. */
export class Snooze extends Error {
  override readonly name = "Snooze";
  readonly delay: number;

  constructor(delay: number) {
    super(`The job asked to be run again in ${delay} ms. This is not an error; let it pass.`);
    this.delay = delay;
  }
}
