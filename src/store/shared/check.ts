/** What every store refuses, and how it says so: pure checks of what callers hand in, done before anything is written. */
import { NightshiftError, show } from "../../errors/index.ts";
import type { CountQuery, JobFilter, JobQuery, NewInstance, NewJob, PageRequest } from "../contract.ts";
import { FINAL_STATES, LIVE_STATES, MOST_COUNTED, PRIORITY_RANGE } from "../contract.ts";

/** The longest name of a job, a queue, a role, a schedule. They are keys of indexes, not places for data. */
export const LONGEST_NAME = 255;
/** The last instant that a JavaScript date can hold. */
export const LAST_INSTANT = 8_640_000_000_000_000;
/** The largest page. */
export const LARGEST_PAGE = 500;

/** Refuses jobs that no store may keep; the message names the first bad one's index and field. */
export function checkJobs(jobs: readonly NewJob[]): void {
  for (let index = 0; index < jobs.length; index++) checkJob(jobs[index] as NewJob, jobs.length > 1 ? index : null);
}

function checkJob(job: NewJob, index: number | null): void {
  const flaw = flawOfJob(job);
  if (flaw === undefined) return;
  const [field, value, advice] = flaw;
  refuse(`${index === null ? "job" : `job ${index}`}: ${field}`, value, advice);
}

type Flaw = readonly [field: string, value: unknown, advice: string];

/** Names are put together only for what is wrong: this is asked of every job. */
function flawOfJob(job: NewJob): Flaw | undefined {
  const { name, queue, input, meta, priority, maxAttempts, maxCrashes, due } = job;
  return (
    flaw("name", name, adviceOnName(name)) ??
    flaw("queue", queue, adviceOnName(queue)) ??
    flaw("input", input, adviceOnText(input)) ??
    (meta === undefined ? undefined : flaw("meta", meta, adviceOnText(meta))) ??
    flaw("priority", priority, adviceOnWhole(priority, PRIORITY_RANGE.min, PRIORITY_RANGE.max)) ??
    flaw("maxAttempts", maxAttempts, adviceOnWhole(maxAttempts, 1, 1_000_000)) ??
    flaw("maxCrashes", maxCrashes, adviceOnWhole(maxCrashes, 1, 1_000_000)) ??
    (due === undefined ? undefined : flawOfDue("in" in due ? due.in : due.at))
  );
}

function flaw(field: string, value: unknown, advice: string | undefined): Flaw | undefined {
  return advice === undefined ? undefined : [field, value, advice];
}

function flawOfDue(value: number): Flaw | undefined {
  if (Math.abs(value) <= LAST_INSTANT) return undefined;
  return ["due", value, "Give milliseconds within the range of dates."];
}

/** Refuses text that is empty, too long for a key, or not keepable. */
export function checkName(value: string, what: string): void {
  const advice = adviceOnName(value);
  if (advice !== undefined) refuse(what, value, advice);
}

/** Refuses text that some database cannot keep as it is: NUL characters and halves of surrogate pairs. */
export function checkText(value: string, what: string): void {
  const advice = adviceOnText(value);
  if (advice !== undefined) refuse(what, value, advice);
}

/** Refuses what is not a whole number within the bounds. */
export function checkWhole(value: number, what: string, min: number, max: number): void {
  const advice = adviceOnWhole(value, min, max);
  if (advice !== undefined) refuse(what, value, advice);
}

function adviceOnName(value: string): string | undefined {
  if (typeof value === "string" && value.length > 0 && value.length <= LONGEST_NAME) return adviceOnText(value);
  return `Give text of 1 to ${LONGEST_NAME} characters.`;
}

function adviceOnText(value: string): string | undefined {
  if (typeof value !== "string") return "Give text.";
  if (value.includes("\0")) return "Text must not contain the NUL character (U+0000).";
  return value.isWellFormed() ? undefined : "Text must be well-formed Unicode; it has half a surrogate pair.";
}

function adviceOnWhole(value: number, min: number, max: number): string | undefined {
  if (Number.isInteger(value) && value >= min && value <= max) return undefined;
  return `Give a whole number from ${min} to ${max}.`;
}

/** Refuses a time to live that is not a positive number of milliseconds. */
export function checkTtl(ttl: number): void {
  if (!(ttl > 0 && ttl <= LAST_INSTANT)) refuse("ttl", ttl, "Give milliseconds, more than 0.");
}

/** Refuses a registration without a name or an end. */
export function checkInstance(instance: NewInstance, ttl: number): void {
  checkTtl(ttl);
  checkName(instance.name, "instance: name");
}

/** Refuses to pause what is no queue, and a reason that cannot be kept. */
export function checkPause(queue: string, reason: string | undefined): void {
  checkName(queue, "queue");
  if (reason !== undefined) checkText(reason, "reason");
}

/** Refuses a calendar that cannot be kept. */
export function checkCalendar(name: string, definition: string): void {
  checkName(name, "calendar: name");
  checkText(definition, "calendar: definition");
}

/** Refuses a term without a role, a holder or an end. */
export function checkCampaign(role: string, holder: string, ttl: number): void {
  checkTtl(ttl);
  checkName(role, "role");
  checkName(holder, "holder");
}

/** Refuses a page that is empty or too large. */
export function checkPage(page: PageRequest): void {
  checkWhole(page.limit, "limit", 1, LARGEST_PAGE);
}

const STATES: readonly string[] = [...LIVE_STATES, ...FINAL_STATES];

function checkFilter({ state, queue, name }: JobFilter): void {
  if (!STATES.includes(state)) refuse("state", state, `Give one of ${STATES.join(", ")}.`);
  if (queue !== undefined) checkText(queue, "queue");
  if (name !== undefined) checkText(name, "name");
}

/** Refuses a list of jobs that is of no state, or of a page that {@link checkPage} refuses. */
export function checkList(query: JobQuery): void {
  checkFilter(query);
  checkPage(query);
}

/** Refuses a count that is of no state, of nothing, or without an end. */
export function checkCount(query: CountQuery): void {
  checkFilter(query);
  checkWhole(query.upTo, "upTo", 1, MOST_COUNTED);
}

/** When a job may first run, as an instant of the store's clock; null for at once. */
export function dueAt(job: NewJob, now: number): number | null {
  if (job.due === undefined) return null;
  const at = Math.ceil("in" in job.due ? now + job.due.in : job.due.at);
  return at > now ? Math.min(at, LAST_INSTANT) : null;
}

function refuse(what: string, value: unknown, advice: string): never {
  throw new NightshiftError("NS_OPTION_INVALID", `${what} is ${show(value)}. ${advice}`, { details: { what, value } });
}
