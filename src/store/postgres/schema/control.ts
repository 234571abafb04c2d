/** What people do to jobs. Job by job, since each may be in any of four places and may move while we look. */

/**
 * Cancels what waits, asks for what runs. A job that is between two places is held there by a row lock, so that our
 * delete waits for the mover and then finds nothing; the next round looks with a fresh snapshot.
 */
export const cancel = `
create function cancel(p_buckets int[], p_jobs bigint[], p_reason text) returns text[]
language plpgsql set search_path from current as $$
declare
  v_now bigint := now_ms();
  v_job job%rowtype;
  v_attempt int;
  v_lease bigint;
  v_done text;
  v_cancelled int := 0;
  v_result text[] := '{}';
begin
  for v_i in 1 .. cardinality(p_jobs) loop
    select * into v_job from job j where j.bucket = p_buckets[v_i] and j.id = p_jobs[v_i];
    v_done := case when found then null else 'missing' end;
    for v_round in 1 .. 100 loop
      exit when v_done is not null;
      v_attempt := null;
      delete from ready r where r.lane_id = v_job.lane_id and r.job_id = v_job.id returning r.attempt into v_attempt;
      if v_attempt is null then
        delete from scheduled s where s.job_id = v_job.id returning s.attempt into v_attempt;
      end if;
      if v_attempt is null then
        delete from parked p where p.lane_id = v_job.lane_id and p.job_id = v_job.id returning p.attempt into v_attempt;
      end if;
      if v_attempt is not null then
        -- Later than all that its history has: it is read in the order of its times.
        select greatest(now_ms(), max(f.at) + 1) into v_now from finished f where f.job_id = v_job.id and f.day >= v_job.bucket;
        insert into finished (at, job_id, lease_id, day, bucket, lane_id, kind_id, attempt, state, detail)
        values (v_now, v_job.id, 0, greatest(v_now / 86400000, v_job.bucket), v_job.bucket, v_job.lane_id, v_job.kind_id,
          v_attempt, 'C', p_reason);
        v_cancelled := v_cancelled + 1;
        v_done := 'cancelled';
        exit;
      end if;
      select l.id into v_lease from lease l where l.ids @> array[v_job.id] for no key update;
      if found then
        insert into cancel_request (job_id, bucket, reason, at) values (v_job.id, v_job.bucket, p_reason, v_now)
        on conflict (job_id) do update set reason = excluded.reason, at = excluded.at;
        v_done := 'requested';
      elsif exists (select from finished f where f.job_id = v_job.id and f.day >= v_job.bucket and f.state in ('S', 'D', 'C')) then
        v_done := 'final';
      elsif not exists (select from job j where j.bucket = v_job.bucket and j.id = v_job.id) then
        v_done := 'missing';
      end if;
    end loop;
    v_result := v_result || coalesce(v_done, 'missing');
  end loop;
  if v_cancelled > 0 then
    insert into tally values (v_now - v_now % 60000, 0, 0, 0, v_cancelled);
  end if;
  return v_result;
end $$;
`;

/** Makes final jobs ready again. The end that they had stays in their history, in a small letter: made past. */
export const retry = `
create function retry(p_buckets int[], p_jobs bigint[])
returns table (o_bucket int, o_id bigint, o_lane int)
language plpgsql set search_path from current as $$
declare
  v_now bigint := now_ms();
  v_end finished%rowtype;
begin
  -- A day that is being dropped must not lose a job that is coming back, nor count one twice.
  perform pg_advisory_xact_lock_shared(hashtext(current_schema() || '/ends'), 0);
  for v_i in 1 .. cardinality(p_jobs) loop
    update finished f set state = lower(f.state::text)::"char"
    where f.job_id = p_jobs[v_i] and f.bucket = p_buckets[v_i] and f.day >= p_buckets[v_i] and f.state in ('S', 'D', 'C')
    returning * into v_end;
    continue when not found;
    v_now := greatest(now_ms(), v_end.at + 1);
    insert into finished (at, job_id, lease_id, day, bucket, lane_id, kind_id, attempt, state)
    values (v_now, v_end.job_id, 0, greatest(v_now / 86400000, v_end.day), v_end.bucket, v_end.lane_id, v_end.kind_id,
      v_end.attempt, 'Q');
    insert into ready (job_id, lane_id, kind_id, bucket, attempt)
    values (v_end.job_id, v_end.lane_id, v_end.kind_id, v_end.bucket, v_end.attempt);
    o_bucket := v_end.bucket; o_id := v_end.job_id; o_lane := v_end.lane_id;
    return next;
  end loop;
end $$;
`;

/** Makes scheduled jobs ready now. */
export const runNow = `
create function run_now(p_jobs bigint[])
returns table (o_bucket int, o_id bigint, o_lane int)
language sql set search_path from current as $$
  with now_due as (
    delete from scheduled s where s.job_id = any (p_jobs) returning s.job_id, s.lane_id, s.kind_id, s.bucket, s.attempt
  ), put as (
    insert into ready (job_id, lane_id, kind_id, bucket, attempt)
    select n.job_id, n.lane_id, n.kind_id, n.bucket, n.attempt from now_due n
  )
  select n.bucket, n.job_id, n.lane_id from now_due n
$$;
`;

/** Pauses a queue. The exclusive lock waits for the claims that are under way, so that none ends after this. */
export const pause = `
create function pause(p_queue int, p_reason text) returns void
language plpgsql set search_path from current as $$
begin
  perform pg_advisory_xact_lock(hashtext(current_schema()), p_queue);
  update queue q set paused_at = coalesce(q.paused_at, now_ms()), pause_reason = p_reason where q.id = p_queue;
end $$;
`;
