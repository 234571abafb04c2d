/**
 * The dashboard's JSON API as types: what each address takes and answers. The server implements exactly this, and the
 * page calls exactly this. Types only: the browser loads nothing from here.
 *
 * Times are milliseconds since 1970 UTC by the store's clock.
 */
import type { Finding } from "../store/contract/condition.ts";
import type {
  Counts,
  HistoryEntry,
  JobCount,
  JobSummary,
  QueueCounts,
  ShardInfo,
  StoredInstance,
  ThroughputPoint,
} from "../store/contract/inspection.ts";
import type { JobState } from "../store/contract/jobs.ts";
import type { StoredOccurrence } from "../store/contract/schedules.ts";
import type { CancelResult } from "../store/contract/upkeep.ts";

export type { JobCount, QueueCounts, RunningOn, ShardInfo, ThroughputPoint } from "../store/contract/inspection.ts";
export type { JobState } from "../store/contract/jobs.ts";

/** What a person may do: look, or also act. */
export type DashboardRole = "read" | "operate";

/** An error as stored with an attempt, made readable: unknown forms become the message. */
export interface ErrorView {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  readonly stack: string | null;
  /** What it was caused by, outermost first. */
  readonly causes: readonly Omit<ErrorView, "causes">[];
}

/** What the page needs once. */
export interface AboutView {
  readonly title: string;
  readonly role: DashboardRole;
  /** Who is looking, if `authorize` said so. */
  readonly user: string | null;
  readonly store: { readonly kind: string; readonly location: string; readonly durability: string };
  /** Which pages have something behind them. */
  readonly has: {
    readonly services: boolean;
    readonly schedules: boolean;
    /** Schedules can be made, changed and removed here. */
    readonly scheduleEditor: boolean;
  };
}

/** A queue, and whether anybody is there for it. */
export interface QueueRow extends QueueCounts {
  /** How many processes that give signs of life serve it. */
  readonly servedBy: number;
}

/** The live numbers. */
export interface OverviewView extends Omit<Counts, "queues"> {
  readonly now: number;
  readonly queues: readonly QueueRow[];
  /** Of the running jobs, at least how many are claimed and wait in their process for a free slot. */
  readonly ahead: number;
  /** The last hour in minutes, oldest first; the last one is still filling. */
  readonly throughput: readonly ThroughputPoint[];
  /** Processes that give signs of life. */
  readonly instances: number;
  /** Processes that have stopped giving them; what they hold is taken from them. */
  readonly expired: number;
  /** Of a store made of several databases: each of them. Empty for any other. */
  readonly shards: readonly ShardInfo[];
}

/** What the store says of itself: nothing, when all is well. */
export interface FindingsView {
  readonly items: readonly Pick<Finding, "what" | "severity" | "message">[];
}

/** A job in a list. */
export interface JobRow extends Omit<JobSummary, "error"> {
  readonly error: Pick<ErrorView, "name" | "message"> | null;
}

/** A page of jobs. */
export interface JobsView {
  readonly now: number;
  readonly items: readonly JobRow[];
  readonly next: string | null;
}

/** One line of a job's history. */
export interface HistoryView extends Omit<HistoryEntry, "error"> {
  readonly error: ErrorView | null;
}

/** A job's page, without its data. */
export interface JobView extends Omit<JobRow, "error"> {
  readonly now: number;
  readonly maxCrashes: number;
  readonly cancelRequested: string | null;
  readonly error: ErrorView | null;
  readonly history: readonly HistoryView[];
  /** Whether there is a result to ask for. */
  readonly hasResult: boolean;
}

/** A piece of stored JSON, redacted and indented. */
export interface StoredJsonView {
  readonly text: string;
  /** It was longer than is shown. */
  readonly cut: boolean;
  /** How many values were hidden by their names. */
  readonly redacted: number;
}

/** A job's data: asked for on its own, so that nothing private is sent by opening a page. */
export interface JobDataView {
  readonly input: StoredJsonView;
  readonly result: StoredJsonView | null;
  readonly meta: StoredJsonView | null;
}

/** A schedule in the list. */
export interface ScheduleRow {
  readonly id: string;
  readonly group: string;
  readonly source: "code" | "dynamic";
  readonly job: string;
  readonly queue: string | null;
  readonly paused: boolean;
  /** The trigger in words: `At 03:00 (Europe/Oslo)`. */
  readonly trigger: string;
  /** The trigger as it was written, where it was: `0 3 * * *`. */
  readonly expression: string | null;
  readonly timeZone: string | null;
  readonly misfire: string | null;
  readonly overlap: string | null;
  readonly nextAt: number | null;
  readonly lastAt: number | null;
  readonly lastJob: string | null;
}

/** A page of schedules. */
export interface SchedulesView {
  readonly now: number;
  readonly items: readonly ScheduleRow[];
  readonly next: string | null;
  /** The groups that are paused as a whole; empty where nothing knows schedules. */
  readonly pausedGroups: readonly string[];
}

/** A schedule's page. */
export interface ScheduleView extends ScheduleRow {
  readonly now: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The next fires, exclusions applied. */
  readonly upcoming: readonly number[];
  readonly occurrences: readonly StoredOccurrence[];
}

/** How a cron expression is read. */
export type DialectChoice = "unix" | "cronos" | "quartz";
/** What becomes of missed occurrences; `catch-up` stands for one of any bounds. */
export type MisfireChoice = "run-once" | "skip" | "run-all" | "catch-up";
/** What becomes of an occurrence while the previous job is not over. */
export type OverlapChoice = "allow" | "skip" | "queue" | "replace";

/** A schedule as a person writes it. */
export interface ScheduleDraft {
  readonly job: string;
  /**
   * A trigger of any kind as JSON text, in place of the expression: its stored form, in which instants may be readings
   * (`2026-12-24T17:00`) of its `timeZone`.
   */
  readonly trigger: string;
  /** A cron expression. */
  readonly expression: string;
  readonly dialect: DialectChoice;
  readonly timeZone: string;
  /** JSON text; blank for none. */
  readonly input: string;
  readonly misfire: MisfireChoice;
  readonly overlap: OverlapChoice;
  readonly description: string;
}

/** When, as a cron expression. */
export type CronWhen = Pick<ScheduleDraft, "expression" | "dialect" | "timeZone">;
/** When: a cron expression, or a trigger of any kind. */
export type ScheduleWhen = CronWhen | Pick<ScheduleDraft, "trigger">;

/** What a form of a schedule starts from. */
export interface ScheduleFormView {
  /** The jobs that this process knows, by name. */
  readonly jobs: readonly { readonly name: string; readonly takesInput: boolean }[];
  readonly timeZones: readonly string[];
  /** The schedule to be changed; null for a new one. */
  readonly schedule: ScheduleFormFacts | null;
}

/** A schedule as it stands, without its input: that is asked for on its own. */
export interface ScheduleFormFacts extends Omit<ScheduleDraft, "input" | "expression"> {
  readonly id: string;
  readonly source: "code" | "dynamic";
  /** The guard of a change: it counts only while this is still the schedule's revision. */
  readonly revision: number;
  /** Null when the trigger is not a cron expression. */
  readonly expression: string | null;
  /** The trigger in words. */
  readonly times: string;
}

/** What a trigger will do, or what is wrong with it. */
export interface SchedulePreview {
  readonly problems: readonly FieldProblem[];
  readonly description: string | null;
  /** What the clock there shows (`2026-03-29T03:00:00`), and how far that is from UTC (`+02:00`). */
  readonly fires: readonly { readonly at: number; readonly local: string; readonly offset: string }[];
  /** A sentence for each change of the clock that moves, drops or repeats a fire. */
  readonly warnings: readonly string[];
}

/** What is wrong with one field of a form; `field` is null when it is none of them. */
export interface FieldProblem {
  readonly field: string | null;
  readonly code: string;
  readonly message: string;
}

/** One hosted service of the process that serves the dashboard. */
export interface ServiceRow {
  readonly name: string;
  readonly state: string;
  /** How it is doing, for colours: working, not running by intent, or in trouble. */
  readonly mood: "good" | "idle" | "bad";
  readonly since: number | null;
  readonly restarts: number;
  readonly lastError: { readonly at: number | null; readonly message: string } | null;
  /** More facts, as text by name: an interval, the last tick. */
  readonly facts: Readonly<Record<string, string>>;
}

/** The services of this process. */
export interface ServicesView {
  readonly now: number;
  readonly process: { readonly pid: number; readonly node: string; readonly host: string };
  readonly items: readonly ServiceRow[];
}

/** The registered processes, and who leads what. */
export interface InstancesView {
  readonly now: number;
  readonly items: readonly StoredInstance[];
  /** Null when the database that keeps them does not answer. */
  readonly leaders: readonly { readonly role: string; readonly holder: string }[] | null;
}

/** What can be asked, by GET. Every value of a query is text. */
export interface ReadApi {
  "api/about": { query: Record<never, string>; answer: AboutView };
  "api/overview": { query: Record<never, string>; answer: OverviewView };
  "api/findings": { query: Record<never, string>; answer: FindingsView };
  "api/jobs": { query: JobsQuery; answer: JobsView };
  "api/jobs/count": { query: JobsCountQuery; answer: JobCount };
  "api/job": { query: { id: string }; answer: JobView };
  "api/job/data": { query: { id: string }; answer: JobDataView };
  "api/schedules": { query: { group?: string; limit?: string; cursor?: string }; answer: SchedulesView };
  "api/schedule": { query: { id: string }; answer: ScheduleView };
  "api/schedule/input": { query: { id: string }; answer: StoredJsonView };
  "api/schedules/form": { query: { id?: string }; answer: ScheduleFormView };
  "api/schedules/preview": {
    query: { trigger?: string; expression?: string; dialect?: string; timeZone?: string; id?: string };
    answer: SchedulePreview;
  };
  "api/services": { query: Record<never, string>; answer: ServicesView };
  "api/instances": { query: Record<never, string>; answer: InstancesView };
}

/** Which jobs. */
export interface JobsFilter {
  state: JobState;
  queue?: string;
  name?: string;
}

/** How far they are counted. */
export interface JobsCountQuery extends JobsFilter {
  /** 1 to 1,000,000; 10,000 when it is left out. */
  upTo?: string;
}

/** Which page of them. */
export interface JobsQuery extends JobsFilter {
  limit?: string;
  cursor?: string;
}

/** What can be done, by POST with JSON. */
export interface OperateApi {
  "api/jobs/cancel": {
    body: { ids: readonly string[]; reason?: string };
    answer: { results: readonly CancelResult[] };
  };
  "api/jobs/retry": { body: { ids: readonly string[] }; answer: { done: readonly string[] } };
  "api/jobs/run-now": { body: { ids: readonly string[] }; answer: { done: readonly string[] } };
  "api/queues/pause": { body: { queue: string; reason?: string }; answer: { done: true } };
  "api/queues/resume": { body: { queue: string }; answer: { done: true } };
  "api/schedules/pause": { body: { id: string }; answer: { done: true } };
  "api/schedules/resume": { body: { id: string }; answer: { done: true } };
  "api/schedules/pause-group": { body: { group: string }; answer: { schedules: number } };
  "api/schedules/resume-group": { body: { group: string }; answer: { schedules: number } };
  "api/schedules/trigger": { body: { id: string }; answer: { job: string | null } };
  "api/schedules/create": {
    body: Omit<ScheduleDraft, keyof CronWhen | "trigger"> &
      ScheduleWhen & { readonly id: string; readonly paused: boolean };
    answer: { done: true };
  };
  /** What is left out stays. An expression comes with its dialect and time zone; a trigger stands alone. */
  "api/schedules/update": {
    body: Partial<ScheduleDraft> & { readonly id: string; readonly revision: number };
    answer: { done: true };
  };
  "api/schedules/remove": { body: { id: string }; answer: { done: true } };
}

/** What every refusal looks like, with a status of 400 or more. */
export interface ApiError {
  readonly error: {
    readonly code: string;
    readonly message: string;
    /** The same field by field, where a form's fields are wrong. */
    readonly problems?: readonly FieldProblem[];
  };
}
