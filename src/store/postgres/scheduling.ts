/** Schedules, calendars and leadership in PostgreSQL. */
import type {
  Fire,
  Fired,
  JobId,
  NewJob,
  NewSchedule,
  Page,
  PageRequest,
  ScheduleQuery,
  ScheduleSource,
  StoredGroup,
  StoredOccurrence,
  StoredSchedule,
  Term,
} from "../contract.ts";
import { decodeCursor, pageOf } from "../shared/cursor.ts";
import { numbers, texts } from "./arrays.ts";
import type { Row } from "./driver.ts";
import { here } from "./elsewhere.ts";
import { parseJobId } from "./job-id.ts";
import { onServer } from "./meeting.ts";
import type { Names } from "./names.ts";
import type { News } from "./notifier.ts";
import { maybeNumber, run, type Session, tell } from "./session.ts";

const COLUMNS = `id, "group", source, job, definition, next_at, paused, revision, created_at, updated_at, last_at, last_job`;

export async function saveSchedules(
  session: Session,
  schedules: readonly NewSchedule[],
  expected: readonly number[] | undefined,
): Promise<readonly (StoredSchedule | null)[]> {
  if (schedules.length === 0) return [];
  const list = schedules.map(({ id, group, source, job, definition, nextAt, paused }) => ({
    ...{ id, group, source, job, definition, nextAt, paused },
  }));
  const text = `select ${COLUMNS} from ${session.s}.save_schedules($1::jsonb, $2::bigint[], $3::timestamptz)`;
  const values = [JSON.stringify(list), expected === undefined ? null : numbers(expected)];
  // Not repeated when the answer is lost: with an expected revision, the second time would be refused by the first.
  const rows = await onServer(session, async ({ server }) => {
    const saved = await run(session, "save_schedules", text, [...values, server], "if-refused");
    return saved.length === 0 ? null : saved;
  });
  const saved = rows.map((row) => (row[0] === null ? null : toSchedule(row)));
  if (saved.some((schedule) => schedule !== null)) tell(session, { schedules: true });
  return saved;
}

export async function getSchedules(session: Session, ids: readonly string[]): Promise<readonly StoredSchedule[]> {
  const text = `select ${COLUMNS} from ${session.s}.schedule where id = any ($1::text[])`;
  const rows = await run(session, "get_schedules", text, [texts(ids)]);
  const found = new Map(rows.map((row) => [row[0], toSchedule(row)]));
  return ids.flatMap((id) => found.get(id) ?? []);
}

export async function listSchedules(session: Session, query: ScheduleQuery): Promise<Page<StoredSchedule>> {
  const after = decodeCursor(query.cursor, ["string"])?.[0] ?? "";
  const { group = null, job = null, paused = null, source = null, limit } = query;
  // One text for both would walk from the first id on: its plan may not count on what is given.
  const [name, within] = group
    ? ["list_group", `"group" = $2 and "group" <> ''`]
    : ["list_schedules", `($2::text is null or "group" = $2)`];
  const text = `select ${COLUMNS} from ${session.s}.schedule
    where id > $1 and ${within} and ($3::text is null or job = $3)
      and ($4::boolean is null or paused = $4) and ($5::text is null or source = $5)
    order by id limit $6`;
  const rows = await run(session, name, text, [after, group, job, paused, source, limit + 1]);
  return pageOf(rows.map(toSchedule), query, ({ id }) => [id]);
}

export async function scheduleGroups(session: Session): Promise<readonly StoredGroup[]> {
  const text = `select "group", count(*), count(*) filter (where paused) from ${session.s}.schedule group by "group"`;
  const rows = await run(session, "schedule_groups", text, []);
  return rows.map(([group, schedules, paused]) => {
    return { group: group ?? "", schedules: Number(schedules), paused: Number(paused) };
  });
}

export async function removeSchedules(
  session: Session,
  ids: readonly string[],
  expected: readonly number[] | undefined,
): Promise<readonly string[]> {
  const text = `select * from ${session.s}.remove_schedules($1::text[], $2::bigint[])`;
  const revisions = numbers(expected ?? ids.map(() => null));
  const rows = await run(session, "remove_schedules", text, [texts(ids), revisions]);
  const gone = new Set(rows.map(([id]) => id));
  if (gone.size > 0) tell(session, { schedules: true });
  return ids.filter((id) => gone.delete(id));
}

export async function dueSchedules(session: Session, limit: number) {
  const { s } = session;
  // One reading of the clock for all three answers.
  const text = `with clock as materialized (select ${s}.now_ms() as now),
      due as (select d.* from clock, lateral (
        select * from ${s}.schedule where not paused and next_at <= clock.now order by next_at, id limit $1) d)
    select c.now, (select min(next_at) from ${s}.schedule where not paused and next_at > c.now), ${COLUMNS}
    from clock c left join due on true order by next_at, id`;
  const rows = await run(session, "due_schedules", text, [limit]);
  return {
    now: Number(rows[0]?.[0]),
    nextAt: maybeNumber(rows[0]?.[1]),
    due: rows.filter((row) => row[2] !== null).map((row) => toSchedule(row.slice(2))),
  };
}

export async function fire(session: Session, fires: readonly Fire[], by: string): Promise<readonly Fired[]> {
  if (fires.length === 0) return [];
  const jobs = fires.flatMap(({ occurrences }) => occurrences.flatMap(({ job }) => job ?? []));
  const movesOf = (names: Names) =>
    fires.map(({ schedule, revision, occurrences, nextAt, definition, cancel }) => ({
      ...{ schedule, revision, nextAt, definition },
      ...(cancel && { cancel: { reason: cancel.reason, jobs: cancel.jobs.flatMap((id) => parseJobId(id) ?? []) } }),
      occurrences: occurrences.map(({ at, what, reason, job }) => ({ at, what, reason, job: job && wire(names, job) })),
    }));
  const text = `select * from ${session.s}.fire($1::jsonb, $2, $3::timestamptz)`;
  // A second time finds its own revision gone and says "stale"; nothing is made twice.
  const rows = await onServer(session, async (names) => {
    await names.learnLanes(jobs);
    await names.learnKinds(jobs.map(({ name }) => name));
    const fired = await run(session, "fire", text, [JSON.stringify(movesOf(names)), by, names.server], "if-refused");
    return fired.length === 0 ? null : fired;
  });
  const parts: Row[][] = fires.map(() => []);
  for (const row of rows) parts[Number(row[0])]?.push(row);
  tellFired(session, fires, parts);
  return fires.map(({ schedule, occurrences }, index): Fired => {
    const [own, ...rest] = parts[index] ?? [];
    const revision = own?.[1] ?? null;
    if (revision === null) return { schedule, stale: true };
    const jobs = rest.slice(0, occurrences.length).map((row): JobId | null => row[3] ?? null);
    return { schedule, stale: false, revision: Number(revision), jobs };
  });
}

function wire(names: Names, job: NewJob) {
  const { input, meta, maxAttempts, maxCrashes, due } = job;
  const when = due === undefined ? {} : "in" in due ? { in: Math.ceil(due.in) } : { at: Math.ceil(due.at) };
  return {
    ...{ input, meta, maxAttempts, maxCrashes },
    ...when,
    lane: names.lane(job.queue, job.priority),
    kind: names.kind(job.name),
  };
}

/** @param parts the answer's rows of each move: its own, one per occurrence, one per job that was to be cancelled */
function tellFired(session: Session, fires: readonly Fire[], parts: readonly (readonly Row[])[]): void {
  const queues = new Set<string>();
  const finished: JobId[] = [];
  let [scheduledAt, moved, requested] = [Infinity, false, false];
  for (const [index, { occurrences }] of fires.entries()) {
    const [own, ...rest] = parts[index] ?? [];
    moved ||= own !== undefined && own[1] !== null;
    for (const [nth, row] of rest.entries()) {
      const made = occurrences[nth]?.job;
      if (nth >= occurrences.length) {
        if (row[4] === "cancelled" && row[3]) finished.push(row[3]);
        requested ||= row[4] === "requested";
      } else if (made !== undefined && row[3] !== null) {
        const due = maybeNumber(row[4]);
        if (due === null) queues.add(made.queue);
        else scheduledAt = Math.min(due, scheduledAt);
      }
    }
  }
  const news: News = {
    ...(moved ? { schedules: true } : {}),
    ...(queues.size > 0 ? { queues: [...queues] } : {}),
    ...(Number.isFinite(scheduledAt) ? { scheduledAt } : {}),
    ...(finished.length > 0 ? { finished } : {}),
    ...(requested ? { cancellation: true } : {}),
  };
  if (Object.keys(news).length > 0) tell(session, news);
}

export async function listOccurrences(
  session: Session,
  schedule: string,
  page: PageRequest,
): Promise<Page<StoredOccurrence>> {
  const before = decodeCursor(page.cursor, ["number"])?.[0] ?? null;
  const text = `select at, what, reason, job, fired_at, by from ${session.s}.occurrence
    where schedule_id = $1 and ($2::bigint is null or at < $2) order by at desc limit $3`;
  const rows = await run(session, "list_occurrences", text, [schedule, before, page.limit + 1]);
  const items = rows.map(
    ([at, what, reason = null, job = null, firedAt, by]): StoredOccurrence => ({
      schedule,
      at: Number(at),
      what: what as StoredOccurrence["what"],
      reason,
      job,
      firedAt: Number(firedAt),
      by: by ?? "",
    }),
  );
  return pageOf(items, page, ({ at }) => [at]);
}

export async function pruneOccurrences(session: Session, before: number, limit: number): Promise<number> {
  const { s } = session;
  const text = `with gone as (delete from ${s}.occurrence where ctid = any (array(
      select ctid from ${s}.occurrence where at < $1 order by at limit $2 for update skip locked)) returning 1)
    select count(*) from gone`;
  const [row] = await run(session, "prune_occurrences", text, [Math.ceil(before), limit]);
  return Number(row?.[0]);
}

export async function saveCalendar(session: Session, name: string, definition: string): Promise<void> {
  const text = `insert into ${session.s}.calendar values ($1, $2) on conflict (name) do update set definition = excluded.definition`;
  await run(session, "save_calendar", text, [name, definition]);
  tell(session, { schedules: true });
}

export async function removeCalendar(session: Session, name: string): Promise<boolean> {
  const rows = await run(session, "remove_calendar", `delete from ${session.s}.calendar where name = $1 returning 1`, [
    name,
  ]);
  if (rows.length > 0) tell(session, { schedules: true });
  return rows.length > 0;
}

export async function listCalendars(session: Session) {
  const rows = await run(
    session,
    "list_calendars",
    `select name, definition from ${session.s}.calendar order by name`,
    [],
  );
  return rows.map(([name, definition]) => ({ name: name ?? "", definition: definition ?? "" }));
}

export async function campaign(session: Session, role: string, holder: string, ttl: number): Promise<Term | null> {
  const { s } = session;
  // The sequence may skip numbers of those that lost; a token only has to grow.
  const text = `with won as (
      insert into ${s}.leader as l (role, holder, token, expires_at)
      select $1, $2, nextval('${s.replaceAll("'", "''")}.term_seq'), ${s}.now_ms() + $3::bigint where ${here(4)}
      on conflict (role) do update set holder = excluded.holder, token = excluded.token, expires_at = ${s}.now_ms() + $3::bigint
        where l.expires_at <= ${s}.now_ms() returning token)
    select (select token from won) where ${here(4)}`;
  // A term whose answer was lost runs out by itself.
  const [token = null] = await onServer(session, async ({ server }) => {
    const [row] = await run(session, "campaign", text, [role, holder, Math.ceil(ttl), server], "if-refused");
    return row ?? null;
  });
  return token === null ? null : { role, token, holder, ttl };
}

export async function renew(session: Session, role: string, token: string, ttl: number): Promise<boolean> {
  const { s } = session;
  const text = `update ${s}.leader set expires_at = ${s}.now_ms() + $3::bigint
    where role = $1 and token::text = $2 and expires_at > ${s}.now_ms() returning 1`;
  return (await run(session, "renew", text, [role, token, Math.ceil(ttl)])).length > 0;
}

export async function resign(session: Session, role: string, token: string): Promise<void> {
  await run(session, "resign", `delete from ${session.s}.leader where role = $1 and token::text = $2`, [role, token]);
}

export async function leaders(session: Session) {
  const { s } = session;
  const text = `select role, holder, token from ${s}.leader where expires_at > ${s}.now_ms() order by role`;
  const rows = await run(session, "leaders", text, []);
  return rows.map(([role, holder, token]) => ({ role: role ?? "", holder: holder ?? "", token: token ?? "" }));
}

function toSchedule(row: Row): StoredSchedule {
  const [id, group, source, job, definition, nextAt, paused, revision, createdAt, updatedAt, lastAt, lastJob] = row;
  return {
    id: id ?? "",
    group: group ?? "",
    source: source as ScheduleSource,
    job: job ?? "",
    definition: definition ?? "",
    nextAt: maybeNumber(nextAt),
    paused: paused === "t",
    revision: Number(revision),
    createdAt: Number(createdAt),
    updatedAt: Number(updatedAt),
    lastAt: maybeNumber(lastAt),
    lastJob: lastJob ?? null,
  };
}
