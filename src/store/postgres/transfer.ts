/** Taking jobs out of PostgreSQL whole, and putting them in. */
import { messageOf } from "../../errors/index.ts";
import {
  FINAL_STATES,
  type HistoryEntry,
  type Imported,
  type JobId,
  type Page,
  type PageRequest,
  type SourceJob,
  type WholeEntry,
  type WholeJob,
} from "../contract.ts";
import { decodeCursor, encodeCursor } from "../shared/cursor.ts";
import { asCounted, landingOf, MOST_TEXT_OF_PAGE, sourceKey } from "../shared/transfer.ts";
import { numbers, texts } from "./arrays.ts";
import { Elsewhere, here } from "./elsewhere.ts";
import { WORDS } from "./inspection.ts";
import { jobId } from "./job-id.ts";
import { onServer } from "./meeting.ts";
import type { Names } from "./names.ts";
import type { News } from "./notifier.ts";
import { maybeNumber, run, type Session, tell } from "./session.ts";

/** How many jobs a page looks at, however few of them it is to tell. */
const MOST_LOOKED_AT = 5_000;
const DAY = 86_400_000;
const LETTERS: Readonly<Record<HistoryEntry["what"], string>> = {
  ...{ succeeded: "S", dead: "D", cancelled: "C", retry: "R", snoozed: "Z", lost: "L", requeued: "Q" },
};

export async function identity(session: Session): Promise<string> {
  const [row] = await run(session, "store_identity", `select id from ${session.s}.identity`, []);
  return row?.[0] ?? "";
}

export async function readJobs(
  session: Session,
  page: PageRequest & { readonly finished: boolean },
): Promise<Page<WholeJob>> {
  const { s } = session;
  const after = decodeCursor(page.cursor, ["number", "string"]) ?? ([-1, "0"] as const);
  const most = page.finished ? page.limit + 1 : MOST_LOOKED_AT;
  // Keys and sizes first: which jobs make a page is known before their bodies are sent.
  const text = `select j.bucket, j.id, octet_length(j.input), exists (select from ${s}.finished f
      where f.job_id = j.id and f.bucket = j.bucket and f.day >= j.bucket and f.state in ('S', 'D', 'C'))
    from (select bucket, id, input from ${s}.job where (bucket, id) > ($1, $2) order by bucket, id limit $3) j order by 1, 2`;
  const rows = await run(session, "jobs_after", text, [after[0], after[1], most]);
  const keys: (readonly [bucket: string, id: string])[] = [];
  let size = 0;
  let last: readonly [number, string] = after;
  let more = rows.length === most;
  for (const [bucket = "", id = "", length, over] of rows) {
    if (keys.length === page.limit || size > MOST_TEXT_OF_PAGE) {
      more = true;
      break;
    }
    last = [Number(bucket), id ?? ""];
    if (over === "t" && !page.finished) continue;
    keys.push([bucket ?? "", id ?? ""]);
    size += Number(length);
  }
  const jobs = await wholeJobs(session, keys);
  const items = page.finished ? jobs : jobs.filter(({ state }) => !FINAL_STATES.some((final) => final === state));
  return { items, next: more ? encodeCursor([last[0], last[1]]) : null };
}

async function wholeJobs(session: Session, keys: readonly (readonly [string, string])[]): Promise<WholeJob[]> {
  if (keys.length === 0) return [];
  const { s, names } = session;
  const text = `with running as materialized (
      select h.job_id, h.attempt, coalesce(n.name, '?') as name from ${s}.lease l cross join lateral ${s}.held(l) h
      left join ${s}.instance_name n on n.id = l.instance_id)
    select j.bucket, j.id, j.lane_id, j.kind_id, j.created_at, j.max_attempts, j.max_crashes, j.input, j.meta,
      coalesce(r.attempt, p.attempt), w.attempt, w.run_at, h.attempt, h.name, c.reason,
      (select json_agg(json_build_object('at', f.at, 'attempt', f.attempt, 'state', f.state, 'ms', f.ms, 'detail', f.detail, 'instance', n.name)
        order by f.at, f.attempt, case when f.state in ('S', 'D', 'C') then 3 when f.state = 'Q' then 2 when f.state in ('s', 'd', 'c') then 1 else 0 end)
        from ${s}.finished f left join ${s}.instance_name n on n.id = f.lease_id >> 32
        where f.job_id = j.id and f.bucket = j.bucket and f.day >= j.bucket)
    from unnest($1::int[], $2::bigint[]) as u (bucket, id) join ${s}.job j on j.bucket = u.bucket and j.id = u.id
    left join ${s}.ready r on r.lane_id = j.lane_id and r.job_id = j.id
    left join ${s}.parked p on p.lane_id = j.lane_id and p.job_id = j.id
    left join ${s}.scheduled w on w.job_id = j.id
    left join ${s}.cancel_request c on c.job_id = j.id
    left join running h on h.job_id = j.id
    order by j.bucket, j.id`;
  const values = [numbers(keys.map(([bucket]) => bucket)), numbers(keys.map(([, id]) => id))];
  const rows = await run(session, "whole_jobs", text, values);
  const laneOf = await names.lanesById(rows.map((row) => Number(row[2])));
  const kindOf = await names.kindsById(rows.map((row) => Number(row[3])));
  return rows.flatMap((row): WholeJob[] => {
    const [bucket, id, lane, kind, createdAt, maxAttempts, maxCrashes, input, meta = null] = row;
    const [ready = null, later = null, dueAt = null, running = null, instance = null, reason = null] = row.slice(9);
    const history = (JSON.parse(row[15] ?? "[]") as StoredLine[]).map(toEntry);
    const end = FINAL_STATES.find((state) => state === history.at(-1)?.what);
    const state = ready !== null ? "ready" : later !== null ? "scheduled" : running !== null ? "running" : end;
    if (state === undefined) return [];
    return [
      {
        id: jobId(bucket ?? "", id ?? ""),
        name: kindOf(Number(kind)),
        ...{ queue: laneOf(Number(lane)).queue, priority: laneOf(Number(lane)).priority, state },
        attempt: Number(ready ?? later ?? running ?? history.at(-1)?.attempt ?? 0),
        maxAttempts: Number(maxAttempts),
        maxCrashes: Number(maxCrashes),
        createdAt: Number(createdAt),
        dueAt: maybeNumber(dueAt),
        ...{ input: input ?? "", meta, instance, cancelRequested: reason, history },
      },
    ];
  });
}

interface StoredLine extends Pick<WholeEntry, "at" | "attempt" | "ms" | "instance"> {
  readonly state: string;
  readonly detail: string | null;
}

function toEntry({ at, attempt, state, ms, detail, instance }: StoredLine): WholeEntry {
  const succeeded = "Ss".includes(state);
  const what = WORDS[state] ?? "lost";
  return { at, attempt, what, ms, instance, error: succeeded ? null : detail, result: succeeded ? detail : null };
}

export async function importJobs(
  session: Session,
  source: string,
  jobs: readonly WholeJob[],
): Promise<readonly Imported[]> {
  if (jobs.length === 0) return [];
  return onServer(session, (names) => importWith(session, names, source, jobs));
}

async function importWith(
  session: Session,
  names: Names,
  source: string,
  jobs: readonly WholeJob[],
): Promise<readonly Imported[] | null> {
  const { s } = session;
  await names.learnLanes(jobs);
  await names.learnKinds(jobs.map(({ name }) => name));
  const [clock] = await run(session, "now", `select ${s}.now_ms()`, []);
  const landings = jobs.map((job) => landingOf(job, Number(clock?.[0])));
  const lines = landings.flatMap(({ history }) => history);
  const instances = await instanceIds(session, new Set(lines.flatMap(({ instance }) => instance ?? [])));
  await makeDays(session, jobs);
  const sent = jobs.map((job, index) => {
    const { history, next } = landings[index] as (typeof landings)[number];
    const { maxAttempts, maxCrashes, createdAt, input, meta } = job;
    const counted = asCounted(history);
    return {
      ...{ key: sourceKey(job), maxAttempts, maxCrashes, createdAt, input, meta, to: next.to, attempt: next.attempt },
      ...{ lane: names.lane(job.queue, job.priority), kind: names.kind(job.name) },
      ...(next.to === "scheduled" ? { dueAt: next.at } : {}),
      history: history.map(({ at, attempt, what, ms, error, result, instance }, line) => {
        const past =
          FINAL_STATES.some((state) => state === what) && !(next.to === "final" && line === history.length - 1);
        const letter = LETTERS[what];
        return {
          ...{ at, attempt, ms: ms === null ? null : Math.round(ms), detail: error ?? result },
          ...{
            state: past ? letter.toLowerCase() : letter,
            instance: instance === null ? null : instances.get(instance),
            retried: counted[line]?.what === "retry",
          },
        };
      }),
    };
  });
  const text = `select * from ${s}.import_jobs($1, $2::jsonb, $3::timestamptz)`;
  // Sending it again changes nothing: what was written the first time is found.
  const rows = await run(session, "import_jobs", text, [source, JSON.stringify(sent), names.server]);
  if (rows.length === 0) return null;
  const imported = rows.map(([bucket, id, existed]): Imported => {
    return { id: jobId(bucket ?? "", id ?? ""), existed: existed === "t" };
  });
  const fresh = jobs.flatMap((job, index) => {
    const made = imported[index];
    const landing = landings[index];
    return made === undefined || landing === undefined || made.existed
      ? []
      : [{ job, next: landing.next, id: made.id }];
  });
  tell(session, newsOf(names, fresh));
  return imported;
}

function newsOf(
  names: Names,
  fresh: readonly { readonly job: WholeJob; readonly id: JobId; readonly next: ReturnType<typeof landingOf>["next"] }[],
): News {
  const ready = fresh.filter(({ next }) => next.to === "ready");
  const lanes = new Map<number, string>();
  for (const { job, id } of ready) {
    const lane = names.lane(job.queue, job.priority);
    if (!lanes.has(lane)) lanes.set(lane, id.slice(id.indexOf("-") + 1));
  }
  const due = fresh.flatMap(({ next }) => (next.to === "scheduled" ? [next.at] : []));
  return {
    ...(ready.length > 0 ? { queues: [...new Set(ready.map(({ job }) => job.queue))], lanes: [...lanes] } : {}),
    ...(due.length > 0 ? { scheduledAt: Math.min(...due) } : {}),
  };
}

/** What history calls the instances of another store: names that have a number here, or get one. */
async function instanceIds(session: Session, wanted: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
  if (wanted.size === 0) return new Map();
  const { s } = session;
  const find = `select name, min(id) from ${s}.instance_name where name = any ($1::text[]) group by name`;
  const found = async () =>
    new Map(
      (await run(session, "find_instances", find, [texts([...wanted])])).map(([name, id]) => [name ?? "", Number(id)]),
    );
  const known = await found();
  const missing = [...wanted].filter((name) => !known.has(name));
  if (missing.length === 0) return known;
  const add = `insert into ${s}.instance_name (id, name, registered_at)
    select nextval(pg_get_serial_sequence($2, 'id')), u.name, ${s}.now_ms() from unnest($1::text[]) as u (name) where ${here(3)} returning 1`;
  const values = [texts(missing), `${s}.instance`, session.names.server];
  const added = await run(session, "add_instances", add, values, "if-refused");
  if (added.length === 0) throw new Elsewhere();
  return found();
}

/** Finished jobs of past days get partitions of their own; without the right or the lock they go to the default one. */
async function makeDays(session: Session, jobs: readonly WholeJob[]): Promise<void> {
  const finished = jobs.filter(({ state }) => FINAL_STATES.some((final) => final === state));
  const ends = finished.flatMap(({ createdAt, history }) => [createdAt, history.at(-1)?.at ?? createdAt]);
  const days = [...new Set(ends.map((at) => Math.floor(at / DAY)))];
  if (days.length === 0) return;
  try {
    await run(session, "make_days", `select ${session.s}.make_days($1::int[])`, [numbers(days)]);
  } catch (err) {
    session.logger.warn({ err }, `days of imported history have no partition of their own: ${messageOf(err)}`);
  }
}

export async function findImported(
  session: Session,
  source: string,
  jobs: readonly SourceJob[],
): Promise<readonly (JobId | null)[]> {
  const text = `select i.bucket, i.job_id from unnest($2::text[]) with ordinality as u (key, place)
    left join ${session.s}.imported i on i.source = $1 and i.source_job = u.key order by u.place`;
  const rows = await run(session, "find_imported", text, [source, texts(jobs.map(sourceKey))]);
  return rows.map(([bucket = null, id = null]) => (bucket === null || id === null ? null : jobId(bucket, id)));
}
