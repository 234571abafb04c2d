/** The contract, part 9: how the store itself is. */

/** Something that is not as it should be. */
export interface Finding {
  /** A stable word for programs: `held snapshot`, `dead rows`, `large log`, `job in two places`. */
  readonly what: string;
  /** `warning`: it works, and will work worse. `damage`: what the store relies on does not hold. */
  readonly severity: "warning" | "damage";
  /** A sentence for people: what was found, what it means, what to do. */
  readonly message: string;
  /** Figures and names, safe to log. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What {@link Condition.verify} looked at and found. */
export interface Verification {
  readonly jobs: number;
  readonly findings: readonly Finding[];
}

/** Asking a store how it is. */
export interface Condition {
  /** What makes the store slower than it should be, or will: cheap enough for every minute. */
  findings(): Promise<readonly Finding[]>;
  /**
   * Looks through all of it: that every job that is not over is in exactly one place, that nothing is about jobs that do
   * not exist, that every lease has its instance, and what the database itself can check. Costs a walk over everything.
   */
  verify(): Promise<Verification>;
}
