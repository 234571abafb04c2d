/** What operations need: who this database is, which jobs came from elsewhere, retention by count, forgetting old traces. */

/** Copies of the database share its identity: a job is the same job in all of them. */
export const operationsTables = `
create table identity (id text not null);
insert into identity select gen_random_uuid();

-- Jobs that came from another store, by what they were there: importing again makes no second one.
create table imported (
  source text collate "C" not null, source_job text collate "C" not null, bucket int not null, job_id bigint not null, at bigint not null,
  primary key (source, source_job)
);
create index imported_at on imported (at);

-- When an instance was first found gone. Its name is kept for a while after, for the history of its jobs.
alter table instance_name add column left_at bigint;
`;

/**
 * Like prune, with a cut per state that is an end and not only a time: keeping the newest n asks for that, since many
 * jobs end in one millisecond. A null cut keeps the state for ever.
 */
export const pruneTo = `
create function prune_to(p_succeeded bigint, p_succeeded_job bigint, p_dead bigint, p_dead_job bigint,
  p_cancelled bigint, p_cancelled_job bigint, p_limit int) returns int
language plpgsql set search_path from current as $$
declare
  v_latest bigint := greatest(p_succeeded, p_dead, p_cancelled);
  v_jobs bigint[];
  v_buckets int[];
  v_pruned int;
begin
  -- A day that is being dropped must not lose a job that is coming back, nor count one twice.
  perform pg_advisory_xact_lock_shared(hashtext(current_schema() || '/ends'), 0);
  select array_agg(e.job_id), array_agg(e.bucket) into v_jobs, v_buckets from (
    select f.job_id, f.bucket from finished f
    where f.day <= v_latest / 86400000 and f.at <= v_latest and (
      (f.state = 'S' and (f.at, f.job_id) <= (p_succeeded, p_succeeded_job))
      or (f.state = 'D' and (f.at, f.job_id) <= (p_dead, p_dead_job))
      or (f.state = 'C' and (f.at, f.job_id) <= (p_cancelled, p_cancelled_job)))
    limit p_limit for update skip locked) e;
  if v_jobs is null then return 0; end if;
  delete from finished f where f.job_id = any (v_jobs);
  delete from job j using unnest(v_buckets, v_jobs) as u (bucket, id) where j.bucket = u.bucket and j.id = u.id;
  get diagnostics v_pruned = row_count;
  return v_pruned;
end $$;
`;

/**
 * Forgets what is older than a time. The names of instances go so long after they left, which is when a sweep first
 * missed them: nothing on the way of a job has to write that down. Tokens of leadership come from a sequence, so terms
 * may go; the totals (minute -1) stay.
 */
export const sweep = `
create function sweep(p_age bigint, p_limit int) returns int
language plpgsql set search_path from current as $$
declare
  v_now bigint := now_ms();
  v_swept int := 0;
  v_some int;
begin
  delete from rollup where minute = any (array(
    select r.minute from rollup r where r.minute >= 0 and r.minute < v_now - p_age order by r.minute limit p_limit));
  get diagnostics v_some = row_count; v_swept := v_swept + v_some;
  delete from leader where role = any (array(
    select l.role from leader l where l.expires_at < v_now - p_age limit p_limit for update skip locked));
  get diagnostics v_some = row_count; v_swept := v_swept + v_some;
  delete from imported where (source, source_job) in (
    select i.source, i.source_job from imported i where i.at < v_now - p_age order by i.at limit p_limit);
  get diagnostics v_some = row_count; v_swept := v_swept + v_some;
  update instance_name n set left_at = v_now where n.left_at is null and not exists (select from instance i where i.id = n.id);
  delete from instance_name where id = any (array(
    select n.id from instance_name n where n.left_at < v_now - p_age order by n.id limit p_limit for update skip locked));
  get diagnostics v_some = row_count; v_swept := v_swept + v_some;
  return v_swept;
end $$;
`;

/**
 * Makes partitions for days that imported history is about, as \`maintain\` does for days to come; retention then drops
 * them whole. Runs with the owner's rights.
 */
export const makeDays = `
create function make_days(p_days int[]) returns int
language plpgsql security definer set search_path from current set lock_timeout = '2s' as $$
declare
  v_today int := now_ms() / 86400000;
  v_day int; v_parent text; v_column text; v_name text;
  v_moving boolean;
  v_made int := 0;
begin
  perform pg_advisory_xact_lock(hashtext(current_schema()), -2);
  foreach v_day in array p_days loop
    continue when v_day > v_today or v_day < v_today - 400;
    foreach v_parent in array array['job', 'finished'] loop
      v_name := v_parent || '_p' || v_day;
      continue when to_regclass(quote_ident(current_schema()) || '.' || quote_ident(v_name)) is not null;
      v_column := case v_parent when 'job' then 'bucket' else 'day' end;
      execute format('create table %I (like %I including defaults including constraints including storage)', v_name, v_parent);
      execute format('alter table %I add constraint %I check (%I = %s)', v_name, v_name || '_day', v_column, v_day);
      execute format('select exists (select from %I where %I = %s)', v_parent || '_default', v_column, v_day) into v_moving;
      if v_moving then
        execute format('lock table %I in access exclusive mode', v_parent || '_default');
        execute format('with gone as (delete from %I where %I = %s returning *) insert into %I select * from gone',
          v_parent || '_default', v_column, v_day, v_name);
      end if;
      execute format('alter table %I attach partition %I for values from (%s) to (%s)', v_parent, v_name, v_day, v_day + 1);
      v_made := v_made + 1;
    end loop;
  end loop;
  return v_made;
end $$;
revoke all on function make_days(int[]) from public;
`;

/**
 * Writes jobs from another store with their history. One importer of a source at a time, so that a job is looked for and
 * written without another doing the same between. The history is counted in the minutes that it names.
 */
export const importJobs = `
create function import_jobs(p_source text, p_jobs jsonb)
returns table (o_bucket int, o_id bigint, o_existed boolean)
language plpgsql set search_path from current as $$
declare
  v_now bigint := now_ms();
  v_job jsonb; v_lane int; v_kind int;
begin
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || '/import/' || p_source, 0));
  for v_job in select j.value from jsonb_array_elements(p_jobs) with ordinality as j (value, place) order by j.place loop
    select i.bucket, i.job_id into o_bucket, o_id from imported i where i.source = p_source and i.source_job = v_job ->> 'key';
    o_existed := found;
    if not o_existed then
      o_id := nextval('job_seq');
      o_bucket := least((v_job ->> 'createdAt')::bigint, v_now) / 86400000;
      v_lane := (v_job ->> 'lane')::int; v_kind := (v_job ->> 'kind')::int;
      insert into imported (source, source_job, bucket, job_id, at) values (p_source, v_job ->> 'key', o_bucket, o_id, v_now);
      insert into job (id, created_at, bucket, lane_id, kind_id, max_attempts, max_crashes, input, meta)
      values (o_id, (v_job ->> 'createdAt')::bigint, o_bucket, v_lane, v_kind, (v_job ->> 'maxAttempts')::int,
        (v_job ->> 'maxCrashes')::int, v_job ->> 'input', v_job ->> 'meta');
      if v_job ->> 'to' = 'ready' then
        insert into ready (job_id, lane_id, kind_id, bucket, attempt)
        values (o_id, v_lane, v_kind, o_bucket, (v_job ->> 'attempt')::int);
      elsif v_job ->> 'to' = 'scheduled' then
        insert into scheduled (job_id, run_at, lane_id, kind_id, bucket, attempt)
        values (o_id, (v_job ->> 'dueAt')::bigint, v_lane, v_kind, o_bucket, (v_job ->> 'attempt')::int);
      end if;
      insert into finished (at, job_id, lease_id, day, bucket, lane_id, kind_id, attempt, ms, state, detail)
      select l.at, o_id, coalesce(l.instance, 0)::bigint << 32, greatest(l.at / 86400000, o_bucket), o_bucket, v_lane, v_kind,
        l.attempt, l.ms, l.state, l.detail
      from jsonb_to_recordset(v_job -> 'history') as l (at bigint, instance int, attempt int, ms int, state "char", detail text);
      insert into tally (minute, succeeded, retried, dead, cancelled)
      select l.at - l.at % 60000, count(*) filter (where upper(l.state) = 'S'), count(*) filter (where l.state = 'R'),
        count(*) filter (where upper(l.state) = 'D'), count(*) filter (where upper(l.state) = 'C')
      from jsonb_to_recordset(v_job -> 'history') as l (at bigint, state text)
      where upper(l.state) in ('S', 'R', 'D', 'C') group by 1;
    end if;
    return next;
  end loop;
end $$;
`;
