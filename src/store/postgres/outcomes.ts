/** Settlements as arrays for the settling statement. */
import type { Outcome, Settlement } from "../contract.ts";
import { numbers, texts } from "./arrays.ts";
import { parseJobId } from "./job-id.ts";

const CODES = { succeeded: "S", retry: "R", dead: "D", cancelled: "C", snoozed: "Z", released: "B" } as const;
const LONGEST_MS = 2_147_483_647;
/** What a lease of this store can be called. */
export const LEASE_SHAPE = /^\d{1,19}$/;

/** Leases, the ends of their outcomes, and the outcomes' columns; or none when there is nothing that could be settled. */
export interface Encoded {
  readonly values: readonly unknown[];
  /** Leases that no database can know. */
  readonly refused: readonly string[];
}

/** The arguments of a statement that settles nothing. */
export const NOTHING: readonly null[] = [null, null, null, null, null, null, null];

export function encodeSettlements(settlements: readonly Settlement[]): Encoded {
  const leases: string[] = [];
  const ends: number[] = [];
  const jobs: string[] = [];
  const states: string[] = [];
  const ms: (number | null)[] = [];
  const waits: (number | null)[] = [];
  const details: (string | null)[] = [];
  const refused: string[] = [];
  let allWell = true;
  let anyWait = false;
  let anyDetail = false;
  for (const { lease, outcomes } of settlements) {
    if (!LEASE_SHAPE.test(lease)) {
      refused.push(lease);
      continue;
    }
    const seen = new Set<string>();
    for (const outcome of outcomes) {
      const key = parseJobId(outcome.job);
      // A job named twice is settled by its first outcome.
      if (key === null || seen.has(key.id)) continue;
      seen.add(key.id);
      jobs.push(key.id);
      states.push(CODES[outcome.type]);
      allWell &&= outcome.type === "succeeded";
      ms.push(outcome.type === "released" ? null : Math.max(0, Math.min(LONGEST_MS, Math.round(outcome.ms))));
      const wait = "in" in outcome ? Math.ceil(outcome.in) : null;
      const detail = detailOf(outcome);
      anyWait ||= wait !== null;
      anyDetail ||= detail !== null;
      waits.push(wait);
      details.push(detail);
    }
    leases.push(lease);
    ends.push(jobs.length);
  }
  if (leases.length === 0) return { values: NOTHING, refused };
  const values = [
    numbers(leases),
    numbers(ends),
    numbers(jobs),
    allWell ? null : `{${states.join(",")}}`,
    numbers(ms),
    anyWait ? numbers(waits) : null,
    anyDetail ? texts(details) : null,
  ];
  return { values, refused };
}

function detailOf(outcome: Outcome): string | null {
  switch (outcome.type) {
    case "succeeded":
      return outcome.result ?? null;
    case "retry":
    case "dead":
      return outcome.error;
    case "cancelled":
      return outcome.reason;
    default:
      return null;
  }
}
