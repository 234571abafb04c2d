/** Writing history, and moving a job to where the end of an attempt sends it. */
import type { FinalState, HistoryEntry } from "../contract.ts";
import { type Ending, isRetriedLoss, type NewHistory } from "../shared/outcomes.ts";
import { idText } from "./ids.ts";
import { FORGET_CANCELLATION } from "./sql/control.ts";
import { INSERT_READY, INSERT_SCHEDULED } from "./sql/enqueue.ts";
import { INSERT_FINISHED, JOB_RANK } from "./sql/settle.ts";
import type { Transaction } from "./transaction.ts";

/** How the kinds of history are kept: one letter a row. */
const LETTERS = {
  succeeded: "s",
  dead: "d",
  cancelled: "c",
  retry: "r",
  snoozed: "z",
  lost: "l",
  requeued: "q",
} as const satisfies Record<HistoryEntry["what"], string>;

export type Letter = (typeof LETTERS)[HistoryEntry["what"]];
const WORDS = new Map(Object.entries(LETTERS).map(([word, letter]) => [letter, word as HistoryEntry["what"]]));

export function letterOf(what: HistoryEntry["what"]): Letter {
  return LETTERS[what];
}

export function wordOf(letter: Letter): HistoryEntry["what"] {
  return WORDS.get(letter) as HistoryEntry["what"];
}

/** The state that a line of history ends a job in; null when it goes on. */
export function finalStateOf(letter: Letter): FinalState | null {
  return letter === "s" ? "succeeded" : letter === "d" ? "dead" : letter === "c" ? "cancelled" : null;
}

/** Which job a line of history is about, and under which lease of which instance. */
export interface Subject {
  readonly id: number;
  readonly nameId: number;
  readonly queueId: number;
  readonly lease: number | null;
  /** The name of the instance, as a number. */
  readonly instance: number | null;
}

export function writeHistory(tx: Transaction, job: Subject, line: NewHistory): void {
  const { attempt, what, error, result } = line;
  const ms = line.ms === null ? null : Math.round(line.ms);
  const { id, lease, queueId, nameId, instance } = job;
  const letter = LETTERS[what];
  tx.on.run(INSERT_FINISHED, tx.at.now, id, lease, queueId, nameId, instance, attempt, letter, ms, error, result);
  tx.count(what);
}

/** Writes what an attempt's end means, and moves the job. It must already be out of its old place. */
export function endAttempt(tx: Transaction, job: Subject, ending: Ending): void {
  for (const line of ending.history) writeHistory(tx, job, line);
  if (isRetriedLoss(ending)) tx.count("retry");
  const { next } = ending;
  switch (next.to) {
    case "final":
      if (tx.cancellations) tx.on.run(FORGET_CANCELLATION, job.id);
      tx.wakes.finished(idText(job.id));
      break;
    case "ready":
      tx.on.run(INSERT_READY, job.queueId, rankOf(tx, job), job.id, next.attempt);
      tx.wakes.work(tx.names.textOf(job.queueId));
      break;
    case "scheduled":
      tx.on.run(INSERT_SCHEDULED, next.at, job.id, job.queueId, rankOf(tx, job), next.attempt);
      tx.wakes.scheduled(next.at);
  }
}

function rankOf(tx: Transaction, job: Subject): number {
  return tx.on.get<{ rank: number }>(JOB_RANK, job.id)?.rank ?? 0;
}
