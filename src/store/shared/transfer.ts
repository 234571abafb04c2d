/** Jobs from elsewhere: what every store refuses of them, and where they land. */
import { NightshiftError, show } from "../../errors/index.ts";
import type { SourceJob, WholeEntry, WholeJob } from "../contract.ts";
import { FINAL_STATES, type FinalState } from "../contract.ts";
import { checkName, checkText, checkWhole, LAST_INSTANT } from "./check.ts";
import { endOfLostAttempt, type Next } from "./outcomes.ts";

const STATES: readonly string[] = ["ready", "scheduled", "running", ...FINAL_STATES];
const WHATS: readonly string[] = [...FINAL_STATES, "retry", "snoozed", "lost", "requeued"];
const MOST = 1_000_000;
/** Text of a page of whole jobs, in characters: what a process holds at once. */
export const MOST_TEXT_OF_PAGE = 4_000_000;

/** What a source's job is remembered by. Its time is part of it: a source restored from a backup gives ids out again. */
export function sourceKey({ id, createdAt }: SourceJob): string {
  return `${id}@${createdAt}`;
}

/** Where a job goes, and the lines that are written with it. */
export interface Landing {
  readonly history: readonly WholeEntry[];
  readonly next: Next;
}

export function landingOf(job: WholeJob, now: number): Landing {
  const { state, attempt, history } = job;
  if (state === "ready") return { history, next: { to: "ready", attempt } };
  if (state === "scheduled") return { history, next: { to: "scheduled", attempt, at: job.dueAt ?? now } };
  if (state !== "running") return { history, next: { to: "final", attempt } };
  const crashes = 1 + history.filter(({ what }) => what === "lost").length;
  const instance = job.instance ?? "?";
  const loss = { attempt, maxAttempts: job.maxAttempts, crashes, maxCrashes: job.maxCrashes, instance };
  const ending = endOfLostAttempt({ ...loss, cancelled: job.cancelRequested });
  const at = Math.max(now, history.at(-1)?.at ?? 0);
  return { history: [...history, ...ending.history.map((line) => ({ ...line, at, instance }))], next: ending.next };
}

/** Lines that were a job's end once and are no more, since a person made it ready again. */
export function pastEnds(history: readonly WholeEntry[], next: Next): readonly FinalState[] {
  const ends = history.slice(0, next.to === "final" ? -1 : undefined);
  return ends.flatMap(({ what }) => FINAL_STATES.find((state) => state === what) ?? []);
}

/**
 * The lines as they were counted when they were written: an attempt whose worker vanished counts as one that was retried,
 * unless its job ended with it, which the next line tells.
 */
export function asCounted(history: readonly WholeEntry[]): readonly Pick<WholeEntry, "what" | "at">[] {
  return history.map(({ what, at, attempt, instance }, index) => {
    const next = history[index + 1];
    const isEnd = next?.what === "dead" || next?.what === "cancelled";
    const ended = isEnd && next.attempt === attempt && next.instance === instance;
    return { what: what === "lost" && !ended ? "retry" : what, at };
  });
}

/** Refuses jobs that no store may keep, and such as contradict themselves. The message names the job's place in the list. */
export function checkWholeJobs(jobs: readonly WholeJob[]): void {
  for (const [index, job] of jobs.entries()) checkWholeJob(job, jobs.length > 1 ? `job ${index}` : "job");
}

/** Refuses one job. @throws NS_OPTION_INVALID */
export function checkWholeJob(job: WholeJob, what: string): void {
  checkText(job.id, `${what}: id`);
  checkName(job.name, `${what}: name`);
  checkName(job.queue, `${what}: queue`);
  checkWhole(job.priority, `${what}: priority`, -100, 100);
  checkWhole(job.attempt, `${what}: attempt`, 0, MOST);
  checkWhole(job.maxAttempts, `${what}: maxAttempts`, 1, MOST);
  checkWhole(job.maxCrashes, `${what}: maxCrashes`, 1, MOST);
  checkWhole(job.createdAt, `${what}: createdAt`, 0, LAST_INSTANT);
  if (job.dueAt !== null) checkWhole(job.dueAt, `${what}: dueAt`, 0, LAST_INSTANT);
  checkText(job.input, `${what}: input`);
  for (const key of ["meta", "instance", "cancelRequested"] as const) {
    const text = job[key];
    if (text !== null) checkText(text, `${what}: ${key}`);
  }
  if (!STATES.includes(job.state)) refuse(`${what}: state is ${show(job.state)}. Give one of ${STATES.join(", ")}.`);
  if (!Array.isArray(job.history)) refuse(`${what}: history is ${show(job.history)}. Give a list of lines.`);
  for (const [line, entry] of job.history.entries()) checkEntry(entry, `${what}: history[${line}]`);
  checkEnd(job, what);
}

function checkEntry(entry: WholeEntry, what: string): void {
  checkWhole(entry.at, `${what}.at`, 0, LAST_INSTANT);
  checkWhole(entry.attempt, `${what}.attempt`, 0, MOST);
  if (entry.ms !== null && !Number.isFinite(entry.ms)) refuse(`${what}.ms is ${show(entry.ms)}. Give milliseconds.`);
  if (!WHATS.includes(entry.what)) refuse(`${what}.what is ${show(entry.what)}. Give one of ${WHATS.join(", ")}.`);
  for (const key of ["error", "instance", "result"] as const) {
    const text = entry[key];
    if (text !== null) checkText(text, `${what}.${key}`);
  }
}

/** The last line of a history says whether a job is over: the two must agree, or stores would disagree about it. */
function checkEnd({ state, dueAt, history }: WholeJob, what: string): void {
  const last = history.at(-1)?.what;
  const ended = FINAL_STATES.find((one) => one === last);
  const final = FINAL_STATES.find((one) => one === state);
  if (ended !== final) {
    const found = last === undefined ? "is empty" : `ends with ${show(last)}`;
    refuse(`${what}: state is ${show(state)}, and its history ${found}. Give a history that ends in the job's state.`);
  }
  if (state === "scheduled" && dueAt === null) refuse(`${what}: a scheduled job needs dueAt. Give milliseconds.`);
}

function refuse(message: string): never {
  throw new NightshiftError("NS_OPTION_INVALID", message);
}
