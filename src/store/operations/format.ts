/**
 * The file of an export: one JSON object a line, a header first and an end last. This is what each line may be, and
 * reading it with every mistake named by its line.
 */
import { messageOf, NightshiftError, show } from "../../errors/index.ts";
import type { NewSchedule, WholeEntry, WholeJob } from "../contract.ts";
import { checkName, checkText } from "../shared/check.ts";
import { checkSchedules } from "../shared/scheduling.ts";
import { checkWholeJob } from "../shared/transfer.ts";

/** The version of the format. A reader refuses newer ones. */
export const FORMAT_VERSION = 1;

export interface HeaderLine {
  readonly type: "nightshift-export";
  readonly version: number;
  /** The identity of the store that was exported: with a job's id and time it tells jobs apart for ever. */
  readonly source: string;
  readonly kind?: string;
  readonly location?: string;
  readonly exportedAt?: number;
  readonly finished?: boolean;
}

export interface QueueLine {
  readonly type: "queue";
  readonly queue: string;
  readonly paused: { readonly reason: string | null; readonly since: number };
}

export interface CalendarLine {
  readonly type: "calendar";
  readonly name: string;
  readonly definition: string;
}

export type ScheduleLine = { readonly type: "schedule"; readonly lastAt: number | null } & NewSchedule;
export type JobLine = { readonly type: "job" } & WholeJob;

/** How many lines of each type came before: without it the file was cut off. */
export interface EndLine {
  readonly type: "end";
  readonly queues: number;
  readonly calendars: number;
  readonly schedules: number;
  readonly jobs: number;
}

export type ExportLine = HeaderLine | QueueLine | CalendarLine | ScheduleLine | JobLine | EndLine;

/** A line of the file, newline included. */
export function writeLine(line: ExportLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** @throws NS_IMPORT_INVALID, with the line's number and what is wrong */
export function readLine(text: string, line: number): ExportLine {
  try {
    return check(JSON.parse(text) as unknown);
  } catch (cause) {
    const said = messageOf(cause).replace(/^NS_\w+: /, "");
    throw importError(line, cause instanceof SyntaxError ? `not JSON (${said}): ${show(text)}` : said, cause);
  }
}

export function importError(line: number, what: string, cause?: unknown): NightshiftError {
  const options = { details: { line }, ...(cause === undefined ? {} : { cause }) };
  return new NightshiftError("NS_IMPORT_INVALID", `line ${line}: ${what}`, options);
}

function check(value: unknown): ExportLine {
  if (typeof value !== "object" || value === null) throw wrong(`is ${show(value)}. Give an object.`);
  const line = value as Partial<Record<string, unknown>>;
  switch (line["type"]) {
    case "nightshift-export":
      return checkHeader(value as HeaderLine);
    case "queue": {
      const queue = value as QueueLine;
      checkName(queue.queue, "queue");
      if (typeof queue.paused?.since !== "number")
        throw wrong(`paused is ${show(queue.paused)}. Give reason and since.`);
      if (queue.paused.reason !== null) checkText(queue.paused.reason, "reason");
      return queue;
    }
    case "calendar": {
      const calendar = value as CalendarLine;
      checkName(calendar.name, "calendar: name");
      checkText(calendar.definition, "calendar: definition");
      return calendar;
    }
    case "schedule": {
      const schedule = {
        group: "",
        nextAt: null,
        paused: false,
        lastAt: null,
        ...(value as Partial<ScheduleLine>),
      } as ScheduleLine;
      checkSchedules([schedule], undefined);
      if (!["code", "dynamic"].includes(schedule.source)) throw wrong(`source is ${show(schedule.source)}.`);
      if (typeof schedule.paused !== "boolean") throw wrong(`paused is ${show(schedule.paused)}. Give true or false.`);
      return schedule;
    }
    case "job": {
      const job = withDefaults(value as JobLine);
      checkWholeJob(job, "job");
      return job;
    }
    case "end":
      return value as EndLine;
    default:
      throw wrong(`type is ${show(line["type"])}. Give one of queue, calendar, schedule, job, end.`);
  }
}

/** What a line may leave out, so that one can be written by hand, or made from another system's jobs. */
function withDefaults(given: JobLine): JobLine {
  const none = { dueAt: null, meta: null, instance: null, cancelRequested: null };
  const job = {
    priority: 0,
    attempt: 0,
    maxAttempts: 1,
    maxCrashes: 5,
    state: "ready",
    ...none,
    ...(given as Partial<JobLine>),
  } as JobLine;
  const line = { ms: null, error: null, instance: null, result: null };
  const history = Array.isArray(given.history) ? given.history.map((entry): WholeEntry => ({ ...line, ...entry })) : [];
  return { ...job, history };
}

function checkHeader(header: HeaderLine): HeaderLine {
  checkName(header.source, "source");
  if (!Number.isInteger(header.version) || header.version < 1) throw wrong(`version is ${show(header.version)}.`);
  if (header.version <= FORMAT_VERSION) return header;
  throw wrong(`the file has version ${header.version}; this library reads ${FORMAT_VERSION}. Update nightshift here.`);
}

function wrong(what: string): NightshiftError {
  return new NightshiftError("NS_IMPORT_INVALID", what);
}
