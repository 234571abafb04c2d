/** Claiming and settling: what is the same on every store. */
import { NightshiftError, show } from "../../errors/index.ts";
import type { JobId, Outcome, Settlement, Want } from "../contract.ts";
import { checkName, checkText, checkWhole, LAST_INSTANT } from "./check.ts";

/** The most jobs that one claim may ask of one queue. */
export const LARGEST_CLAIM = 10_000;

/** Wants by queue: one lease per queue, however often it is named. */
export function mergeWants(wants: readonly Want[]): ReadonlyMap<string, number> {
  const merged = new Map<string, number>();
  for (const { queue, limit } of wants) {
    checkName(queue, "wants: queue");
    checkWhole(limit, "wants: limit", 0, LARGEST_CLAIM);
    if (limit > 0) merged.set(queue, Math.min(LARGEST_CLAIM, (merged.get(queue) ?? 0) + limit));
  }
  return merged;
}

/**
 * Whether outcomes under a lease that is gone had all been recorded under that very lease: then they are sent again
 * after an unknown commit, and are not refused. Released jobs leave no trace, so they count neither way.
 */
export function wasRecorded(outcomes: readonly Outcome[], recordedUnderLease: (job: JobId) => boolean): boolean {
  const traced = outcomes.filter(({ type }) => type !== "released");
  return traced.length > 0 && traced.every(({ job }) => recordedUnderLease(job));
}

/** Refuses outcomes whose text no database can keep, or whose numbers are none. */
export function checkSettlements(settlements: readonly Settlement[]): void {
  for (const { outcomes } of settlements) for (const outcome of outcomes) checkOutcome(outcome);
}

function checkOutcome(outcome: Outcome): void {
  const what = `outcome of job ${outcome.job}`;
  if (outcome.type === "released") return;
  if (!Number.isFinite(outcome.ms)) refuseNumber(`${what}: ms`, outcome.ms);
  if ("in" in outcome && !(outcome.in <= LAST_INSTANT)) refuseNumber(`${what}: in`, outcome.in);
  if ("error" in outcome) checkText(outcome.error, `${what}: error`);
  if ("reason" in outcome) checkText(outcome.reason, `${what}: reason`);
  if ("result" in outcome && outcome.result !== undefined) checkText(outcome.result, `${what}: result`);
}

function refuseNumber(what: string, value: number): never {
  throw new NightshiftError("NS_OPTION_INVALID", `${what} is ${show(value)}. Give milliseconds.`);
}
