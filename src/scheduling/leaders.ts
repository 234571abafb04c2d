/** Who leads what, as people are told: what is known of it must never keep them from the rest. */
import { NightshiftError } from "../errors/index.ts";
import type { Store } from "../store/contract.ts";
import { rest } from "../time/clock.ts";
import type { Clock } from "../time/index.ts";
import { isVersionRole } from "./declarations.ts";

/** A role, and who holds it. Its token stays here: with it, anybody could end the term. */
export interface Leader {
  readonly role: string;
  readonly holder: string;
}

/** How long people wait for who leads, in milliseconds. */
const PATIENCE = 2_000;

/**
 * Who leads; null when it cannot be asked. Of several databases one keeps it: when that one is away or says nothing,
 * everything else is worth telling without it.
 */
export async function leadersOf(store: Store, clock: Clock): Promise<readonly Leader[] | null> {
  const enough = new AbortController();
  try {
    const terms = await Promise.race([store.leaders(), rest(clock, PATIENCE, enough.signal)]);
    if (terms === undefined) return null;
    // A version that lives is a role of its own, which nobody competes for.
    return terms.filter(({ role }) => !isVersionRole(role)).map(({ role, holder }) => ({ role, holder }));
  } catch (error) {
    if (error instanceof NightshiftError && error.code === "NS_STORE_UNAVAILABLE") return null;
    throw error;
  } finally {
    enough.abort();
  }
}
