/**
 * Writes jobs from another store with their history. One importer of a source at a time, so that a job is looked for and
 * written without another doing the same between. The history is counted in the minutes that it names.
 */
export const importJobs = `
create function import_jobs(p_source text, p_jobs jsonb, p_server timestamptz)
returns table (o_bucket int, o_id bigint, o_existed boolean)
language plpgsql set search_path from current as $$
declare
  v_now bigint := now_ms();
  v_job jsonb; v_lane int; v_kind int;
begin
  if p_server is distinct from pg_postmaster_start_time() then return; end if;
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
      select l.at - l.at % 60000, count(*) filter (where upper(l.state) = 'S'), count(*) filter (where l.retried),
        count(*) filter (where upper(l.state) = 'D'), count(*) filter (where upper(l.state) = 'C')
      from jsonb_to_recordset(v_job -> 'history') as l (at bigint, state text, retried boolean)
      where l.retried or upper(l.state) in ('S', 'D', 'C') group by 1;
    end if;
    return next;
  end loop;
end $$;
`;
