/** What must hold in every store, in words; each database asks for it in its own way. */
import type { Finding, JobId } from "../contract.ts";

/** What is wrong, and how many times. */
export const INVARIANTS = {
  "job without body": "are waiting or running but have no body. They can never be run: restore a backup.",
  "job in two places": "are in more than one place (ready, parked, scheduled, running) and may run twice.",
  "job that is over and waits": "ended, and wait or run all the same. They may run again.",
  "job in no place": "are not over and in no place: nothing will ever run them.",
  "history without job": "have history but no body.",
  "lease without instance": "are leases of instances that are gone. The next rescue gives their jobs back.",
} as const;

export type Invariant = keyof typeof INVARIANTS;

/** What is told of a broken invariant; nothing when it holds. */
export function brokenInvariant(what: Invariant, count: number, examples: readonly JobId[]): Finding[] {
  if (count === 0) return [];
  const severity = what === "lease without instance" ? "warning" : "damage";
  const message = `${count} ${what === "lease without instance" ? "" : "jobs "}${INVARIANTS[what]} (${examples.join(", ")})`;
  return [{ what, severity, message, details: { count, examples } }];
}
