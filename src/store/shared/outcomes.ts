/** What an attempt's end means for its job: the rules of retries, cancellation and lost workers, the same on every store. */
import type { HistoryEntry, Outcome } from "../contract.ts";

/** Where a job goes after an attempt. `attempt` counts the attempts begun that still count. */
export type Next =
  | { readonly to: "final"; readonly attempt: number }
  | { readonly to: "ready"; readonly attempt: number }
  | { readonly to: "scheduled"; readonly attempt: number; readonly at: number };

/** One line of history to be written. */
export interface NewHistory {
  readonly what: HistoryEntry["what"];
  readonly attempt: number;
  readonly ms: number | null;
  readonly error: string | null;
  readonly result: string | null;
}

/** The end of an attempt: what to write, and where the job goes. */
export interface Ending {
  readonly history: readonly NewHistory[];
  readonly next: Next;
}

/**
 * What a settled outcome means.
 *
 * @param attempt the attempt that ended
 * @param cancelled the reason, if somebody asked for the job's cancellation
 */
export function endOfAttempt(outcome: Outcome, attempt: number, cancelled: string | null, now: number): Ending {
  switch (outcome.type) {
    case "succeeded":
      return final("succeeded", attempt, outcome.ms, null, outcome.result ?? null);
    case "dead":
      return final("dead", attempt, outcome.ms, outcome.error, null);
    case "cancelled":
      return final("cancelled", attempt, outcome.ms, outcome.reason, null);
    case "released":
      if (cancelled !== null) return final("cancelled", attempt, null, cancelled, null);
      return { history: [], next: { to: "ready", attempt: attempt - 1 } };
    case "retry":
      if (cancelled !== null) return final("cancelled", attempt, outcome.ms, cancelled, null);
      return {
        history: [{ what: "retry", attempt, ms: outcome.ms, error: outcome.error, result: null }],
        next: after(outcome.in, attempt, now),
      };
    case "snoozed":
      if (cancelled !== null) return final("cancelled", attempt, outcome.ms, cancelled, null);
      return {
        history: [{ what: "snoozed", attempt, ms: outcome.ms, error: null, result: null }],
        next: after(outcome.in, attempt - 1, now),
      };
  }
}

function final(
  what: NewHistory["what"],
  attempt: number,
  ms: number | null,
  error: string | null,
  result: string | null,
): Ending {
  return { history: [{ what, attempt, ms, error, result }], next: { to: "final", attempt } };
}

function after(wait: number, attempt: number, now: number): Next {
  return wait > 0 ? { to: "scheduled", attempt, at: Math.ceil(now + wait) } : { to: "ready", attempt };
}

/** What is known of a job whose worker vanished. */
export interface Loss {
  readonly attempt: number;
  readonly maxAttempts: number;
  /** How often it lost its worker, this time included. */
  readonly crashes: number;
  readonly maxCrashes: number;
  /** The reason, if somebody asked for its cancellation. */
  readonly cancelled: string | null;
  /** The name of the instance that vanished. */
  readonly instance: string;
}

/** What the loss of a worker means for a job that it held. */
export function endOfLostAttempt(loss: Loss): Ending & { readonly now: "ready" | "dead" | "cancelled" } {
  const { attempt, cancelled } = loss;
  const lost: NewHistory = { what: "lost", attempt, ms: null, error: null, result: null };
  const final = { to: "final", attempt } as const;
  if (cancelled !== null) {
    return { history: [lost, { ...lost, what: "cancelled", error: cancelled }], next: final, now: "cancelled" };
  }
  const spent = loss.crashes >= loss.maxCrashes || attempt >= loss.maxAttempts;
  if (!spent) return { history: [lost], next: { to: "ready", attempt }, now: "ready" };
  return { history: [lost, { ...lost, what: "dead", error: workerLost(loss) }], next: final, now: "dead" };
}

/** Whether an attempt whose worker vanished is made again, which counts as one that was retried; one that spends the job does not. */
export function isRetriedLoss({ history, next }: Ending): boolean {
  return next.to !== "final" && history[0]?.what === "lost";
}

function workerLost(loss: Loss): string {
  const count =
    loss.crashes >= loss.maxCrashes
      ? `crash ${loss.crashes} of ${loss.maxCrashes}`
      : `attempt ${loss.attempt} of ${loss.maxAttempts}`;
  const message = `NS_WORKER_LOST: The worker ${loss.instance} vanished while it ran this job (${count}).`;
  return JSON.stringify({ name: "NightshiftError", code: "NS_WORKER_LOST", message });
}

/**
 * How often a job may be attempted in all, given the attempt that runs or would run next: a person's retry allows one
 * attempt beyond those spent, so the number grows with it.
 */
export function allowedAttempts(maxAttempts: number, attempt: number): number {
  return Math.max(maxAttempts, attempt);
}
