/**
 * Writes jobs, in one statement of one commit, inside the caller's transaction if there is one. Ids come from one
 * sequence, in the order of the arrays, so that a lane's key order is the order of enqueueing.
 *
 * Arrays of what most jobs share have one element where all are the same. The usual case, all of one kind and due at
 * once, reads them side by side from the arrays: every row of a WITH, or of a function in FROM, is copied once more.
 *
 * No row, and nothing is written, on another server than p_server: see era.ts.
 */
export const enqueue = `
create function enqueue(
  p_lanes int[], p_kinds int[], p_max_attempts int[], p_max_crashes int[], p_inputs text[], p_metas text[],
  p_in bigint[], p_at bigint[], p_server timestamptz
) returns table (o_bucket int, o_ids bigint[], o_due bigint[])
language plpgsql set search_path from current set plan_cache_mode = force_generic_plan as $$
declare
  v_now bigint := now_ms();
  v_lane int; v_kind int; v_attempts int; v_crashes int;
begin
  if p_server is distinct from pg_postmaster_start_time() then return; end if;
  o_bucket := v_now / 86400000;
  if p_in is null and p_at is null and
      cardinality(p_lanes) + cardinality(p_kinds) + cardinality(p_max_attempts) + cardinality(p_max_crashes) = 4 then
    v_lane := p_lanes[1]; v_kind := p_kinds[1]; v_attempts := p_max_attempts[1]; v_crashes := p_max_crashes[1];
    o_ids := array(select nextval('job_seq') from generate_series(1, cardinality(p_inputs)));
    insert into job (id, created_at, bucket, lane_id, kind_id, max_attempts, max_crashes, input, meta)
    select unnest(o_ids), v_now, o_bucket, v_lane, v_kind, v_attempts, v_crashes, unnest(p_inputs), unnest(p_metas);
    insert into ready (job_id, lane_id, kind_id, bucket, attempt)
    select unnest(o_ids), v_lane, v_kind, o_bucket, 0;
  else
    with input as materialized (
      select nextval('job_seq') as id, coalesce(u.lane, p_lanes[1]) as lane, coalesce(u.kind, p_kinds[1]) as kind,
        coalesce(u.attempts, p_max_attempts[1]) as attempts, coalesce(u.crashes, p_max_crashes[1]) as crashes, u.input, u.meta, case when coalesce(u.at, u.wait) is not null then least(coalesce(u.at, v_now + u.wait), 8640000000000000) end as run_at
      from unnest(p_lanes, p_kinds, p_max_attempts, p_max_crashes, p_inputs, p_metas, p_in, p_at)
        as u (lane, kind, attempts, crashes, input, meta, wait, at)
    ), made as (
      insert into job (id, created_at, bucket, lane_id, kind_id, max_attempts, max_crashes, input, meta)
      select i.id, v_now, o_bucket, i.lane, i.kind, i.attempts, i.crashes, i.input, i.meta from input i
    ), later as (
      insert into scheduled (job_id, run_at, lane_id, kind_id, bucket, attempt)
      select i.id, i.run_at, i.lane, i.kind, o_bucket, 0 from input i where i.run_at > v_now
    ), put as (
      insert into ready (job_id, lane_id, kind_id, bucket, attempt)
      select i.id, i.lane, i.kind, o_bucket, 0 from input i where i.run_at is null or i.run_at <= v_now
    )
    select array_agg(i.id order by i.id), array_agg(case when i.run_at > v_now then i.run_at end order by i.id)
      into o_ids, o_due from input i;
  end if;
  return next;
end $$;
`;
