import { MOST_BYTES } from "../../shared/claiming.ts";

/** What a claim answers: a row for each lease. */
export const LEASES = `returns table (
  o_lease bigint, o_claimed bigint, o_ids bigint[], o_buckets int[], o_lanes int[], o_kinds int[], o_attempts int[],
  o_max int[], o_created bigint[], o_inputs text, o_metas text
)`;
/** How a claim is planned, whatever the statistics say. */
export const PINNED = `language plpgsql set search_path from current set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off`;

/**
 * The worker's statement: settle what ended, claim what is next, in one round trip and one commit.
 *
 * A claim deletes from `ready` in key order, lane by lane. Each lane is entered at the caller's floor, the smallest id
 * of its last claim: without it, a transaction that holds back vacuum makes every claim step over all the rows that
 * were deleted since. What stands below the floor (a slow committer's rows, handed-back jobs) is found by a sweep from
 * zero: p_sweep 1 asks for one where a claim comes back short, 2 at once.
 *
 * Rows are read where they are locked, and deleted by ctid, which reads no index twice: a delete that returns them would
 * fetch each once more and put them in order again. Rows of \`ready\` are never updated, so a ctid is stable under its
 * lock. Scans are pinned: fresh statistics on a table that is empty or full by the second mislead.
 *
 * A row is a lease with all its jobs, in arrays that have one element where all are the same: a row for each job would
 * be written, sent and parsed column by column, which costs more than everything else. Inputs are one text, parted by a
 * character that JSON cannot hold; whoever finds more parts than jobs reads the bodies again, one by one. A row without
 * o_claimed is a lease whose settlement is refused.
 *
 * A row without o_lease: this is another server than p_server, and nothing was done (era.ts).
 *
 * p_first is the id of the lease of the first queue; the others follow. Ids come from the caller, see lease-ids.ts.
 *
 * A batch is bounded by bytes too, or a queue of large inputs would fill a worker's memory. Their sizes are looked at
 * with the bodies, which costs nothing: only where one is larger than its fair share are they added up, and what is
 * too much goes back to \`ready\`.
 */
export const work = `
create function work(
  p_instance int,
  p_leases bigint[], p_ends int[], p_jobs bigint[], p_states "char"[], p_ms int[], p_waits bigint[], p_details text[],
  p_first bigint, p_queues int[], p_limits int[], p_kinds int[], p_lanes int[], p_floors bigint[], p_sweep int,
  p_server timestamptz
) ${LEASES}
${PINNED} as $$
declare
  v_refused bigint;
  v_lock int := hashtext(current_schema());
  v_left int; v_seen int; v_all boolean;
  v_lane int; v_floor bigint;
  v_lease bigint; v_claimed bigint;
  v_bucket int;
  v_found bigint[];
  v_fair int; v_large int; v_fit int;
  -- of the batch of one lane, and of the lease so far
  b_ctids tid[]; b_ids bigint[]; b_buckets int[]; b_kinds int[]; b_attempts int[];
  l_ids bigint[]; l_buckets int[]; l_lanes int[]; l_kinds int[]; l_attempts int[];
begin
  if p_queues is not null and p_server is distinct from pg_postmaster_start_time() then
    return next;
    return;
  end if;
  if p_leases is not null then
    foreach v_refused in array settle(p_instance, p_leases, p_ends, p_jobs, p_states, p_ms, p_waits, p_details) loop
      o_lease := v_refused;
      return next;
    end loop;
  end if;
  if p_queues is null then return; end if;
  perform pg_advisory_xact_lock_shared(hashtext(current_schema() || '/instance'), p_instance);
  if not exists (select from instance i where i.id = p_instance and i.expires_at > now_ms()) then
    return;
  end if;

  for v_queue in 1 .. cardinality(p_queues) loop
    -- Pausing takes this lock exclusively: no claim that began before a pause ends after it.
    perform pg_advisory_xact_lock_shared(v_lock, p_queues[v_queue]);
    continue when exists (select from queue q where q.id = p_queues[v_queue] and q.paused_at is not null);
    v_left := p_limits[v_queue];
    l_ids := null; l_buckets := null; l_lanes := null; l_kinds := null; l_attempts := null;

    for v_sweep in (p_sweep / 2) .. (case when p_sweep = 0 then 0 else 1 end) loop
      exit when v_left <= 0;
      for v_lane in select n.id from lane n where n.queue_id = p_queues[v_queue] order by n.priority desc loop
        v_floor := case when v_sweep = 0 then coalesce(p_floors[array_position(p_lanes, v_lane)], 0) else 0 end;
        while v_left > 0 loop
          select count(*), bool_and(t.kind_id = any (p_kinds)), array_agg(t.ctid), array_agg(t.job_id), array_agg(t.bucket),
            array_agg(t.kind_id), array_agg(t.attempt + 1)
            into v_seen, v_all, b_ctids, b_ids, b_buckets, b_kinds, b_attempts
            from (
              select r.ctid, r.* from ready r where r.lane_id = v_lane and r.job_id >= v_floor
              order by r.job_id limit v_left for update skip locked) t;
          exit when v_seen = 0;
          delete from ready where ctid = any (b_ctids);
          if not v_all then
            -- Names that this process does not know: aside, and on to what stands behind them.
            insert into parked (job_id, lane_id, kind_id, bucket, attempt)
            select u.id, v_lane, u.kind, u.bucket, u.attempt - 1
            from unnest(b_ids, b_buckets, b_kinds, b_attempts) as u (id, bucket, kind, attempt) where u.kind <> all (p_kinds);
            select array_agg(u.id), array_agg(u.bucket), array_agg(u.kind), array_agg(u.attempt)
              into b_ids, b_buckets, b_kinds, b_attempts
              from unnest(b_ids, b_buckets, b_kinds, b_attempts) as u (id, bucket, kind, attempt) where u.kind = any (p_kinds);
          end if;
          if b_ids is not null then
            l_lanes := l_lanes || array_fill(v_lane, array[cardinality(b_ids)]);
            l_ids := l_ids || b_ids; l_buckets := l_buckets || b_buckets; l_kinds := l_kinds || b_kinds;
            l_attempts := l_attempts || b_attempts;
            v_left := v_left - cardinality(b_ids);
          end if;
          exit when v_all;
        end loop;
        exit when v_left <= 0;
      end loop;
    end loop;

    if l_ids is not null then
      if cardinality(l_ids) > 1 then
        if l_buckets[1] = all (l_buckets) then l_buckets := l_buckets[1:1]; end if;
        if l_lanes[1] = all (l_lanes) then l_lanes := l_lanes[1:1]; end if;
        if l_kinds[1] = all (l_kinds) then l_kinds := l_kinds[1:1]; end if;
        if l_attempts[1] = all (l_attempts) then l_attempts := l_attempts[1:1]; end if;
      end if;
      -- No input above its fair share of the bytes: the batch is light. Else it is cut, and what is left is all read.
      v_fair := ${MOST_BYTES} / cardinality(l_ids);
      loop
        v_found := null;
        if cardinality(l_buckets) = 1 and cardinality(l_lanes) = 1 then
          -- One partition and rising ids, as good as always: a walk along its index.
          v_bucket := l_buckets[1];
          select array_agg(j.id),
            case when min(j.max_attempts) = max(j.max_attempts) then array[min(j.max_attempts)] else array_agg(j.max_attempts) end,
            case when min(j.created_at) = max(j.created_at) then array[min(j.created_at)] else array_agg(j.created_at) end,
            string_agg(j.input, e'\\x1e') filter (where octet_length(j.input) <= v_fair),
            count(*) filter (where octet_length(j.input) > v_fair),
            case when count(j.meta) > 0 then string_agg(coalesce('m' || j.meta, ''), e'\\x1e') end
            into v_found, o_max, o_created, o_inputs, v_large, o_metas
            from job j where j.bucket = v_bucket and j.id = any (l_ids);
        end if;
        if v_found is distinct from l_ids then
          select array_agg(j.max_attempts order by u.pos), array_agg(j.created_at order by u.pos),
            string_agg(j.input, e'\\x1e' order by u.pos) filter (where octet_length(j.input) <= v_fair),
            count(*) filter (where octet_length(j.input) > v_fair),
            case when count(j.meta) > 0 then string_agg(coalesce('m' || j.meta, ''), e'\\x1e' order by u.pos) end
            into o_max, o_created, o_inputs, v_large, o_metas
            from unnest(l_ids) with ordinality as u (id, pos)
            join job j on j.bucket = coalesce(l_buckets[u.pos::int], l_buckets[1]) and j.id = u.id;
        end if;
        exit when v_large = 0;
        v_fit := fits(l_ids, l_buckets, ${MOST_BYTES});
        insert into ready (job_id, lane_id, kind_id, bucket, attempt)
        select u.id, coalesce(l_lanes[u.pos::int], l_lanes[1]), coalesce(l_kinds[u.pos::int], l_kinds[1]),
          coalesce(l_buckets[u.pos::int], l_buckets[1]), coalesce(l_attempts[u.pos::int], l_attempts[1]) - 1
        from unnest(l_ids) with ordinality as u (id, pos) where u.pos > v_fit;
        l_ids := l_ids[1:v_fit]; l_buckets := l_buckets[1:v_fit]; l_lanes := l_lanes[1:v_fit];
        l_kinds := l_kinds[1:v_fit]; l_attempts := l_attempts[1:v_fit];
        v_fair := 2147483647;
      end loop;
      -- Read now: what made these jobs ready was written before, by a clock read before.
      v_claimed := now_ms();
      v_lease := p_first + v_queue - 1;
      insert into lease (id, claimed_at, instance_id, queue_id, ids, buckets, lanes, kinds, attempts)
      values (v_lease, v_claimed, p_instance, p_queues[v_queue], l_ids, l_buckets, l_lanes, l_kinds, l_attempts);
      o_lease := v_lease; o_claimed := v_claimed; o_ids := l_ids;
      o_buckets := l_buckets; o_lanes := l_lanes; o_kinds := l_kinds; o_attempts := l_attempts;
      return next;
    end if;
  end loop;
end $$;
`;

/**
 * How many jobs from the first on a batch may have: it ends with the one that makes it heavy. Sizes are read without the
 * inputs, which are stored apart when they are large.
 */
export const fits = `
create function fits(p_ids bigint[], p_buckets int[], p_most int) returns int language sql stable as $$
  select count(*)::int from (
    select sum(octet_length(j.input)) over (order by u.pos) - octet_length(j.input) as before
    from unnest(p_ids) with ordinality as u (id, pos)
    join job j on j.bucket = coalesce(p_buckets[u.pos::int], p_buckets[1]) and j.id = u.id
  ) s where s.before < p_most
$$;
`;
