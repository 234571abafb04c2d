/**
 * Collects what is wrong with an application's declarations, so that one error can list it all. Rooms check their own
 * options with it when they are declared; `build()` throws what has been collected.
 */
import type { ErrorCode } from "./catalogue.ts";
import { NightshiftError } from "./nightshift-error.ts";
import { show } from "./show.ts";
import { nearestOrAll } from "./suggest.ts";

/** A list of problems that grows while declarations are checked. */
export class Problems {
  readonly #found: NightshiftError[] = [];

  /** The problems so far, in the order found. */
  get found(): readonly NightshiftError[] {
    return this.#found;
  }

  /** Adds a problem. */
  add(code: ErrorCode, message: string, details?: Readonly<Record<string, unknown>>): void {
    this.#found.push(new NightshiftError(code, message, details ? { details } : {}));
  }

  /** Runs a check that throws; a {@link NightshiftError} becomes a problem (its parts, if it is itself a list), and `undefined` is returned. */
  attempt<T>(check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof NightshiftError)) throw error;
      this.#found.push(...(error.code === "NS_BUILD_INVALID" ? problemsOf(error) : [error]));
      return undefined;
    }
  }

  /**
   * Adds a problem for each key of `options` that is not in `known`, with the nearest known one, or all of them where none is near.
   *
   * @param elsewhere names that have been dealt with already, or are of another form: what may be meant as well
   */
  unknownOptions(what: string, options: object, known: readonly string[], elsewhere: readonly string[] = []): void {
    for (const key of Object.keys(options)) {
      if (known.includes(key)) continue;
      const near = nearestOrAll(key, known, elsewhere);
      this.add("NS_OPTION_UNKNOWN", `${what} has no option ${show(key)}.${near}`, { option: key });
    }
  }

  /** Throws one error that lists everything found; returns when there is nothing. A single problem is thrown as it is. */
  throwIfAny(what: string): void {
    const [first] = this.#found;
    if (first === undefined) return;
    if (this.#found.length === 1) throw first;
    const list = this.#found.map((problem, index) => `  ${index + 1}. ${problem.message}`).join("\n");
    // For programs only: whoever prints the error has them in its message, and need not see the stack of each as well.
    const details = Object.defineProperty({}, "problems", { value: [...this.#found] });
    throw new NightshiftError("NS_BUILD_INVALID", `${what} has ${this.#found.length} problems:\n${list}`, { details });
  }
}

/** The single problems inside an `NS_BUILD_INVALID` error; any other error is its own only problem. */
export function problemsOf(error: NightshiftError): readonly NightshiftError[] {
  const { problems } = error.details;
  return Array.isArray(problems) ? (problems as readonly NightshiftError[]) : [error];
}
