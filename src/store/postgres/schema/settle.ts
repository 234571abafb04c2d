/**
 * Records outcomes under leases; returns the leases that are no longer held. The lease row is the fence: it is locked
 * first, and a rescuer that was there before has deleted it. Statements that follow see what committed meanwhile.
 *
 * Outcomes come flat: those of lease n are at the positions after p_ends[n - 1] up to p_ends[n]. No states at all
 * means that all succeeded.
 */
export const settle = `
create function settle(
  p_instance int, p_leases bigint[], p_ends int[], p_jobs bigint[], p_states "char"[], p_ms int[], p_waits bigint[], p_details text[]
) returns bigint[]
language plpgsql set search_path from current set plan_cache_mode = force_generic_plan set enable_hashjoin = on as $$
declare
  v_now bigint;
  v_day int;
  v_bucket int; v_lane int; v_kind int; v_attempt int;
  v_lease lease%rowtype;
  v_refused bigint[] := '{}';
  v_from int := 1;
  v_to int;
  v_jobs bigint[];
  v_s int; v_r int; v_d int; v_c int;
  t_s int := 0; t_r int := 0; t_d int := 0; t_c int := 0;
begin
  for v_i in 1 .. cardinality(p_leases) loop
    v_to := p_ends[v_i];
    v_jobs := p_jobs[v_from:v_to];
    -- By its key alone: given the instance as well, the planner may walk all leases of the instance.
    select * into v_lease from lease l where l.id = p_leases[v_i] for no key update;
    -- After the wait for the lock, and later than the claim: history is read in the order of its times.
    v_now := greatest(now_ms(), v_lease.claimed_at + 1);
    if v_lease.instance_id is distinct from p_instance then
      -- Not refused if it was all recorded under this very lease: sent again after an unknown commit.
      if not (select coalesce(bool_and(exists (
          select from finished f where f.job_id = o.job and f.lease_id = p_leases[v_i] and f.state <> 'L')), false)
          from unnest(v_jobs, p_states[v_from:v_to]) as o (job, state) where o.state is distinct from 'B') then
        v_refused := v_refused || p_leases[v_i];
      end if;
      v_from := v_to + 1;
      continue;
    end if;

    if p_states is null and v_jobs = v_lease.ids and cardinality(v_lease.buckets) + cardinality(v_lease.lanes)
        + cardinality(v_lease.kinds) + cardinality(v_lease.attempts) = 4 and not exists (select from cancel_request) then
      -- The whole batch, in the order claimed, all alike and all well: the case that throughput is made of.
      v_bucket := v_lease.buckets[1]; v_lane := v_lease.lanes[1]; v_kind := v_lease.kinds[1]; v_attempt := v_lease.attempts[1];
      v_day := greatest(v_now / 86400000, v_bucket);
      insert into finished (at, job_id, lease_id, day, bucket, lane_id, kind_id, attempt, ms, state, detail)
      select v_now, unnest(v_jobs), v_lease.id, v_day, v_bucket, v_lane, v_kind, v_attempt, unnest(p_ms[v_from:v_to]), 'S',
        unnest(p_details[v_from:v_to]);
      t_s := t_s + cardinality(v_jobs);
      delete from lease l where l.id = v_lease.id;
    else
      with ended as materialized (
        select h.*, o.ms, o.wait,
          case when o.state in ('R', 'Z', 'B') and c.job_id is not null then 'C' else coalesce(o.state, 'S') end as state,
          case when o.state in ('R', 'Z', 'B') and c.job_id is not null then c.reason else o.detail end as detail,
          c.job_id is not null as asked
        from held(v_lease) h
        join unnest(v_jobs, p_states[v_from:v_to], p_ms[v_from:v_to], p_waits[v_from:v_to], p_details[v_from:v_to])
          as o (job, state, ms, wait, detail) on o.job = h.job_id
        left join cancel_request c on c.job_id = h.job_id
      ), log as (
        insert into finished (at, job_id, lease_id, day, bucket, lane_id, kind_id, attempt, ms, state, detail)
        select v_now, e.job_id, v_lease.id, greatest(v_now / 86400000, e.bucket), e.bucket, e.lane_id, e.kind_id, e.attempt,
          e.ms, e.state, e.detail
        from ended e where e.state <> 'B' order by e.pos
      ), later as (
        insert into scheduled (job_id, run_at, lane_id, kind_id, bucket, attempt)
        select e.job_id, v_now + e.wait, e.lane_id, e.kind_id, e.bucket, e.attempt - (e.state = 'Z')::int
        from ended e where e.state in ('R', 'Z') and e.wait > 0
      ), again as (
        insert into ready (job_id, lane_id, kind_id, bucket, attempt)
        select e.job_id, e.lane_id, e.kind_id, e.bucket, e.attempt - (e.state <> 'R')::int
        from ended e where e.state = 'B' or (e.state in ('R', 'Z') and e.wait <= 0)
      ), answered as (
        delete from cancel_request c using ended e where e.asked and c.job_id = e.job_id
      )
      select count(*) filter (where e.state = 'S'), count(*) filter (where e.state = 'R'),
        count(*) filter (where e.state = 'D'), count(*) filter (where e.state = 'C')
        into v_s, v_r, v_d, v_c from ended e;
      t_s := t_s + v_s; t_r := t_r + v_r; t_d := t_d + v_d; t_c := t_c + v_c;
      perform let_go(v_lease, v_jobs);
    end if;
    v_from := v_to + 1;
  end loop;
  if t_s + t_r + t_d + t_c > 0 then
    insert into tally values (v_now - v_now % 60000, t_s, t_r, t_d, t_c);
  end if;
  return v_refused;
end $$;
`;

/** The jobs that a lease still holds, one row each. */
export const held = `
create function held(p_lease lease)
returns table (pos int, job_id bigint, bucket int, lane_id int, kind_id int, attempt int)
language sql stable as $$
  select u.pos::int, u.id, coalesce(p_lease.buckets[u.pos::int], p_lease.buckets[1]),
    coalesce(p_lease.lanes[u.pos::int], p_lease.lanes[1]), coalesce(p_lease.kinds[u.pos::int], p_lease.kinds[1]),
    coalesce(p_lease.attempts[u.pos::int], p_lease.attempts[1])
  from unnest(p_lease.ids) with ordinality as u (id, pos)
$$;
`;

/** Takes jobs out of a lease, which ends with its last one. The lease's row is locked by the caller. */
export const letGo = `
create function let_go(p_lease lease, p_jobs bigint[]) returns void
language plpgsql set search_path from current as $$
begin
  if p_lease.ids <@ p_jobs then
    delete from lease l where l.id = p_lease.id;
    return;
  end if;
  update lease l set ids = k.ids, buckets = k.buckets, lanes = k.lanes, kinds = k.kinds, attempts = k.attempts
  from (
    select array_agg(h.job_id order by h.pos) as ids, squeeze(array_agg(h.bucket order by h.pos)) as buckets,
      squeeze(array_agg(h.lane_id order by h.pos)) as lanes, squeeze(array_agg(h.kind_id order by h.pos)) as kinds,
      squeeze(array_agg(h.attempt order by h.pos)) as attempts
    from held(p_lease) h where not exists (select from unnest(p_jobs) as o (job) where o.job = h.job_id)
  ) k where l.id = p_lease.id;
end $$;
`;

/** An array of equal elements as an array of one: what most leases' arrays are. */
export const squeeze = `
create function squeeze(p_array int[]) returns int[] language sql immutable strict as $$
  select case when p_array = array_fill(p_array[1], array[cardinality(p_array)]) then p_array[1:1] else p_array end
$$;
`;
