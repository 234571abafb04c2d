/** Settlements as arrays for the settling statement. */
import type { Outcome, Settlement } from "../contract.ts";
import { numbers, texts } from "./arrays.ts";
import type { HeldLease } from "./held.ts";
import { parseJobId } from "./job-id.ts";
import type { Value } from "./question.ts";

const CODES = { succeeded: "S", retry: "R", dead: "D", cancelled: "C", snoozed: "Z", released: "B" } as const;
const LONGEST_MS = 2_147_483_647;
/** What a lease of this store can be called. */
export const LEASE_SHAPE = /^\d{1,19}$/;

/** Leases, the ends of their outcomes, and the outcomes' columns; or none when there is nothing that could be settled. */
export interface Encoded {
  readonly values: readonly Value[];
  /** Leases that no database can know. */
  readonly refused: readonly string[];
}

/** The arguments of a statement that settles nothing. */
export const NOTHING: readonly null[] = [null, null, null, null, null, null, null];

/** @param heldAs what is remembered of a lease */
export function encodeSettlements(
  settlements: readonly Settlement[],
  heldAs: (lease: string) => HeldLease | undefined,
): Encoded {
  // In one order everywhere: two settlements under way lock leases that both name one after the other.
  const ordered = inOrderOfLeases(settlements);
  return allWhole(ordered, heldAs) ?? oneByOne(ordered);
}

/** Batches that are settled whole and well, each as it came: what throughput is made of. Null where one is not. */
function allWhole(
  settlements: readonly Settlement[],
  heldAs: (lease: string) => HeldLease | undefined,
): Encoded | null {
  const leases: string[] = [];
  const ends: number[] = [];
  const jobs: string[] = [];
  const ms: (number | null)[] = [];
  for (const { lease, outcomes } of settlements) {
    const held = heldAs(lease);
    if (!held?.numbers || !isAllWell(outcomes, held)) return null;
    leases.push(lease);
    jobs.push(held.numbers);
    // By index: this runs too seldom to be compiled well, and an iterator makes an object for each step until then.
    for (let index = 0; index < outcomes.length; index++) ms.push(wholeMs(outcomes[index] as Outcome));
    ends.push(ms.length);
  }
  if (leases.length === 0) return null;
  return { values: [numbers(leases), numbers(ends), numbers(jobs), null, numbers(ms), null, null], refused: [] };
}

function oneByOne(settlements: readonly Settlement[]): Encoded {
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
  let count = 0;
  for (const { lease, outcomes } of settlements) {
    if (!LEASE_SHAPE.test(lease)) {
      refused.push(lease);
      continue;
    }
    leases.push(lease);
    const seen = new Set<string>();
    for (const outcome of outcomes) {
      const key = parseJobId(outcome.job);
      // A job named twice is settled by its first outcome.
      if (key === null || seen.has(key.id)) continue;
      seen.add(key.id);
      jobs.push(key.id);
      states.push(CODES[outcome.type]);
      allWell &&= outcome.type === "succeeded";
      ms.push(wholeMs(outcome));
      const wait = "in" in outcome ? Math.ceil(outcome.in) : null;
      const detail = detailOf(outcome);
      anyWait ||= wait !== null;
      anyDetail ||= detail !== null;
      waits.push(wait);
      details.push(detail);
    }
    ends.push((count += seen.size));
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

/** The whole batch, in the order in which it came, and nothing to say of any. */
function isAllWell(outcomes: readonly Outcome[], held: HeldLease): boolean {
  if (outcomes.length !== held.jobs.length) return false;
  for (let index = 0; index < outcomes.length; index++) {
    const outcome = outcomes[index] as Outcome;
    if (outcome.type !== "succeeded" || outcome.result !== undefined || outcome.job !== held.jobs[index]) return false;
  }
  return true;
}

function inOrderOfLeases(settlements: readonly Settlement[]): readonly Settlement[] {
  if (settlements.length < 2) return settlements;
  return settlements.toSorted((a, b) => a.lease.length - b.lease.length || (a.lease < b.lease ? -1 : 1));
}

function wholeMs(outcome: Outcome): number | null {
  return outcome.type === "released" ? null : Math.max(0, Math.min(LONGEST_MS, Math.round(outcome.ms)));
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
