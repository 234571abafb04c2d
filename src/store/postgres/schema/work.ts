/**
 * The worker's statement: settle what ended, claim what is next, in one round trip and one commit.
 *
 * A claim deletes from `ready` in key order, lane by lane. Each lane is entered at the caller's floor, the smallest id
 * of its last claim: without it, a transaction that holds back vacuum makes every claim step over all the rows that
 * were deleted since. What stands below the floor (a slow committer's rows, handed-back jobs) is found by a sweep from
 * zero: p_sweep 1 asks for one where a claim comes back short, 2 at once.
 *
 * \`ctid = any(array(...))\` makes a TID scan that reads no index twice; rows of \`ready\` are never updated, so a ctid is
 * stable under its lock. Scans are pinned: fresh statistics on a table that is empty or full by the second mislead.
 *
 * Rows with an id are jobs. Rows without: a lease's header (o_created is when it was claimed), or, where o_attempt is
 * -1, a lease whose settlement is refused.
 */
export const work = `
create function work(
  p_instance int,
  p_leases bigint[], p_ends int[], p_jobs bigint[], p_states "char"[], p_ms int[], p_waits bigint[], p_details text[],
  p_queues int[], p_limits int[], p_kinds int[], p_lanes int[], p_floors bigint[], p_sweep int
) returns table (
  o_lease bigint, o_id bigint, o_bucket int, o_lane int, o_kind int, o_attempt int, o_max int, o_created bigint,
  o_input text, o_meta text
)
language plpgsql set search_path from current set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
  v_now bigint;
  v_refused bigint;
  v_lock int := hashtext(current_schema());
  v_left int; v_want int; v_known int; v_seen int;
  v_lane int; v_floor bigint;
  v_lease bigint;
  -- of the batch of one lane, and of the lease so far
  b_ids bigint[]; b_buckets int[]; b_kinds int[]; b_attempts int[]; b_max int[]; b_created bigint[]; b_inputs text[]; b_metas text[];
  l_ids bigint[]; l_buckets int[]; l_lanes int[]; l_kinds int[]; l_attempts int[]; l_max int[]; l_created bigint[];
  l_inputs text[]; l_metas text[];
begin
  if p_leases is not null then
    foreach v_refused in array settle(p_instance, p_leases, p_ends, p_jobs, p_states, p_ms, p_waits, p_details) loop
      o_lease := v_refused; o_attempt := -1;
      return next;
    end loop;
  end if;
  if p_queues is null then return; end if;
  perform pg_advisory_xact_lock_shared(hashtext(current_schema() || '/instance'), p_instance);
  v_now := now_ms();
  if not exists (select from instance i where i.id = p_instance and i.expires_at > v_now) then
    return;
  end if;

  for v_queue in 1 .. cardinality(p_queues) loop
    -- Pausing takes this lock exclusively: no claim that began before a pause ends after it.
    perform pg_advisory_xact_lock_shared(v_lock, p_queues[v_queue]);
    continue when exists (select from queue q where q.id = p_queues[v_queue] and q.paused_at is not null);
    v_left := p_limits[v_queue];
    l_ids := null; l_buckets := null; l_lanes := null; l_kinds := null; l_attempts := null; l_max := null; l_created := null;
    l_inputs := null; l_metas := null;

    for v_sweep in (p_sweep / 2) .. (case when p_sweep = 0 then 0 else 1 end) loop
      exit when v_left <= 0;
      for v_lane in select n.id from lane n where n.queue_id = p_queues[v_queue] order by n.priority desc loop
        v_floor := case when v_sweep = 0 then coalesce(p_floors[array_position(p_lanes, v_lane)], 0) else 0 end;
        while v_left > 0 loop
          v_want := v_left;
          with taken as materialized (
            delete from ready where ctid = any (array(
              select r.ctid from ready r where r.lane_id = v_lane and r.job_id >= v_floor
              order by r.job_id limit v_want for update skip locked))
            returning job_id, bucket, attempt
          ), found as materialized (
            select t.job_id, t.bucket, t.attempt, j.kind_id, j.max_attempts, j.created_at, j.input, j.meta,
              j.kind_id = any (p_kinds) as known
            from taken t join job j on j.bucket = t.bucket and j.id = t.job_id
            order by t.job_id
          ), aside as (
            insert into parked (job_id, lane_id, kind_id, bucket, attempt)
            select f.job_id, v_lane, f.kind_id, f.bucket, f.attempt from found f where not f.known
          )
          select count(*), count(*) filter (where f.known),
            array_agg(f.job_id) filter (where f.known), array_agg(f.bucket) filter (where f.known),
            array_agg(f.kind_id) filter (where f.known), array_agg(f.attempt + 1) filter (where f.known),
            array_agg(greatest(f.max_attempts, f.attempt + 1)) filter (where f.known),
            array_agg(f.created_at) filter (where f.known), array_agg(f.input) filter (where f.known),
            array_agg(f.meta) filter (where f.known)
            into v_seen, v_known, b_ids, b_buckets, b_kinds, b_attempts, b_max, b_created, b_inputs, b_metas
            from found f;
          if v_known > 0 then
            l_lanes := l_lanes || array_fill(v_lane, array[v_known]);
            l_ids := l_ids || b_ids; l_buckets := l_buckets || b_buckets; l_kinds := l_kinds || b_kinds;
            l_attempts := l_attempts || b_attempts; l_max := l_max || b_max; l_created := l_created || b_created;
            l_inputs := l_inputs || b_inputs; l_metas := l_metas || b_metas;
            v_left := v_left - v_known;
          end if;
          -- All taken were known, or none was left: the lane has nothing more for us.
          exit when v_seen = v_known;
        end loop;
        exit when v_left <= 0;
      end loop;
    end loop;

    if l_ids is not null then
      v_lease := (p_instance::bigint << 32) | (nextval('lease_seq') & 4294967295);
      insert into lease (id, claimed_at, instance_id, queue_id, ids, buckets, lanes, kinds, attempts)
      values (v_lease, v_now, p_instance, p_queues[v_queue], l_ids, squeeze(l_buckets), squeeze(l_lanes), squeeze(l_kinds),
        squeeze(l_attempts));
      o_lease := v_lease; o_attempt := 0; o_created := v_now;
      return next;
      return query
        select v_lease, u.* from unnest(l_ids, l_buckets, l_lanes, l_kinds, l_attempts, l_max, l_created, l_inputs, l_metas) as u;
      o_lease := null; o_attempt := null; o_created := null;
    end if;
  end loop;
end $$;
`;
