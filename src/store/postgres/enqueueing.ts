/**
 * Accepting jobs. Calls of one tick share a statement and a commit; while two statements are under way, what comes in
 * gathers for the next, so that throughput grows with the load and a lone call waits for nobody.
 */
import { NightshiftError } from "../../errors/index.ts";
import type { EnqueueOptions, JobId, NewJob } from "../contract.ts";
import { numberElements, numbers, texts } from "./arrays.ts";
import { callersClient } from "./caller-tx.ts";
import type { Statement } from "./database.ts";
import type { Row } from "./driver.ts";
import { here } from "./elsewhere.ts";
import { codeOf, failureKind, toNightshiftError } from "./failures.ts";
import { jobId } from "./job-id.ts";
import { onServer } from "./meeting.ts";
import type { Names } from "./names.ts";
import type { News } from "./notifier.ts";
import type { Value } from "./question.ts";
import { hear, type Session, tell } from "./session.ts";

/** Jobs of one statement: beyond this, arrays and rows cost more memory than round trips save. */
const MOST_ROWS = 5_000;
/** Jobs of one statement of several in one transaction. */
const SLICE = 2_500;
/** The most text of one statement, in characters. */
const MOST_TEXT = 8_000_000;
/** Statements under way at once: the second commits while the first waits for the disk. */
const UNDER_WAY = 2;
/** When wake-ups are repeated for jobs in a caller's transaction, in milliseconds: its commit is not ours to see. */
const AFTER_TX = [5, 50, 500, 2_000] as const;

interface Call {
  readonly jobs: readonly NewJob[];
  readonly resolve: (ids: readonly JobId[]) => void;
  readonly reject: (error: unknown) => void;
}

/** What was stored, and what there is to tell of it. */
export interface Written {
  readonly ids: readonly JobId[];
  readonly news: News;
  /** Other processes have been told. */
  readonly told?: boolean;
}

/** Takes jobs in. */
export class Enqueueing {
  readonly #session: Session;
  readonly #one: Statement;
  #waiting: Call[] = [];
  #underWay = 0;
  #flushing = false;

  constructor(session: Session) {
    this.#session = session;
    this.#one = { name: "enqueue_one", text: enqueueOneText(session.s) };
  }

  /** Jobs are checked already. */
  enqueue(jobs: readonly NewJob[], options: EnqueueOptions): Promise<readonly JobId[]> {
    if (jobs.length === 0) return Promise.resolve([]);
    if (options.tx !== undefined) return this.#inside(options.tx, jobs);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ jobs, resolve, reject });
      this.#flushSoon();
    });
  }

  /** After the current tick and all that its promises set off: everything that is enqueued at once goes together. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#underWay < UNDER_WAY) {
      const calls = this.#take();
      this.#underWay++;
      void this.#write(calls).finally(() => {
        this.#underWay--;
        if (this.#waiting.length > 0) this.#flushSoon();
      });
    }
  }

  /** As many of the waiting calls as fit one statement, at least one. */
  #take(): Call[] {
    let rows = 0;
    let text = 0;
    let count = 0;
    for (const { jobs } of this.#waiting) {
      rows += jobs.length;
      for (const { input } of jobs) text += input.length;
      if (count > 0 && (rows > MOST_ROWS || text > MOST_TEXT)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  /** Never rejects: each call is told for itself. */
  async #write(calls: readonly Call[]): Promise<void> {
    const jobs = calls.length === 1 ? (calls[0] as Call).jobs : calls.flatMap((call) => call.jobs);
    try {
      const { ids, news, told } = await this.#commit(jobs);
      if (told) hear(this.#session, news);
      else tell(this.#session, news);
      let from = 0;
      for (const call of calls) call.resolve(ids.slice(from, (from += call.jobs.length)));
    } catch (error) {
      const cause = error instanceof NightshiftError ? error.cause : error;
      if (calls.length > 1 && failureKind(cause, true) === "data") {
        // One of them cannot be stored. The others must not fail with it: each by itself.
        for (const call of calls) await this.#write([call]);
      } else for (const call of calls) call.reject(error);
    }
  }

  #commit(jobs: readonly NewJob[]): Promise<Written> {
    const { database, s } = this.#session;
    return onServer(this.#session, async (names) => {
      if (!knows(jobs, names)) await this.learn(jobs, names);
      const [only] = jobs;
      if (jobs.length === 1 && only !== undefined && only.due === undefined) return this.#commitOne(only, names);
      if (jobs.length <= MOST_ROWS) {
        const values = this.encode(jobs, names);
        const rows = await database.run({ name: "enqueue", text: enqueueText(s) }, values, "if-refused");
        return rows.length === 0 ? null : written(jobs, rows, names);
      }
      return database.transaction("if-refused", (query) => this.#inSlices(jobs, names, query));
    });
  }

  async #commitOne(job: NewJob, names: Names): Promise<Written | null> {
    const { database, notifier } = this.#session;
    const { maxAttempts, maxCrashes, input, meta = null } = job;
    const lane = names.lane(job.queue, job.priority);
    const values = [lane, names.kind(job.name), maxAttempts, maxCrashes, input, meta, names.server];
    const sign = notifier.first(job.queue, lane);
    const [row] = await database.run(this.#one, values, "if-refused", sign);
    if (row === undefined) return null;
    const [bucket = "", id = ""] = row;
    const news = { queues: [job.queue], lanes: [[lane, id ?? ""]] as const };
    return { ids: [jobId(bucket ?? "", id ?? "")], news, told: sign !== null };
  }

  /** One commit, however many jobs. */
  async #inSlices(
    jobs: readonly NewJob[],
    names: Names,
    query: (text: string, values: readonly Value[]) => Promise<readonly Row[]>,
  ): Promise<Written | null> {
    const rows: Row[] = [];
    // The next slice's arrays are made while the server works on the last one.
    let before: Promise<readonly Row[]> | undefined;
    for (let from = 0; from < jobs.length; from += SLICE) {
      const values = this.encode(jobs.slice(from, from + SLICE), names);
      if (before !== undefined) rows.push(...(await before));
      before = query(enqueueText(this.#session.s), values);
    }
    if (before !== undefined) rows.push(...(await before));
    return rows.length === 0 ? null : written(jobs, rows, names);
  }

  async #inside(tx: unknown, jobs: readonly NewJob[]): Promise<readonly JobId[]> {
    const client = await callersClient(tx);
    const query = async (text: string, values: readonly Value[]) => {
      const { rows } = await client.query(text, [...values]);
      return rows.map((row) => {
        const { bucket, ids, due } = row as { bucket: string; ids: string; due: string | null };
        return [bucket, ids, due];
      });
    };
    try {
      const { ids, news } = await onServer(this.#session, async (names) => {
        await this.learn(jobs, names);
        return this.#inSlices(jobs, names, query);
      });
      for (const delay of AFTER_TX) {
        this.#session.clock.setTimer(delay, () => tell(this.#session, news), { ref: false });
      }
      return ids;
    } catch (error) {
      const { location } = this.#session.database.settings;
      if (["3F000", "42883", "42P01"].includes(codeOf(error) ?? "")) {
        const message = `The transaction's database does not hold the schema ${this.#session.s} of ${location}. Use a client of the same database.`;
        throw new NightshiftError("NS_STORE_TX", message, { cause: error });
      }
      if (codeOf(error) === "25P02") {
        const message = "The transaction on the client given as tx has failed before: it can only be rolled back.";
        throw new NightshiftError("NS_STORE_TX", message, { cause: error });
      }
      throw toNightshiftError(error, location, true);
    }
  }

  /** What such a statement answered: bucket, ids, and when they are due. */
  decode(jobs: readonly NewJob[], row: Row, names: Names): Written {
    return written(jobs, [row], names);
  }

  /** Looks up the numbers of the jobs' lanes and names. */
  async learn(jobs: readonly NewJob[], names: Names): Promise<void> {
    const lanes = jobs.filter(({ queue, priority }) => !names.hasLane(queue, priority));
    if (lanes.length > 0) await names.learnLanes(lanes);
    const kinds = jobs.filter(({ name }) => !names.hasKind(name));
    if (kinds.length > 0) await names.learnKinds(kinds.map(({ name }) => name));
  }

  /** The arguments of a statement that stores jobs whose names are known. */
  encode(jobs: readonly NewJob[], names: Names): Value[] {
    const due = jobs.some((job) => job.due !== undefined);
    return [
      each(
        jobs,
        (job, before) => job.queue === before.queue && job.priority === before.priority,
        (job) => names.lane(job.queue, job.priority),
      ),
      each(
        jobs,
        (job, before) => job.name === before.name,
        (job) => names.kind(job.name),
      ),
      each(
        jobs,
        (job, before) => job.maxAttempts === before.maxAttempts,
        (job) => job.maxAttempts,
      ),
      each(
        jobs,
        (job, before) => job.maxCrashes === before.maxCrashes,
        (job) => job.maxCrashes,
      ),
      texts(jobs.map((job) => job.input)),
      jobs.some((job) => job.meta !== undefined) ? texts(jobs.map((job) => job.meta)) : null,
      due ? numbers(jobs.map((job) => (job.due && "in" in job.due ? Math.ceil(job.due.in) : null))) : null,
      due ? numbers(jobs.map((job) => (job.due && "at" in job.due ? Math.ceil(job.due.at) : null))) : null,
      names.server,
    ];
  }
}

/** Whether the numbers of all their lanes and names are known: then nobody waits for them. */
export function knows(jobs: readonly NewJob[], names: Names): boolean {
  for (const { queue, priority, name } of jobs) {
    if (!names.hasLane(queue, priority) || !names.hasKind(name)) return false;
  }
  return true;
}

/** A number of each job, or one for all where it is the same. */
function each(
  jobs: readonly NewJob[],
  isSame: (job: NewJob, first: NewJob) => boolean,
  of: (job: NewJob) => number,
): string {
  const first = jobs[0] as NewJob;
  return numbers(jobs.every((job) => isSame(job, first)) ? [of(first)] : jobs.map(of));
}

/** A lone job that is due at once: a prepared statement of two inserts, without the function's arrays. */
function enqueueOneText(s: string): string {
  return `with made as (
      insert into ${s}.job (id, created_at, bucket, lane_id, kind_id, max_attempts, max_crashes, input, meta)
      select nextval('${s.replaceAll("'", "''")}.job_seq'), t.now, t.now / 86400000, $1::int, $2::int, $3::int, $4::int, $5::text, $6::text
      from (select ${s}.now_ms() as now where ${here(7)} offset 0) t returning id, bucket, lane_id, kind_id)
    insert into ${s}.ready (job_id, lane_id, kind_id, bucket, attempt) select id, lane_id, kind_id, bucket, 0 from made
    returning bucket, job_id`;
}

/** As text, so that it reads the same through whatever client the caller brings. */
export function enqueueText(s: string): string {
  return `select o_bucket::text as bucket, o_ids::text as ids, o_due::text as due from ${s}.enqueue($1::int[], $2::int[], $3::int[], $4::int[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::timestamptz)`;
}

function written(jobs: readonly NewJob[], rows: readonly Row[], names: Names): Written {
  const ids: JobId[] = [];
  const queues = new Set<string>();
  const lanes = new Map<number, string>();
  let scheduledAt = Number.POSITIVE_INFINITY;
  for (const [bucket = "", numbersOfRow = null, dueOfRow = null] of rows) {
    const due = numberElements(dueOfRow);
    const elements = numberElements(numbersOfRow);
    for (let index = 0; index < elements.length; index++) {
      const job = jobs[ids.length] as NewJob;
      const id = elements[index] as string;
      ids.push(jobId(bucket ?? "", id));
      const at = due[index];
      if (at !== undefined && at !== "NULL") scheduledAt = Math.min(scheduledAt, Number(at));
      else {
        queues.add(job.queue);
        const lane = names.lane(job.queue, job.priority);
        if (!lanes.has(lane)) lanes.set(lane, id);
      }
    }
  }
  const news: News = {
    ...(queues.size > 0 ? { queues: [...queues], lanes: [...lanes] } : {}),
    ...(Number.isFinite(scheduledAt) ? { scheduledAt } : {}),
  };
  return { ids, news };
}
