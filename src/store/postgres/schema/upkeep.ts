/** Upkeep in the database: due jobs, vanished instances, counters. All of it may run in many processes at once. */

/** Makes due jobs ready, and parked ones of these kinds in these queues. Lanes and their smallest ids lower the floors of claimers. */
export const promote = `
create function promote(p_kinds int[], p_queues int[], p_limit int)
returns table (o_moved int, o_next bigint, o_lanes int[], o_ids bigint[])
language plpgsql set search_path from current set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now bigint := now_ms();
  v_more int;
  v_served int[]; v_known int[];
  v_lanes int[]; v_ids bigint[];
begin
  with due as (
    delete from scheduled where ctid = any (array(
      select s.ctid from scheduled s where s.run_at <= v_now order by s.run_at, s.job_id limit p_limit for update skip locked))
    returning job_id, lane_id, kind_id, bucket, attempt
  ), put as (
    insert into ready (job_id, lane_id, kind_id, bucket, attempt)
    select d.job_id, d.lane_id, d.kind_id, d.bucket, d.attempt from due d
  ), lanes as (select d.lane_id, count(*) as n, min(d.job_id) as first from due d group by d.lane_id)
  select coalesce(sum(l.n), 0), array_agg(l.lane_id), array_agg(l.first) into o_moved, o_lanes, o_ids from lanes l;
  if o_moved < p_limit and cardinality(p_queues) > 0 and exists (select from parked p where p.kind_id = any (p_kinds)) then
    v_served := array(select n.id from lane n where n.queue_id = any (p_queues));
    v_known := array(select k from unnest(p_kinds) k where exists (select from parked p where p.kind_id = k));
    -- Name by name and lane by lane, along the index: all of them in one order would be sorted for each few.
    with known as (
      delete from parked where ctid = any (array(
        select p.ctid from unnest(v_known) k cross join unnest(v_served) l cross join lateral (
          select x.ctid from parked x where x.kind_id = k and x.lane_id = l order by x.job_id limit p_limit - o_moved
          for update skip locked) p
        limit p_limit - o_moved))
      returning job_id, lane_id, kind_id, bucket, attempt
    ), put as (
      insert into ready (job_id, lane_id, kind_id, bucket, attempt)
      select k.job_id, k.lane_id, k.kind_id, k.bucket, k.attempt from known k
    ), lanes as (select k.lane_id, count(*) as n, min(k.job_id) as first from known k group by k.lane_id)
    select coalesce(sum(l.n), 0), array_agg(l.lane_id), array_agg(l.first) into v_more, v_lanes, v_ids from lanes l;
    o_moved := o_moved + v_more; o_lanes := o_lanes || v_lanes; o_ids := o_ids || v_ids;
  end if;
  select s.run_at into o_next from scheduled s order by s.run_at limit 1;
  return next;
end $$;
`;

/**
 * Takes jobs from expired instances. Two statements on purpose: leases are locked first and read again after. In one
 * statement the snapshot is older than the lock, and a settlement that committed between the two would be undone.
 * Leases of instances that are gone altogether (a claim that committed after its instance left) are found too.
 */
export const rescue = `
create function rescue(p_limit int)
returns table (o_bucket int, o_id bigint, o_lane int, o_kind int, o_attempt int, o_instance text, o_state "char")
language plpgsql set search_path from current set plan_cache_mode = force_generic_plan as $$
declare
  v_now bigint := now_ms();
  v_dead int[];
  v_leases bigint[];
begin
  -- A heartbeat that is under way holds its row: skipped, since it may yet be in time. Other rescuers share it.
  v_dead := array(select i.id from instance i where i.expires_at <= v_now order by i.id for share skip locked);
  v_leases := array(
    select l.id from lease l
    where l.instance_id = any (v_dead) or not exists (select from instance i where i.id = l.instance_id)
    order by l.id limit p_limit for update skip locked);
  return query
  with gone as (
    delete from lease l where l.id = any (v_leases) returning l
  ), taken as (
    -- Times after the claim, and the end after the loss: history is read in their order.
    select (g.l).id as lease_id, greatest(v_now, (g.l).claimed_at + 1) as at, h.* from gone g, held(g.l) h
  ), judged as materialized (
    select t.*, n.name, j.max_crashes, j.max_attempts, c.reason,
      1 + (select count(*) from finished f where f.job_id = t.job_id and f.day >= t.bucket and f.state = 'L') as crashes,
      case when c.job_id is not null then 'C' else 'B' end::"char" as verdict
    from taken t
    join job j on j.bucket = t.bucket and j.id = t.job_id
    left join instance_name n on n.id = t.lease_id >> 32
    left join cancel_request c on c.job_id = t.job_id
  ), decided as materialized (
    select d.at, d.job_id, d.bucket, d.lane_id, d.kind_id, d.attempt, d.lease_id, d.name, d.crashes, d.max_crashes, d.max_attempts, d.reason,
      case when d.verdict = 'B' and (d.crashes >= d.max_crashes or d.attempt >= d.max_attempts) then 'D' else d.verdict end as verdict
    from judged d
  ), lost as (
    insert into finished (at, job_id, lease_id, day, bucket, lane_id, kind_id, attempt, state)
    select d.at, d.job_id, d.lease_id, greatest(d.at / 86400000, d.bucket), d.bucket, d.lane_id, d.kind_id, d.attempt, 'L'
    from decided d
  ), ended as (
    insert into finished (at, job_id, lease_id, day, bucket, lane_id, kind_id, attempt, state, detail)
    select d.at + 1, d.job_id, d.lease_id, greatest((d.at + 1) / 86400000, d.bucket), d.bucket, d.lane_id, d.kind_id, d.attempt, d.verdict,
      case when d.verdict = 'C' then d.reason else worker_lost(d.name, d.crashes, d.max_crashes, d.attempt, d.max_attempts) end
    from decided d where d.verdict <> 'B'
  ), again as (
    insert into ready (job_id, lane_id, kind_id, bucket, attempt)
    select d.job_id, d.lane_id, d.kind_id, d.bucket, d.attempt from decided d where d.verdict = 'B'
  ), answered as (
    delete from cancel_request c using decided d where d.verdict = 'C' and c.job_id = d.job_id
  ), counted as (
    insert into tally select v_now - v_now % 60000, 0, count(*) filter (where d.verdict = 'B'),
      count(*) filter (where d.verdict = 'D'), count(*) filter (where d.verdict = 'C') from decided d having count(*) > 0
  )
  select d.bucket, d.job_id, d.lane_id, d.kind_id, d.attempt, coalesce(d.name, '?'), d.verdict from decided d order by d.job_id;
  -- The last one to leave forgets the instance; waiting for each other here would be a deadlock.
  delete from instance i where i.id = any (array(
    select x.id from instance x where x.id = any (v_dead) and not exists (select from lease l where l.instance_id = x.id)
    for update skip locked));
end $$;

create function worker_lost(p_name text, p_crashes bigint, p_max_crashes int, p_attempt int, p_max_attempts int) returns text
language sql immutable as $$
  -- Without blanks, as every store's errors are.
  select '{"name":"NightshiftError","code":"NS_WORKER_LOST","message":' || to_json(
    format('NS_WORKER_LOST: The worker %s vanished while it ran this job (%s).', coalesce(p_name, '?'),
      case when p_crashes >= p_max_crashes then format('crash %s of %s', p_crashes, p_max_crashes)
      else format('attempt %s of %s', p_attempt, p_max_attempts) end))::text || '}'
$$;
`;

/**
 * Hands jobs of leases back as if they had never been claimed: an instance that leaves, or a claim whose answer never
 * arrived. p_known are leases that stay.
 */
export const handBack = `
create function hand_back(p_instance int, p_known bigint[])
returns table (o_bucket int, o_id bigint, o_lane int, o_state "char")
language plpgsql set search_path from current as $$
declare
  v_now bigint := now_ms();
  v_leases bigint[];
begin
  -- Waits for claims of this instance that the server is still at, though nobody waits for their answer any more.
  perform pg_advisory_xact_lock(hashtext(current_schema() || '/instance'), p_instance);
  v_leases := array(
    select l.id from lease l where l.instance_id = p_instance and l.id <> all (p_known) order by l.id for update);
  return query
  with gone as (
    delete from lease l where l.id = any (v_leases) returning l
  ), held as materialized (
    select (g.l).id as lease_id, greatest(v_now, (g.l).claimed_at + 1) as at, h.*, c.reason, c.job_id is not null as asked
    from gone g cross join lateral held(g.l) h left join cancel_request c on c.job_id = h.job_id
  ), again as (
    insert into ready (job_id, lane_id, kind_id, bucket, attempt)
    select h.job_id, h.lane_id, h.kind_id, h.bucket, h.attempt - 1 from held h where not h.asked
  ), ended as (
    insert into finished (at, job_id, lease_id, day, bucket, lane_id, kind_id, attempt, state, detail)
    select h.at, h.job_id, h.lease_id, greatest(h.at / 86400000, h.bucket), h.bucket, h.lane_id, h.kind_id, h.attempt, 'C', h.reason
    from held h where h.asked
  ), answered as (
    delete from cancel_request c using held h where h.asked and c.job_id = h.job_id
  ), counted as (
    insert into tally select v_now - v_now % 60000, 0, 0, 0, count(*) from held h where h.asked having count(*) > 0
  )
  select h.bucket, h.job_id, h.lane_id, case when h.asked then 'C' else 'B' end::"char" from held h;
end $$;
`;

/** Folds the tally into minutes and totals, one folder at a time. */
export const foldTally = `
create function fold_tally(p_limit int) returns int
language plpgsql set search_path from current as $$
declare
  v_folded int;
begin
  if not pg_try_advisory_xact_lock(hashtext(current_schema()), -1) then return 0; end if;
  with gone as (
    delete from tally where ctid = any (array(select t.ctid from tally t limit p_limit for update skip locked)) returning *
  ), sums as (
    select g.minute, sum(g.succeeded) as s, sum(g.retried) as r, sum(g.dead) as d, sum(g.cancelled) as c from gone g
    group by grouping sets ((g.minute), ())
  ), put as (
    insert into rollup as t (minute, succeeded, retried, dead, cancelled)
    select coalesce(s.minute, -1), s.s, s.r, s.d, s.c from sums s where s.s is not null
    on conflict (minute) do update set succeeded = t.succeeded + excluded.succeeded, retried = t.retried + excluded.retried,
      dead = t.dead + excluded.dead, cancelled = t.cancelled + excluded.cancelled
  )
  select count(*) into v_folded from gone;
  return v_folded;
end $$;
`;
