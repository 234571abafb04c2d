/**
 * The tables. Nothing on the hot path is ever updated: a job's body is written once, being runnable is a row in `ready`,
 * being run is one `lease` row per claimed batch, and an attempt's end is an appended row of `finished`.
 *
 * Times are milliseconds since 1970 UTC, from the database's clock; days are those divided by 86,400,000. Everything
 * is unqualified: migrations and functions run with the schema as their search path.
 */
export const tables = `
create sequence job_seq;
create sequence revision_seq;
create sequence term_seq;

create table queue (
  id int generated always as identity primary key,
  name text collate "C" not null unique,
  paused_at bigint,
  pause_reason text
);
create table kind (
  id int generated always as identity primary key,
  name text collate "C" not null unique
);
-- A queue and a priority: what a claim walks along.
create table lane (
  id int generated always as identity primary key,
  queue_id int not null references queue,
  priority smallint not null,
  unique (queue_id, priority)
);

create table job (
  id bigint not null, created_at bigint not null,
  bucket int not null, lane_id int not null, kind_id int not null,
  max_attempts int not null, max_crashes int not null,
  input text not null, meta text,
  primary key (bucket, id)
) partition by range (bucket);
create table job_default partition of job default;

-- The table is the index of runnable work: its key is the order of claiming. Vacuumed by count, not by share: it is
-- small and turns over completely.
create table ready (
  job_id bigint not null, lane_id int not null, kind_id int not null, bucket int not null, attempt int not null,
  primary key (lane_id, job_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

create table scheduled (
  job_id bigint not null primary key, run_at bigint not null, lane_id int not null, kind_id int not null, bucket int not null,
  attempt int not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create index scheduled_due on scheduled (run_at, job_id);

-- Ready, but of a name that no process knew when it stood at the head of its lane. The same key, for lists of both.
create table parked (
  job_id bigint not null, lane_id int not null, kind_id int not null, bucket int not null, attempt int not null,
  primary key (lane_id, job_id)
);
create index parked_kind on parked (kind_id, lane_id, job_id);

-- The only rows that are updated all the time, one per process: room for it on the page.
create table instance (
  id int generated always as identity primary key,
  expires_at bigint not null, started_at bigint not null,
  pid int not null, concurrency int not null,
  name text not null, host text not null, version text not null, queues text[] not null, names text[] not null
) with (fillfactor = 50);
-- What history calls an instance that is long gone; left_at is when it was first found gone.
create table instance_name (id int primary key, name text not null, registered_at bigint not null, left_at bigint);

-- One row per claimed batch. The id is the fencing token: the instance in the upper half, that process's own count in the lower.
-- The arrays list the jobs still held; buckets, lanes, kinds and attempts have one element when all are the same.
create table lease (
  id bigint primary key, claimed_at bigint not null, instance_id int not null, queue_id int not null,
  ids bigint[] not null, buckets int[] not null, lanes int[] not null, kinds int[] not null, attempts int[] not null
) with (fillfactor = 70, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0);
-- Not worth compressing: it is gone in milliseconds.
alter table lease alter column ids set storage external;
create index lease_instance on lease (instance_id);

create table cancel_request (job_id bigint primary key, bucket int not null, reason text not null, at bigint not null);

-- Attempt log, acknowledgement and history in one. State: S succeeded, R retry, D dead, C cancelled, Z snoozed, L lost,
-- Q requeued; s, d, c are ends that a person's retry has made past. The final state of a job is its one S, D or C.
create table finished (
  at bigint not null, job_id bigint not null, lease_id bigint not null,
  day int not null, bucket int not null, lane_id int not null, kind_id int not null, attempt int not null, ms int,
  state "char" not null, detail text
) partition by range (day);
create table finished_default partition of finished default;
create index finished_job on finished (job_id);
create index finished_bad on finished (state, at, job_id) where state in ('D', 'C');
-- Lists of successes walk back in time; a block-range index costs no write per job, as a tree would.
create index finished_at on finished using brin (at) with (pages_per_range = 32, autosummarize = on);

-- Counts of finished work: a line per settled batch, folded into minutes by upkeep. Updating a counter in the
-- settling commit would make all commits wait for one another.
create table tally (minute bigint not null, succeeded int not null, retried int not null, dead int not null, cancelled int not null);
-- The row of minute -1 holds the totals.
create table rollup (
  minute bigint primary key, succeeded bigint not null, retried bigint not null, dead bigint not null, cancelled bigint not null
) with (fillfactor = 70);

create table leader (
  role text collate "C" primary key, holder text not null, token bigint not null, expires_at bigint not null
) with (fillfactor = 50);

create table schedule (
  id text collate "C" primary key,
  "group" text not null, source text not null, job text not null, definition text not null,
  next_at bigint, paused boolean not null, revision bigint not null,
  created_at bigint not null, updated_at bigint not null, last_at bigint, last_job text
);
create index schedule_due on schedule (next_at, id) where not paused;
-- Each fire writes into every index of its schedule: those without a group are spared.
create index schedule_group on schedule ("group", id) where "group" <> '';
create table occurrence (
  schedule_id text collate "C" not null, at bigint not null, fired_at bigint not null,
  what text not null, reason text, job text, by text not null,
  primary key (schedule_id, at)
);
create index occurrence_at on occurrence (at);
create table calendar (name text collate "C" primary key, definition text not null);

-- One row. Copies of the database share it: a job is the same job in all of them.
create table identity (id text not null);
insert into identity select gen_random_uuid();

-- Jobs that came from another store, by what they were there: importing again makes no second one.
create table imported (
  source text collate "C" not null, source_job text collate "C" not null, bucket int not null, job_id bigint not null, at bigint not null,
  primary key (source, source_job)
);
create index imported_at on imported (at);

-- The clock of everything. Volatile on purpose: a statement that waited for a lock must not decide by an old time.
create function now_ms() returns bigint language sql volatile
  return (extract(epoch from clock_timestamp()) * 1000)::bigint;
`;
