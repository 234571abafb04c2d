/** The contract, part 5: who leads. A role is held by one process at a time, by a lease that must be renewed. */

/** A term of leadership. */
export interface Term {
  readonly role: string;
  /** The fencing token: grows with every change of leader, never re-used. */
  readonly token: string;
  readonly holder: string;
  /** How long it holds from the moment the call was *made*, in milliseconds: count on the monotonic clock, from before the call. */
  readonly ttl: number;
}

/** Leadership by lease. */
export interface Leadership {
  /** Takes the role if it is free or its lease has run out; null while another holds it. The holder renews by the token instead. */
  campaign(role: string, holder: string, ttl: number): Promise<Term | null>;
  /** Holds the role for another `ttl` milliseconds; false when the term is over. */
  renew(role: string, token: string, ttl: number): Promise<boolean>;
  /** Gives the role up at once. Harmless when the term is over. */
  resign(role: string, token: string): Promise<void>;
  /** Who leads what, for people. Terms that have run out are left out. */
  leaders(): Promise<readonly { readonly role: string; readonly holder: string; readonly token: string }[]>;
}
