/**
 * Triggers for declarations: what is wrong with them is told by `build()`, together with everything else, in place of
 * where they are written (which is often while modules load). `nightshift/time` has the ones that throw at once.
 */
import { NightshiftError } from "../errors/index.ts";
import {
  cron as strictCron,
  interval as strictInterval,
  once as strictOnce,
  type Trigger,
  type TriggerJSON,
} from "../time/index.ts";

/** As `cron()` of `nightshift/time`, but a mistake is told by `build()`, or by whoever uses the trigger first. */
export const cron: typeof strictCron = lenient(strictCron);
/** As `interval()` of `nightshift/time`, but a mistake is told by `build()`, or by whoever uses the trigger first. */
export const interval: typeof strictInterval = lenient(strictInterval);
/** As `once()` of `nightshift/time`, but a mistake is told by `build()`, or by whoever uses the trigger first. */
export const once: typeof strictOnce = lenient(strictOnce);

function lenient<F extends (...given: never[]) => Trigger>(make: F): F {
  const made = (...given: never[]): Trigger => {
    try {
      return make(...given);
    } catch (error) {
      if (error instanceof NightshiftError) return new MistakenTrigger(error);
      throw error;
    }
  };
  return made as F;
}

/** Stands where a trigger should, and says what is wrong as soon as anybody asks it anything. */
class MistakenTrigger implements Trigger {
  readonly #mistake: NightshiftError;

  constructor(mistake: NightshiftError) {
    this.#mistake = mistake;
  }

  next(): never {
    throw this.#mistake;
  }

  previous(): never {
    throw this.#mistake;
  }

  upcoming(): never {
    throw this.#mistake;
  }

  describe(): string {
    throw this.#mistake;
  }

  toString(): string {
    return `(${this.#mistake.message})`;
  }

  toJSON(): TriggerJSON {
    throw this.#mistake;
  }
}
